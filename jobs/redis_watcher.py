"""The process that owns the embedded Redis: it starts the server, and stops it when nobody uses it any more.

Run as a script; it uses the standard library alone, so that it is up at once. Each user of the server holds a shared
lock on a file. The kernel takes that lock away however the user ended, so when this process gets the file for itself,
the last user is gone.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PAUSE_SECONDS = 0.5


def main(arguments: Sequence[str]) -> int:
    """Keep a server running while it is used; `arguments` are the users' lock file and the server's command."""
    os.umask(0o077)
    return _Watcher(Path(arguments[0]), arguments[1:]).run()


class _Watcher:
    def __init__(self, users: Path, command: Sequence[str]) -> None:
        self._users = users
        self._command = command
        self._server: _Server | None = None
        self._is_over = threading.Event()

    def run(self) -> int:
        """Run the server until its last user is gone; begin again when a signal killed it. Returns the exit status."""
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        threading.Thread(target=self._wait_for_the_last_user, daemon=True).start()
        while True:
            self._server = _Server(self._command)
            if self._is_over.is_set():
                self._server.stop()
            status = self._server.wait()
            if self._is_over.is_set():
                return 0
            if status >= 0:  # it ended by itself, and said why: it would again
                return status or 1
            time.sleep(_PAUSE_SECONDS)

    def _wait_for_the_last_user(self) -> None:
        handle = os.open(self._users, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)  # kept until this process ends: a new user waits until the server is gone
        self._end()

    def _end(self) -> None:
        self._is_over.set()
        if self._server:
            self._server.stop()


class _Server:
    """The server's process, which ends with this one, even when this one is killed.

    On Linux by the parent-death signal: it fires when the *thread* that forked ends, so the main thread must. Elsewhere
    by a shell that reads a pipe from this process to its end.
    """

    def __init__(self, command: Sequence[str], *, platform: str = sys.platform) -> None:
        self._guard: subprocess.Popen[bytes] | None = None
        if platform == "linux":
            self._process = subprocess.Popen(command, preexec_fn=_end_with_parent())  # noqa: PLW1509  it takes no lock
        else:
            self._process = subprocess.Popen(command)
            script = f"cat >/dev/null; kill -TERM {self._process.pid}"
            self._guard = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True)

    def stop(self) -> None:
        self._process.terminate()

    def wait(self) -> int:
        status = self._process.wait()
        if self._guard:
            self._guard.kill()
            self._guard.wait()
        return status


def _end_with_parent() -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
