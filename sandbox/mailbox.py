"""The mailbox as one server: in a thread for tests, as a process of its own for the demo.

`python -m sandbox.mailbox --port N --smtp-port M` prints `READY URL SMTP_URL` when it listens.
"""

import argparse
import logging
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.mail import memory
from sandbox.mail.inbox import Inbox, SmtpServer
from sandbox.mail.web import create_app
from sandbox.serving import LocalServer, say_ready


class Mailbox(LocalServer):
    """The mailbox, listening on this machine only. Usable as a context manager.

    port, smtp_port: the first to try for the page and for SMTP, 0 for any.
    """

    def __init__(self, *, port: int = 0, smtp_port: int = 0) -> None:
        self.inbox = Inbox()
        self._smtp = SmtpServer(self.inbox, port=smtp_port)
        self.smtp_url = f"smtp://127.0.0.1:{self._smtp.port}"
        app = create_app(self.inbox, smtp_address=f"127.0.0.1:{self._smtp.port}")
        super().__init__(app, port=port)

    def serve(self, *, state: Path | None = None) -> None:
        """Serve until the process is asked to end; the mails are read from and kept in `state`."""
        if state is not None:
            memory.load(self.inbox, state)
        with self._smtp:
            try:
                self.serve_forever()
            finally:
                if state is not None:
                    memory.save(self.inbox, state)

    def __enter__(self) -> Self:
        """Serve in threads."""
        self._smtp.__enter__()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        super().__exit__(kind, error, trace)
        self._smtp.__exit__(kind, error, trace)


def main(arguments: list[str] | None = None) -> None:
    """Run the mailbox in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="keep the mails in this file")
    given = parser.parse_args(arguments)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's
    mailbox = Mailbox(port=given.port, smtp_port=given.smtp_port)
    say_ready(mailbox.url, mailbox.smtp_url)
    mailbox.serve(state=given.state)


if __name__ == "__main__":
    main()
