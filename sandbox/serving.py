"""A stand-in's web server: in a thread for tests, as a process of its own for the demo."""

import logging
import signal
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.ports import listen_on_first_free

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    """Writes no line for a request: the pages ask every second."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class LocalServer:
    """An application that listens on this machine only. Usable as a context manager, which serves in a thread.

    port: the first to try, 0 for any.
    """

    def __init__(self, app: "WSGIApplication", *, port: int = 0) -> None:
        with listen_on_first_free(port) as listener:
            chosen: int = listener.getsockname()[1]
            self._server = make_server(
                "127.0.0.1", chosen, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
            )
        self.url = f"http://127.0.0.1:{chosen}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def serve_forever(self) -> None:
        """Serve in this thread until the process is asked to end."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def say_ready(*addresses: str) -> None:
    """Tell on stdout where this process listens, for whoever started it; from now on SIGTERM ends it in order."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(" ".join(("READY", *addresses)) + "\n")
    sys.stdout.flush()
