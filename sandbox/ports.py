"""Free ports of this machine."""

import errno
import socket

from errors import RecoupError

_LAST = 65_535
_TRIED = 200
_BACKLOG = 128


class NoFreePort(RecoupError):
    """Every port that was tried is in use."""


def listen_on_first_free(first: int) -> socket.socket:
    """Return a listening socket on the first port from `first` on that nobody uses; 0 takes any."""
    for port in range(first, min(first + _TRIED, _LAST + 1)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return listener
    raise NoFreePort(f"No port from {first} on is free.", todo="Give another --port.")


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody uses now; somebody else may take it before you do."""
    with listen_on_first_free(first) as listener:
        port: int = listener.getsockname()[1]
        return port
