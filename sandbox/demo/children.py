"""Processes of the demo: started, watched, and ended with it, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from errors import RecoupError

_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 12


class DemoFailed(RecoupError):
    """Something of the demo did not start or did not end as it should."""


@dataclass(slots=True)
class Child:
    """One running process, the leader of a session of its own, and where it writes: `out` is a command's result."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    out: Path

    def last_line(self) -> str:
        """Return the last thing it said."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"

    def failure(self) -> DemoFailed:
        """Return what to tell a person when it ended by itself."""
        status = self.process.returncode
        return DemoFailed(f"{self.name} ended with {status}: {self.last_line()}", todo=f"See {self.log}.")


class Children:
    """The demo's processes. Start them from the main thread: the kernel ends a child when its thread ends.

    environment: what each child sees; logs: the folder they write into.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path, *, home: Path) -> None:
        self.environment = dict(environment)
        self._logs = logs
        self._home = home
        self._running: list[Child] = []
        self._commands: list[Child] = []

    def start(self, name: str, command: Sequence[str], **more: str) -> Child:
        """Start a process that stays; `more` is added to its environment."""
        log = self._logs / f"{name}.log"
        with log.open("w", encoding="utf-8") as file:
            child = Child(name, self._spawn(command, file, file, more), log, log)
        self._running.append(child)
        return child

    def talk(self, name: str, command: Sequence[str], **more: str) -> Child:
        """Start a process that stays and is talked to through its stdin and stdout; see `start` for `more`."""
        log = self._logs / f"{name}.log"
        with log.open("w", encoding="utf-8") as errors:
            child = Child(name, self._spawn(command, subprocess.PIPE, errors, more, takes_input=True), log, log)
        self._running.append(child)
        return child

    def begin(self, name: str, command: Sequence[str], *, given: str = "") -> Child:
        """Start a command that ends by itself; `given` is its stdin. See `finish`."""
        log, out = self._logs / f"{name}.log", self._logs / f"{name}.out"
        with log.open("w", encoding="utf-8") as errors, out.open("w", encoding="utf-8") as results:
            child = Child(name, self._spawn(command, results, errors, {}, takes_input=True), log, out)
        self._commands.append(child)
        if child.process.stdin:
            child.process.stdin.write(given)
            child.process.stdin.close()
        return child

    def finish(self, child: Child) -> str:
        """Wait for a command's end and return what it wrote. Raises DemoFailed where it failed."""
        child.process.wait()
        self._commands.remove(child)
        if child.process.returncode != 0:
            raise child.failure()
        return child.out.read_text(encoding="utf-8")

    def run(self, name: str, command: Sequence[str], *, given: str = "") -> str:
        """Run a command to its end and return what it wrote."""
        return self.finish(self.begin(name, command, given=given))

    def forget(self, child: Child) -> None:
        """Count a process that ended no more."""
        self._running.remove(child)

    def check(self) -> None:
        """Raise DemoFailed where a process that should stay has ended."""
        for child in self._running:
            if child.process.poll() is not None:
                raise child.failure()

    def stop(self) -> None:
        """End every process: first asked, then, with whatever it has started, made to."""
        everything = [*self._commands, *reversed(self._running)]
        for child in everything:
            if child.process.poll() is None:
                child.process.terminate()
        until = time.monotonic() + _PATIENCE_SECONDS
        for child in everything:
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_group(child.process.pid)
                child.process.wait()
            _kill_group(child.process.pid)
        self._running.clear()
        self._commands.clear()

    def _spawn(
        self,
        command: Sequence[str],
        out: IO[str] | int,
        log: IO[str],
        more: Mapping[str, str],
        *,
        takes_input: bool = False,
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            text=True,
            cwd=self._home,
            env={**self.environment, **more},
            start_new_session=True,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509  it takes no lock
        )
        if sys.platform != "linux":
            _guard(process.pid)
        return process


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, have the kernel end a child whose parent was killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_guards: list[subprocess.Popen[bytes]] = []  # each ends its child when the pipe from this process breaks


def _guard(pid: int) -> None:
    script = f"cat >/dev/null; kill -TERM {pid} 2>/dev/null"
    _guards.append(subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True))


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
