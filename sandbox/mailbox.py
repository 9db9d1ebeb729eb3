"""The mailbox as one server: in a thread for tests, as a process of its own for the demo.

`python -m sandbox.mailbox --port N --smtp-port M` prints `READY URL SMTP_URL` when it listens.
"""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from werkzeug.serving import make_server

from sandbox.mail import memory
from sandbox.mail.inbox import Inbox, SmtpServer
from sandbox.mail.web import create_app
from sandbox.ports import listen_on_first_free
from sandbox.slack_server import QuietHandler


class Mailbox:
    """The mailbox, listening on this machine only. Usable as a context manager.

    port, smtp_port: the first to try for the page and for SMTP, 0 for any.
    """

    def __init__(self, *, port: int = 0, smtp_port: int = 0) -> None:
        self.inbox = Inbox()
        self._smtp = SmtpServer(self.inbox, port=smtp_port)
        self.smtp_url = f"smtp://127.0.0.1:{self._smtp.port}"
        app = create_app(self.inbox, smtp_address=f"127.0.0.1:{self._smtp.port}")
        with listen_on_first_free(port) as listener:
            chosen: int = listener.getsockname()[1]
            self._server = make_server(
                "127.0.0.1", chosen, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
            )
        self.url = f"http://127.0.0.1:{chosen}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def serve(self, *, state: Path | None = None) -> None:
        """Serve until the process is asked to end; the mails are read from and kept in `state`."""
        if state is not None:
            memory.load(self.inbox, state)
        with self._smtp:
            try:
                self._server.serve_forever()
            finally:
                if state is not None:
                    memory.save(self.inbox, state)

    def __enter__(self) -> Self:
        """Serve in threads."""
        self._smtp.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
        self._smtp.__exit__(kind, error, trace)


def main(arguments: list[str] | None = None) -> None:
    """Run the mailbox in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="keep the mails in this file")
    given = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's
    mailbox = Mailbox(port=given.port, smtp_port=given.smtp_port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"READY {mailbox.url} {mailbox.smtp_url}\n")
    sys.stdout.flush()
    mailbox.serve(state=given.state)


if __name__ == "__main__":
    main()
