"""What a person can choose when something became of a claim, as forms offer it: one choice, one state and reason."""

from dataclasses import dataclass

from claims import filing
from models import ClaimStatus

_S = ClaimStatus
_LABELS = {
    "needs_info": "Amazon asks for something",
    "submitted": "We answered: Amazon has it again",
    "denied": "Amazon refuses",
    "appealed": "We appeal",
    "closed:refused": "Close it: Amazon's refusal stands",
    "closed:withdrawn": "Close it: we withdraw it",
    "closed:client_left": "Close it: the client left",
    "closed:other": "Close it: another reason (say which in the note)",
}
# What a reply of Amazon's can come to by itself; all else is something that we do.
_BY_A_REPLY = frozenset({"needs_info", "denied"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was chosen: the state, and why where it is closed. `code` is what a form sends."""

    status: ClaimStatus
    reason: str | None = None

    @property
    def code(self) -> str:
        """The choice as a form sends it: "denied", "closed:withdrawn"."""
        return f"{self.status.value}:{self.reason}" if self.reason else self.status.value

    @property
    def label(self) -> str:
        """The choice as people read it."""
        return _LABELS[self.code]


def choices(status: ClaimStatus) -> list[Outcome]:
    """Return what can be recorded about a claim in this state, what Amazon does first."""
    found = [Outcome(to) for to in filing.recordable(status) if to is not _S.CLOSED]
    if _S.CLOSED in filing.recordable(status):
        found += [Outcome(_S.CLOSED, reason) for reason in filing.may_be_closed_for(status)]
    return found


def choices_of_reply(status: ClaimStatus) -> list[Outcome]:
    """Return what a reply of Amazon's can make of a claim in this state."""
    return [each for each in choices(status) if each.code in _BY_A_REPLY]


def chosen(code: str) -> Outcome | None:
    """Return the choice that a form sent; None for one that there is not."""
    if code not in _LABELS:
        return None
    status, _, reason = code.partition(":")
    return Outcome(ClaimStatus(status), reason or None)
