"""What is to be done next about a claim, as a fact. Pure: a claim in, words and a day out."""

from dataclasses import dataclass
from datetime import date

from claims import words
from models import Claim, ClaimStatus

_S = ClaimStatus

_WITHOUT_A_DAY = {
    _S.SUBMITTED: "Amazon has it: nothing to do before it answers",
    _S.NEEDS_INFO: "Amazon asks: answer in the case",
    _S.DENIED: "Refused: appeal, or close it",
    _S.APPEALED: "Amazon has the appeal: nothing to do before it answers",
    _S.PARTLY_RECOVERED: "A part is paid: ask for the rest, or close it",
    _S.REVERSED: "Amazon took the money back: appeal, or close it",
    _S.RECOVERED: "Nothing to do: it is recovered",
    _S.CLOSED: "Nothing to do: it is closed",
}
_BY_A_DAY = {
    _S.SUBMITTED: "To look at the case again",
    _S.NEEDS_INFO: "To answer Amazon",
    _S.DENIED: "To appeal or to close",
    _S.APPEALED: "To look at the appeal again",
    _S.PARTLY_RECOVERED: "To ask for the rest or to close",
    _S.REVERSED: "To appeal or to close",
    _S.RECOVERED: "To look at it again",
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is to be done, and by which day of the marketplace; None where no day is set."""

    what: str
    by: date | None = None

    def told(self, today: date) -> str:
        """Return it in one line: "To file by 30 Nov 2026, in 4 days"."""
        return (
            self.what if self.by is None else f"{self.what} by {words.day(self.by)}, {words.days_left(self.by, today)}"
        )


def next_step(claim: Claim) -> NextStep:
    """Return the next step of a claim, whatever may hold it up."""
    if claim.status is _S.TO_SUBMIT:
        return NextStep("To file", claim.closes_on)
    if claim.next_action_on is not None and claim.status in _BY_A_DAY:
        return NextStep(_BY_A_DAY[claim.status], claim.next_action_on)
    return NextStep(_WITHOUT_A_DAY[claim.status])
