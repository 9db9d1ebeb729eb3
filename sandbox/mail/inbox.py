"""The SMTP side of the mailbox: takes what is handed over, keeps the latest in memory."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.ports import listen_on_first_free

_KEPT = 500
_LARGEST_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came: who handed it over for whom, and its bytes. `number` counts from 1."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The mail with its headers and parts."""
        return message_from_bytes(self.content, policy=default)

    def header(self, name: str) -> str:
        """Return a header in one line, empty where the mail has none."""
        return " ".join(str(self.parsed.get(name, "")).split())

    def body(self, kind: str) -> str:
        """Return the `html` or `plain` part, empty where there is none."""
        part = self.parsed.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""

    @property
    def attachments(self) -> list[EmailMessage]:
        """The files that came with it."""
        return list(self.parsed.iter_attachments())


class Inbox:
    """All mails that came, the oldest first. Its lock lets the page look while a mail comes in."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._count = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Mail]:
        """Return the mails as they are now."""
        with self._lock:
            return iter(list(self._mails))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._mails)

    def get(self, number: int) -> Mail | None:
        """Return the mail of this number, None where it is not there (any more)."""
        return next((mail for mail in self if mail.number == number), None)

    def add(self, sender: str, recipients: list[str], content: bytes) -> Mail:
        """Keep one mail; the oldest of too many is forgotten."""
        with self._lock:
            self._count += 1
            mail = Mail(self._count, sender, tuple(recipients), content)
            self._mails = [*self._mails, mail][-_KEPT:]
            return mail

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        """Take a mail."""
        content = envelope.content
        self.add(
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            content if isinstance(content, bytes) else (content or "").encode(),
        )
        return "250 Kept"


class SmtpServer:
    """An SMTP server on this machine, in a thread. Usable as a context manager.

    handler: an `Inbox`, or another handler of aiosmtpd's. port: the first to try, 0 for any.
    """

    def __init__(self, handler: Any, *, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        self._listener = listen_on_first_free(port)
        self._options = options
        self._tls = tls
        self.handler = handler
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _protocol(self) -> SMTP:
        return SMTP(
            self.handler,
            hostname="mailbox.test",
            ident="Recoup mailbox",
            data_size_limit=_LARGEST_BYTES,
            loop=self._loop,
            **self._options,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        make: Callable[[], SMTP] = self._protocol
        server = self._loop.run_until_complete(self._loop.create_server(make, sock=self._listener, ssl=self._tls))
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving; open connections are cut."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
