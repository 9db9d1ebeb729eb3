"""Free ports of this machine."""

import socket

from sandbox.demo.children import DemoFailed

_LAST = 65_535
_TRIED = 200


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody listens on. Raises DemoFailed where there is none near."""
    for port in range(first, min(first + _TRIED, _LAST + 1)):
        if _is_free(port):
            return port
    raise DemoFailed(f"No port from {first} on is free.", todo="Give another --port.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
