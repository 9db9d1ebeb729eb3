"""Recoup's command line, asked again and again by a process that stays."""

import json
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from sandbox.demo.children import Child, Children, DemoFailed

_COMMAND = (sys.executable, "-m", "sandbox.demo.commands")
_WITHOUT_WEB = {"FLASK_RUN_FROM_CLI": "true"}  # what `flask` itself says to the application that it loads


class Refused(DemoFailed):
    """A command ended with another code than 0; its words say why."""


class Doors:
    """Runs `flask` commands one after the other. Usable from one thread."""

    def __init__(self, children: Children, *, name: str = "flask") -> None:
        self._children, self._name = children, name
        self._child: Child | None = None
        self._waited_for: deque[Sequence[str]] = deque()

    def begin(self, *words: str, given: str = "") -> None:
        """Have a command run, `given` being its stdin, and go on; `finish` waits for it."""
        child = self._child = self._child or self._children.talk(self._name, _COMMAND, **_WITHOUT_WEB)
        if child.process.stdin is None or child.process.poll() is not None:
            raise child.failure()
        child.process.stdin.write(json.dumps({"words": words, "given": given}) + "\n")
        child.process.stdin.flush()
        self._waited_for.append(words)

    def finish(self) -> str:
        """Wait for the oldest command that was begun and return what it wrote. Raises Refused where it failed."""
        child, words = self._child, self._waited_for.popleft()
        line = child.process.stdout.readline() if child and child.process.stdout else ""
        if child is None or not line:
            raise DemoFailed(f"flask {' '.join(words[:2])}: {child.last_line() if child else 'nothing runs'}")
        answer = json.loads(line)
        if answer["exit"] != 0:
            raise Refused(f"flask {' '.join(words[:2])}: {answer['said']}")
        written: str = answer["out"]
        return written

    def finish_all(self) -> list[str]:
        """Wait for all that was begun and return what each command wrote."""
        return [self.finish() for _ in range(len(self._waited_for))]

    def ask(self, *words: str, given: str = "") -> str:
        """Run a command to its end and return what it wrote. Raises Refused where it failed."""
        self.begin(*words, given=given)
        return self.finish()

    def close(self) -> None:
        """End the process; the next command starts another."""
        if self._child and self._child.process.stdin:
            self._child.process.stdin.close()
            self._child.process.wait()
            self._children.forget(self._child)
        self._child = None

    def rows(self, *words: str) -> Any:
        """Return what a command tells as JSON."""
        return json.loads(self.ask(*words, "--format", "json"))
