"""The list of discrepancies and the page on which one is decided."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin import deadlines, evidence, queue
from admin import discrepancy_filters as filters
from admin.listing import EVERY, Listing, Rows
from admin.people import current_actor
from admin.staff import told
from claims import approvals, queries, recovery, review, words
from clock import utcnow
from db import reading
from errors import InvalidInput, Moved
from models import Approval, Client, Discrepancy, DiscrepancyStatus, RejectReason

_ONE = "/<id:discrepancy_id>"

# Status -> how a title goes on after "12 discrepancies".
_TITLES = {
    "open": "to decide",
    "upcoming": "upcoming",
    "approved": "approved",
    "rejected": "rejected",
    "snoozed": "snoozed",
    "settled": "settled",
    "withdrawn": "withdrawn",
    "lapsed": "lapsed",
    EVERY: "in all",
}

_EXPORTED: Mapping[str, Callable[[Discrepancy], str]] = {
    "id": lambda d: str(d.id),
    "fingerprint": lambda d: d.fingerprint,
    "client": lambda d: d.account.client.name,
    "account": lambda d: d.account.name,
    "claim_type": lambda d: d.claim_type,
    "status": lambda d: d.status.value,
    "marketplace": lambda d: d.marketplace,
    "fnsku": lambda d: d.fnsku or "",
    "asin": lambda d: d.asin or "",
    "msku": lambda d: d.msku or "",
    "title": lambda d: d.title or "",
    "reference_kind": lambda d: d.reference_kind,
    "reference_id": lambda d: d.reference_id,
    "fulfillment_center": lambda d: d.fulfillment_center or "",
    "event_date": lambda d: d.event_date.isoformat(),
    "opens_on": lambda d: d.opens_on.isoformat(),
    "closes_on": lambda d: d.closes_on.isoformat(),
    "quantity": lambda d: str(d.quantity),
    "unit_value": lambda d: _plain(d.unit_value),
    "value": lambda d: _plain(d.value),
    "currency": lambda d: d.currency or "",
    "value_basis": lambda d: d.value_basis,
    "policy": lambda d: d.policy,
    "caveats": lambda d: " ".join(caveat.code for caveat in d.caveats if caveat.cleared_at is None),
}


class DiscrepancyView(Listing):
    """Discrepancies by their deadline; rows move through `claims.review` alone."""

    list_template = "discrepancies.html"
    column_list = ("closes_on", "claim_type", "account", "quantity", "value", "status")
    column_labels: ClassVar[Mapping[str, str]] = {
        "closes_on": "Last day",
        "claim_type": "What was lost",
        "account": "Client",
        "quantity": "Units",
        "value": "Worth",
        "status": "State",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "closes_on": Discrepancy.closes_on,
        "claim_type": Discrepancy.claim_type,
        "account": Client.name,
        "quantity": Discrepancy.quantity,
        "value": Discrepancy.value,
        "status": Discrepancy.status,
    }
    search_columns = filters.SEARCHED
    column_filters = filters.FILTERS
    exported = _EXPORTED

    def statement(self) -> Rows:
        """Return the discrepancies that exist for this person: those to decide, unless another state is asked for."""
        wanted = None if self.active("status") else DiscrepancyStatus.OPEN
        return queries.discrepancy_list(current_actor(), status=wanted)

    def ordered(self, rows: Rows) -> Rows:
        """Return the nearest deadline first, then the largest value."""
        return rows.order_by(*queue.ORDER)

    @expose(_ONE + "/")
    def one(self, discrepancy_id: int) -> ResponseReturnValue:
        """Show one discrepancy with its evidence and what can be done."""
        return self._page(discrepancy_id)

    @expose(_ONE + "/approve", methods=("POST",))
    def approve(self, discrepancy_id: int) -> ResponseReturnValue:
        """Approve what the person saw on the page, and nothing else."""
        seen = request.form.get("seen", "")

        def move(session: Session) -> str:
            claim = review.approve(session, discrepancy_id, actor=current_actor(), now=utcnow())
            found = session.get_one(Discrepancy, discrepancy_id)
            if seen != what_is_asked(found):
                raise Moved(
                    f"Not approved: it changed since you opened the page, to {asked_in_words(found)}.",
                    todo="Look at it again.",
                )
            follows = f"Claim {claim.id} is to be filed." if claim else "It waits for the client's approval now."
            return f"Approved: {asked_in_words(found)}. {follows}"

        return self._moved(discrepancy_id, move)

    @expose(_ONE + "/reject", methods=("POST",))
    def reject(self, discrepancy_id: int) -> ResponseReturnValue:
        """Reject with a reason."""
        entered = {name: request.form.get(name, "") for name in ("reason", "note")}
        if entered["reason"] not in set(RejectReason):
            return self._page(discrepancy_id, entered=entered, wrong={"reason": "Choose a reason."})

        def move(session: Session) -> str:
            reason = RejectReason(entered["reason"])
            review.reject(
                session, discrepancy_id, reason=reason, note=entered["note"], actor=current_actor(), now=utcnow()
            )
            return f"Rejected: {words.reject_reason_name(reason).lower()}."

        return self._moved(discrepancy_id, move, entered=entered)

    @expose(_ONE + "/undo", methods=("POST",))
    def undo(self, discrepancy_id: int) -> ResponseReturnValue:
        """Take the decision back."""

        def move(session: Session) -> str:
            review.undo(session, discrepancy_id, actor=current_actor(), now=utcnow())
            return "Undone. It is to be decided again."

        return self._moved(discrepancy_id, move)

    @expose(_ONE + "/clear", methods=("POST",))
    def clear(self, discrepancy_id: int) -> ResponseReturnValue:
        """Clear a caveat with a note that says what was checked."""
        code, note = request.form.get("code", ""), request.form.get("note", "")

        def move(session: Session) -> str:
            review.clear_caveat(session, discrepancy_id, code=code, note=note, actor=current_actor(), now=utcnow())
            return f"Checked: {words.caveat_name(code)}."

        return self._moved(discrepancy_id, move, entered={"code": code, "check": note}, wrong_prefix=f"{code}-")

    def _moved(
        self,
        discrepancy_id: int,
        move: Callable[[Session], str],
        *,
        entered: Mapping[str, str] | None = None,
        wrong_prefix: str = "",
    ) -> ResponseReturnValue:
        """Make a move and show the page again; wrong input comes back at its field."""
        try:
            told(move)
        except InvalidInput as error:
            return self._page(discrepancy_id, entered=entered, wrong={wrong_prefix + error.field: str(error)})
        return redirect(self.get_url(".one", discrepancy_id=discrepancy_id), 303)

    def _page(
        self,
        discrepancy_id: int,
        *,
        entered: Mapping[str, str] | None = None,
        wrong: Mapping[str, str] | None = None,
    ) -> ResponseReturnValue:
        now = utcnow()
        with reading() as session:
            found = queries.load_discrepancy(session, discrepancy_id, current_actor())
            next_id = queue.next_id(session, found, current_actor())
            standing = approvals.of(session, found)
        today = deadlines.marketplace_today(found.marketplace, now)
        page = self.render(
            "discrepancy.html",
            d=found,
            today=today,
            shown_on=recovery.shown_on(found, found.account.client.wait_days),
            bar=deadlines.bar(found.event_date, found.opens_on, found.closes_on, today),
            sheets=evidence.sheets(found.evidence, keys=(found.fnsku, found.reference_id, found.msku)),
            unchecked=[caveat for caveat in found.caveats if caveat.cleared_at is None],
            undo_until=review.undo_until(found, now),
            ours=standing.given.get(Approval.AGENCY) if standing.missing else None,
            theirs=standing.given.get(Approval.CLIENT),
            asks_us=Approval.AGENCY in standing.needed,
            asks_client=Approval.CLIENT in standing.needed,
            to_file=next((claim for claim in reversed(found.claims) if claim.closed_reason != "undone"), None),
            seen=what_is_asked(found),
            reasons=[(reason.value, words.reject_reason_name(reason)) for reason in RejectReason],
            next_id=next_id,
            list_url=self.get_url(".index_view") + queue.remembered(),
            entered=entered or {},
            wrong=wrong or {},
        )
        return page, 422 if wrong else 200

    def around(self, _shown: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the filters for the page of a row, and return the choices."""
        queue.remember()
        state = self.active("status") or DiscrepancyStatus.OPEN.value
        return {
            "state": state,
            "title_end": _TITLES.get(state, ""),
            "states": [*words.DISCREPANCY_STATUSES.items(), (EVERY, "All")],
            "types": {code: name for code, (name, _) in words.CLAIM_TYPES.items()},
            "within_days": filters.WITHIN_DAYS,
        }


def what_is_asked(found: Discrepancy) -> str:
    """Return quantity, value and currency as the page sends them back with a press."""
    return f"{found.quantity} {found.value or ''} {found.currency or ''}".strip()


def asked_in_words(found: Discrepancy) -> str:
    """Return units and worth: "3 units, 37.02 USD"."""
    value = f"value {words.NOT_KNOWN}" if found.value is None else words.money(found.value, found.currency)
    return f"{words.units(found.quantity)}, {value}"


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
