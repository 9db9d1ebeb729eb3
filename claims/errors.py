"""What the services say when a move cannot be made."""

from collections.abc import Sequence
from datetime import datetime

from claims import words
from errors import Moved, RecoupError


class AlreadyDecided(Moved):
    """Somebody was faster: `by` whom, `at` when, and `what` they did ("approved", "rejected", "cleared")."""

    def __init__(self, *, what: str, by: str, at: datetime, now: datetime) -> None:
        super().__init__(f"Already {what} by {by} {moment(at, now)}.")
        self.what, self.by, self.at = what, by, at


class CaveatsOpen(RecoupError):
    """Something has to be checked before this can be approved: the `codes` of what is not cleared."""

    def __init__(self, codes: Sequence[str]) -> None:
        names = "; ".join(f"{words.caveat_name(code)} ({code})" for code in codes)
        super().__init__(f"Check first: {names}.", todo="Clear it with a note that says why, then approve.")
        self.codes = tuple(codes)


class TooLateToUndo(Moved):
    """The time in which a decision can be taken back has passed."""


class LeaseHeld(RecoupError):
    """Somebody else works on it: who, and until when unless they go on."""

    def __init__(self, name: str, *, by: str, until: datetime) -> None:
        super().__init__(f"{name} is worked on by {by}.", todo="Try again in a minute.")
        self.by, self.until = by, until


def moment(at: datetime, now: datetime) -> str:
    """Return when something was, as a part of a sentence: "at 09:14 UTC", with the day unless it is today's."""
    time = f"at {at:%H:%M} UTC"
    return time if at.date() == now.date() else f"on {words.day(at.date())} {time}"
