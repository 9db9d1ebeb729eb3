"""Imports: which reports were read of which account, what was left out or refused, and whose reports are old."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import InstrumentedAttribute

from admin.listing import ACCOUNT, CLIENT, Listing, Rows
from admin.people import current_actor
from claims import imports
from clock import utcnow
from db import reading
from models import Client, Import

_ONE = "/<id:import_id>/"
_STALE_SHOWN = 10


class ImportView(Listing):
    """Imports, the latest first; nobody changes them."""

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
    column_filters = (CLIENT, ACCOUNT)

    def statement(self) -> Rows:
        """Return the imports that exist for this person."""
        return imports.import_list(current_actor())

    def ordered(self, rows: Rows) -> Rows:
        """Return the latest first."""
        return rows.order_by(Import.started_at.desc(), Import.id.desc())

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

    def around(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return what each import added, and whose reports are old."""
        import_ids = [row.id for row in shown["data"]]
        with reading() as session:
            stale = imports.stale_accounts(session, current_actor(), utcnow(), most=_STALE_SHOWN + 1)
            counts = imports.counts(session, import_ids)
        return {
            "stale": stale[:_STALE_SHOWN],
            "has_more_stale": len(stale) > _STALE_SHOWN,
            "stale_days": imports.STALE_AFTER.days,
            "added": {row_id: counts.get(row_id, imports.Counts()) for row_id in import_ids},
        }
