"""The claim ledger: what was approved, and where each claim stands."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from admin.claim_page import ClaimPage
from admin.discrepancy_filters import EVERY, is_number, of_account, of_client
from admin.listing import Listing, Narrow, Rows
from admin.people import current_actor
from claims import queries, words
from db import reading
from models import Account, Claim, ClaimStatus, Client, Discrepancy


def _in_state(rows: Rows, value: str) -> Rows:
    return rows if value == EVERY else rows.where(Claim.status == ClaimStatus(value))


class ClaimView(ClaimPage, Listing):
    """Claims, the latest first; a claim moves through the services alone."""

    list_template = "claims.html"
    column_list = ("id", "claim_type", "account", "closes_on", "quantity", "value", "status")
    column_labels: ClassVar[Mapping[str, str]] = {
        "id": "Claim",
        "claim_type": "What was lost",
        "account": "Client",
        "closes_on": "File by",
        "quantity": "Units",
        "value": "Asked for",
        "status": "State",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "id": Claim.id,
        "claim_type": Claim.claim_type,
        "account": Client.name,
        "closes_on": Claim.closes_on,
        "quantity": Claim.quantity,
        "value": Claim.value,
        "status": Claim.status,
    }
    search_columns = (Claim.case_id,)
    column_filters = (
        Narrow("status", "State", _in_state, {*(status.value for status in ClaimStatus), EVERY}.__contains__),
        Narrow("client", "Client", of_client, is_number),
        Narrow("account", "Account", of_account, is_number),
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

    def render(self, template: str, **kwargs: Any) -> str:
        """Draw the list with its choices."""
        if template == self.list_template:
            kwargs |= self._choices()
        return str(super().render(template, **kwargs))

    def get_export_value(self, model: Claim, name: str) -> str:
        """Return a cell of the export."""
        return EXPORTED[name](model)

    def get_export_columns(self) -> list[tuple[str, str]]:
        """Return the columns of the export: the names that the command line uses too."""
        return [(name, name) for name in EXPORTED]

    def _choices(self) -> dict[str, Any]:
        with reading() as session:
            clients = session.execute(select(Client.id, Client.name).order_by(Client.name)).all()
            account = session.get(Account, int(self.active("account"))) if is_number(self.active("account")) else None
        state = self.active("status") or EVERY
        return {
            "state": state,
            "title_end": "" if state == EVERY else words.claim_status_name(state).lower(),
            "states": [(EVERY, "All"), *((status.value, words.claim_status_name(status)) for status in ClaimStatus)],
            "clients": {str(client_id): name for client_id, name in clients},
            "account_name": account.name if account else "",
        }


EXPORTED: Mapping[str, Callable[[Claim], str]] = {
    "id": lambda c: str(c.id),
    "discrepancy_ids": lambda c: " ".join(str(each.id) for each in c.discrepancies),
    "client": lambda c: c.account.client.name,
    "account": lambda c: c.account.name,
    "claim_type": lambda c: c.claim_type,
    "status": lambda c: c.status.value,
    "closed_reason": lambda c: c.closed_reason or "",
    "case_id": lambda c: c.case_id or "",
    "closes_on": lambda c: c.closes_on.isoformat(),
    "quantity": lambda c: str(c.quantity),
    "value": lambda c: "" if c.value is None else f"{c.value:f}",
    "recovered": lambda c: f"{c.recovered:f}",
    "currency": lambda c: c.currency or "",
}
