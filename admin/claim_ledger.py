"""The claim ledger: what was approved, and where each claim stands."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlalchemy import SQLColumnExpression, case, select

from admin import discrepancy_filters
from admin.claim_page import ClaimPage
from admin.listing import ACCOUNT, CLIENT, EVERY, Listing, Narrow, Rows, searchable
from admin.people import current_actor
from claims import ledger, queries, steps, words
from db import reading
from models import Claim, ClaimStatus, Client, Discrepancy, Request, RequestStatus

_WHY_CLOSED = ("undone", "lapsed", "refused", "withdrawn", "client_left", "other")
_CLOSED = ClaimStatus.CLOSED.value
#: what the ledger can be narrowed to: each state, and the closed ones by reason
_STATES = frozenset({EVERY, *ClaimStatus, *(f"{_CLOSED}:{reason}" for reason in _WHY_CLOSED)})


def state_code(status: str, reason: str | None) -> str:
    """Return the value by which the ledger is narrowed to a state: "submitted", "closed:lapsed"."""
    return f"{status}:{reason}" if status == _CLOSED and reason in _WHY_CLOSED else status


def _in_state(rows: Rows, value: str) -> Rows:
    if value == EVERY:
        return rows
    status, _, reason = value.partition(":")
    rows = rows.where(Claim.status == ClaimStatus(status))
    return rows.where(Claim.closed_reason == reason) if reason else rows


def _of_type(rows: Rows, value: str) -> Rows:
    return rows.where(Claim.claim_type == value)


# What narrows the claims and the sums above them.
_NARROWS = (
    CLIENT,
    ACCOUNT,
    Narrow("type", "Lost", _of_type, words.CLAIM_TYPES.__contains__),
)
_OF_LOSSES = {narrow.key: narrow for narrow in discrepancy_filters.OTHERS}

_EXPORTED: Mapping[str, Callable[[Claim], str]] = {
    "id": lambda c: str(c.id),
    "discrepancy_ids": lambda c: " ".join(str(each.id) for each in c.discrepancies),
    "client": lambda c: c.account.client.name,
    "account": lambda c: c.account.name,
    "claim_type": lambda c: c.claim_type,
    "status": lambda c: c.status.value,
    "closed_reason": lambda c: c.closed_reason or "",
    "case_id": lambda c: c.case_id or "",
    "closes_on": lambda c: c.closes_on.isoformat(),
    "next_step": lambda c: steps.next_step(c).what,
    "next_step_by": lambda c: by.isoformat() if (by := steps.next_step(c).by) else "",
    "quantity": lambda c: str(c.quantity),
    "value": lambda c: "" if c.value is None else f"{c.value:f}",
    "recovered": lambda c: f"{c.recovered:f}",
    "currency": lambda c: c.currency or "",
}


class ClaimView(ClaimPage, Listing):
    """Claims, the latest first; a claim moves through the services alone."""

    list_template = "claims.html"
    column_list = ("id", "claim_type", "account", "next_step", "quantity", "value", "recovered", "status")
    column_labels: ClassVar[Mapping[str, str]] = {
        "id": "Claim",
        "claim_type": "What was lost",
        "account": "Client",
        "next_step": "Next step",
        "quantity": "Units",
        "value": "Asked for",
        "recovered": "Recovered",
        "status": "State",
    }
    sort_columns: ClassVar[Mapping[str, SQLColumnExpression[Any]]] = {
        "id": Claim.id,
        "claim_type": Claim.claim_type,
        "account": Client.name,
        "next_step": case((Claim.status == ClaimStatus.TO_SUBMIT, Claim.closes_on), else_=Claim.next_action_on),
        "quantity": Claim.quantity,
        "value": Claim.value,
        "recovered": Claim.recovered,
        "status": Claim.status,
    }
    search_columns = (Claim.case_id,)
    exported = _EXPORTED
    column_filters = (
        Narrow("status", "State", _in_state, _STATES.__contains__),
        *_NARROWS,
    )

    def statement(self) -> Rows:
        """Return the claims that exist for this person."""
        return queries.claim_list(current_actor())

    def searched(self, rows: Rows, wanted: str) -> Rows:
        """Return the claims with this case id, or with a discrepancy of this product or reference."""
        columns = (Discrepancy.fnsku, Discrepancy.msku, Discrepancy.asin, Discrepancy.reference_id)
        condition = Claim.case_id.icontains(wanted, autoescape=True)
        for column in columns:
            condition |= Claim.discrepancies.any(column.icontains(wanted, autoescape=True))
        return rows.where(condition)

    def around(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the choices, the money by state, and what the rows wait for."""
        return self._choices() | self._money(shown["search"]) | self._about([row.id for row in shown["data"]])

    def _choices(self) -> dict[str, Any]:
        state = self.active("status") if self.active("status") in _STATES else EVERY
        status, _, reason = state.partition(":")
        name = "" if state == EVERY else words.claim_status_name(status, reason)
        return {
            "state": state,
            "state_name": name,
            "title_end": name[:1].lower() + name[1:] if not name.startswith("Amazon") else f"where {name}",
            "states": [(EVERY, "All"), *((each.value, words.claim_status_name(each)) for each in ClaimStatus)],
            "types": {code: name for code, (name, _) in words.CLAIM_TYPES.items()},
        }

    def _money(self, search: str | None) -> dict[str, Any]:
        """Return what the claims come to by state, whatever state the list shows, and what was never claimed."""
        actor, wanted = current_actor(), searchable(search)
        claims, losses = queries.claim_list(actor), queries.discrepancy_list(actor)
        for narrow in _NARROWS:
            value = self.active(narrow.key)
            if value and narrow.validate(value):
                claims, losses = narrow.apply(claims, value), _OF_LOSSES[narrow.key].apply(losses, value)
        with reading() as session:
            rows = ledger.totals(session, self.searched(claims, wanted) if wanted else claims)
            unclaimed = [] if wanted else ledger.without_a_claim(session, losses)
        return {"totals": rows, "in_all": ledger.together(rows), "unclaimed": unclaimed, "state_code": state_code}

    def _about(self, claim_ids: list[int]) -> dict[str, Any]:
        """Return what the rows of this page wait for."""
        waiting = select(Request.claim_id).where(
            Request.claim_id.in_(claim_ids), Request.status == RequestStatus.ASKED, Request.holds_claim
        )
        with reading() as session:
            return {"next_step": steps.next_step, "held": set(session.scalars(waiting))}
