"""Imports: which reports were read of which account, what was left out or refused, and whose reports are old."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from admin.discrepancy_filters import of_account, of_client
from admin.ids import is_id
from admin.listing import Listing, Narrow, Rows
from admin.people import current_actor
from claims import imports
from clock import utcnow
from db import reading
from models import Account, Client, Import

_ONE = "/<id:import_id>/"
_STALE_SHOWN = 10


class ImportView(Listing):
    """Imports, the latest first; nobody changes them."""

    can_export = False
    list_template = "imports.html"
    column_list = ("started_at", "account", "files", "rows", "rejected", "problems")
    column_labels: ClassVar[Mapping[str, str]] = {
        "started_at": "Read",
        "account": "Client",
        "files": "Files",
        "rows": "Rows",
        "rejected": "Left out",
        "problems": "To look at",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "started_at": Import.started_at,
        "account": Client.name,
    }
    column_filters = (
        Narrow("client", "Client", of_client, is_id),
        Narrow("account", "Account", of_account, is_id),
    )

    def statement(self) -> Rows:
        """Return the imports that exist for this person."""
        return imports.import_list(current_actor())

    def ordered(self, rows: Rows) -> Rows:
        """Return the latest first."""
        return rows.order_by(Import.started_at.desc(), Import.id.desc())

    def render(self, template: str, **kwargs: Any) -> str:
        """Draw the list with its choices, what each import added, and whose reports are old."""
        if template == self.list_template:
            kwargs |= self._about([row.id for row in kwargs["data"]])
        return str(super().render(template, **kwargs))

    @expose(_ONE)
    def one(self, import_id: int) -> ResponseReturnValue:
        """Show what became of each file of an import."""
        with reading() as session:
            found, files = imports.load_import(session, import_id, current_actor())
        return self.render(
            "import.html",
            found=found,
            files=files,
            there_before=imports.there_before(found, files),
            refused=imports.problems(found, "refused"),
            warnings=imports.problems(found, "warnings"),
        )

    def _about(self, import_ids: list[int]) -> dict[str, Any]:
        with reading() as session:
            clients = session.execute(select(Client.id, Client.name).order_by(Client.name)).all()
            account = session.get(Account, int(self.active("account"))) if is_id(self.active("account")) else None
            stale = imports.stale_accounts(session, current_actor(), utcnow(), most=_STALE_SHOWN + 1)
            counts = imports.counts(session, import_ids)
        return {
            "clients": {str(client_id): name for client_id, name in clients},
            "account_name": account.name if account else "",
            "stale": stale[:_STALE_SHOWN],
            "has_more_stale": len(stale) > _STALE_SHOWN,
            "stale_days": imports.STALE_AFTER.days,
            "added": {row_id: counts.get(row_id, imports.Counts()) for row_id in import_ids},
        }
