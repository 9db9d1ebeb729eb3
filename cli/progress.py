"""Progress of long work on a terminal's stderr; silent elsewhere."""

import sys
from types import TracebackType
from typing import Self


class Progress:
    """Says what is being done, in one line that is written over. Callable: `progress(done, of, what)`."""

    def __init__(self, what: str) -> None:
        """Start with `what` is being done."""
        self._shows = sys.stderr.isatty()
        self._width = 0
        self.say(what)

    def __call__(self, done: int, of: int, what: str = "") -> None:
        """Show how far it is: `done` of `of`, and what is looked at now."""
        self.say(f"{done} of {of} {what}".rstrip())

    def say(self, what: str) -> None:
        """Show what is being done now."""
        if self._shows:
            sys.stderr.write("\r" + f"{what} …".ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(what) + 2)

    def __enter__(self) -> Self:
        """Go on showing until the end of the block."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Wipe the line, so that results start on a clean one."""
        if self._shows:
            sys.stderr.write("\r" + " " * self._width + "\r")
