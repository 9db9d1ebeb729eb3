"""The web process: takes the port, then becomes gunicorn."""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import config
from errors import RecoupError
from jobs import redis_server

_BACKLOG = 512
# A client that stops in the middle of a request holds one of the web server's few threads; gunicorn has no limit to it.
_SILENT_SECONDS = 30


class CannotListen(RecoupError):
    """The address to serve at cannot be taken."""


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Open the listening socket; who goes silent on one of its connections is cut off. Raises CannotListen with why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it; a time-out of Python's own would not outlive gunicorn's `setblocking`.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _SILENT_SECONDS, 0))
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise _cannot_listen(host, port, error) from error
        yield listener


def serve(listener: socket.socket, *, redis_url: str) -> NoReturn:
    """Become the web server on this socket, with `redis_url` as its Redis. Does not return."""
    listener.set_inheritable(True)
    redis_server.keep_in_next_program()
    os.chdir(config.HOME)
    environment = os.environ | {"REDIS_URL": redis_url}  # noqa: TID251  handed on, not read
    environment.pop("FLASK_RUN_FROM_CLI", None)  # the next program is a web server, not a command
    gunicorn = ["-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"fd://{listener.fileno()}", "wsgi:app"]
    os.execve(sys.executable, [sys.executable, *gunicorn], environment)  # noqa: S606


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return CannotListen(f"Port {port} is in use.", todo="End what uses it, or give another --port.")
    return CannotListen(f"Cannot listen on {host}:{port}: {error.strerror}.", todo="Give another --host or --port.")
