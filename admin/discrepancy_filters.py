"""What the list of discrepancies can be narrowed by, and where its search looks."""

from datetime import timedelta

from admin.listing import ACCOUNT, CLIENT, EVERY, Narrow, Rows
from claims import announcing, words
from clock import utcnow
from models import Caveat, Discrepancy, DiscrepancyStatus

WITHIN_DAYS = ("4", "10", "30")

SEARCHED = (
    Discrepancy.fnsku,
    Discrepancy.msku,
    Discrepancy.asin,
    Discrepancy.reference_id,
    Discrepancy.title,
)


def _in_state(rows: Rows, value: str) -> Rows:
    return rows if value == EVERY else rows.where(Discrepancy.status == DiscrepancyStatus(value))


def _closing_within(rows: Rows, value: str) -> Rows:
    return rows.where(Discrepancy.closes_on < utcnow().date() + timedelta(days=int(value)))


def _with_caveats(rows: Rows, value: str) -> Rows:
    is_unchecked = Discrepancy.caveats.any(Caveat.cleared_at.is_(None))
    return rows.where(is_unchecked if value == "check" else ~is_unchecked)


def _by_least_value(rows: Rows, value: str) -> Rows:
    """Leave what makes a card in Slack ("reached"), or what is too small for one ("below")."""
    is_below = announcing.below_least_value()
    return rows.where(is_below if value == "below" else is_below.is_not(True))


def _of_type(rows: Rows, value: str) -> Rows:
    return rows.where(Discrepancy.claim_type == value)


STATE = Narrow("status", "State", _in_state, {*(status.value for status in DiscrepancyStatus), EVERY}.__contains__)
#: all but the state
OTHERS = (
    CLIENT,
    ACCOUNT,
    Narrow("type", "Lost", _of_type, words.CLAIM_TYPES.__contains__),
    Narrow("within", "Closes", _closing_within, WITHIN_DAYS.__contains__),
    Narrow("least", "Least value", _by_least_value, ("reached", "below").__contains__),
    Narrow("caveats", "Check first", _with_caveats, ("check", "ready").__contains__),
)
FILTERS = (STATE, *OTHERS)
