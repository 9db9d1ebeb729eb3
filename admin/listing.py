"""Lists: Flask-Admin's list view over the statements of `claims.queries`.

Each page is one statement for one page of rows and a fixed number for what hangs on them. Big tables are never
counted: one row more than a page tells whether there is another, and a count stops at a thousand.
"""

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response, request, stream_with_context
from flask_admin.base import AdminViewMeta
from flask_admin.model import BaseModelView
from flask_admin.model.base import ViewArgs
from flask_admin.model.filters import BaseFilter
from sqlalchemy import Select, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute
from wtforms import Form

from admin.ids import is_id
from admin.staff import StaffView
from claims.spreadsheets import csv_lines
from clock import utcnow
from db import reading
from models import Account, Client

_MOST_COUNTED = 1000
_LAST_PAGE = 2000
_MOST_EXPORTED = 10_000
_LONGEST_SEARCH = 100

Rows = Select[Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which rows of how many a page shows. `total` is None where counting stopped or was not tried."""

    first: int
    last: int
    total: int | None
    has_more: bool

    @property
    def number(self) -> str:
        """How many there are, as a title says it: "12", "more than 1,000"; empty where it was not counted."""
        if self.total is None:
            return ""
        return f"{self.total:,}" if self.total <= _MOST_COUNTED else f"more than {_MOST_COUNTED:,}"


def holding(rows: Rows, columns: Sequence[InstrumentedAttribute[Any]], search: str) -> Rows:
    """Return the rows in which one of the columns holds the text, in any case; all rows for no text."""
    wanted = searchable(search)
    return rows.where(or_(*(column.icontains(wanted, autoescape=True) for column in columns))) if wanted else rows


def searchable(text: str | None) -> str:
    """Return what of a text is searched for; PostgreSQL takes no NUL."""
    return (text or "").replace("\x00", "").strip()[:_LONGEST_SEARCH]


class Narrow(BaseFilter):
    """A filter of a list: a key for the address, a label, what it does to the statement, and which values it takes."""

    def __init__(
        self,
        key: str,
        label: str,
        narrow: Callable[[Rows, str], Rows],
        accepts: Callable[[str], bool] = lambda _value: True,
    ) -> None:
        super().__init__(label)
        self.key = key
        self._narrow = narrow
        self._accepts = accepts

    def validate(self, value: str) -> bool:
        """Whether the value is empty or one that this filter takes."""
        return not value or self._accepts(value)

    def operation(self) -> str:
        """Return the word between label and value."""
        return "is"

    def apply(self, query: Rows, value: str) -> Rows:
        """Return the statement with only what the value lets through."""
        return self._narrow(query, value)


def _of_client(rows: Rows, value: str) -> Rows:
    return rows.where(Client.id == int(value))


def _of_account(rows: Rows, value: str) -> Rows:
    return rows.where(Account.id == int(value))


#: the value of a state's filter that narrows nothing
EVERY = "all"
#: leaves the rows of one client, or account; the statement joins them
CLIENT = Narrow("client", "Client", _of_client, is_id)
ACCOUNT = Narrow("account", "Account", _of_account, is_id)


class _AbstractView(AdminViewMeta, ABCMeta):
    """Flask-Admin's views have a metaclass of their own, which knows no abstract methods."""


class Listing(StaffView, BaseModelView, metaclass=_AbstractView):
    """A list of rows that nobody edits in place."""

    can_create = can_edit = can_delete = False
    simple_list_pager = True
    page_size = 50
    export_max_rows = _MOST_EXPORTED
    #: column of the list -> SQL column that it sorts by
    sort_columns: ClassVar[Mapping[str, SQLColumnExpression[Any]]] = {}
    #: where a search looks
    search_columns: ClassVar[Sequence[InstrumentedAttribute[Any]]] = ()
    #: column of the export, by the name that the command line uses too -> its text; without any there is no export
    exported: ClassVar[Mapping[str, Callable[[Any], str]]] = {}

    @property
    def can_export(self) -> bool:
        """Whether the list has an export."""
        return bool(self.exported)

    @abstractmethod
    def statement(self) -> Rows:
        """Return all rows that exist for the signed-in person."""

    def ordered(self, rows: Rows) -> Rows:
        """Return the rows in the order of the page that nobody sorted."""
        return rows.order_by(self.model.id.desc())

    def get_list(  # noqa: PLR0917 (Flask-Admin's signature)
        self,
        page: int,
        sort_column: str | None,
        sort_desc: bool,  # noqa: FBT001 (Flask-Admin's signature)
        search: str | None,
        filters: Sequence[tuple[int, str, str]] | None,
        page_size: int | None = None,
    ) -> tuple[None, list[Any]]:
        """Return no count and one page of rows; tell the template which rows they are."""
        size = page_size or self.page_size
        page = min(max(page, 0), _LAST_PAGE)
        rows = self._narrowed(search, filters)
        with reading() as session:
            ordered = self._sorted(rows, sort_column, is_descending=sort_desc)
            found = list(session.scalars(ordered.offset(page * size).limit(size + 1)).unique())
            is_whole = page == 0 and len(found) <= size
            total = len(found) if is_whole else None if search else session.scalar(self._capped_count(rows))
        shown = found[:size]
        first = page * size + 1 if shown else 0
        self._template_args["shown"] = Shown(first, page * size + len(shown), total, len(found) > size)
        return None, shown

    def around(self, _shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return what else the list shows. Of what it shows already, `data` are the rows and `search` the text."""
        return {}

    def render(self, template: str, **kwargs: Any) -> str:
        """Draw a page; the list with what it can be narrowed to and what stands around its rows."""
        if template == self.list_template:
            kwargs |= self._whose() | self.around(kwargs)
        return str(super().render(template, **kwargs))

    def get_export_value(self, model: Any, name: str) -> str:
        """Return a cell of the export."""
        return self.exported[name](model)

    def get_export_columns(self) -> list[tuple[str, str]]:
        """Return the columns of the export."""
        return [(name, name) for name in self.exported]

    def get_pk_value(self, model: Any) -> int:
        """Return the row's id."""
        found: int = model.id
        return found

    def get_filter_arg(self, _index: int, flt: Narrow) -> str:
        """Return the filter's key in the address: `flt_status=open`."""
        return flt.key

    def is_valid_filter(self, filter: object) -> bool:  # noqa: A002 (Flask-Admin's signature)
        """Whether Flask-Admin can use it as it is."""
        return isinstance(filter, Narrow)

    def init_search(self) -> bool:
        """Whether the list can be searched."""
        return bool(self.search_columns)

    def scaffold_sortable_columns(self) -> dict[str, str]:
        """Return the columns that can be sorted by."""
        return {name: name for name in self.sort_columns}

    def scaffold_list_columns(self) -> list[str]:
        """Return the columns; each list names its own in `column_list`."""
        return []

    def scaffold_form(self) -> Any:
        """Return an empty form: rows are changed by services."""
        return Form

    def scaffold_list_form(self, *_: Any, **__: Any) -> Any:
        """Return an empty form: nothing is edited in the list."""
        return Form

    def active(self, key: str) -> str:
        """Return the value that a filter has in this request; empty where it is not set, or to none that it takes."""
        given = (value for name, value in request.args.items() if name.startswith("flt") and name.endswith(f"_{key}"))
        takes = [flt.validate for flt in self._filters or () if flt.key == key]
        return next((value for value in given if value and any(accepts(value) for accepts in takes)), "")

    def list_url(self, **changed: str | None) -> str:
        """Return this list's address with some filters changed (None: taken out), from its first page."""
        url: str = self.get_url(".index_view", **self._asked(changed))
        return url

    def export_url(self) -> str:
        """Return the address of the file with the rows of this list, filtered and sorted as shown."""
        url: str = self.get_url(".export", export_type="csv", **self._asked({}))
        return url

    def sort_link(self, column: str) -> str:
        """Return the address of this list sorted by a column; a second press turns the order round."""
        index = [name for name, _ in self._list_columns].index(column)
        is_current = request.args.get("sort", type=int) == index
        turned = "1" if is_current and not request.args.get("desc", type=int) else None
        return self.list_url(sort=str(index), desc=turned)

    def sort_state(self, column: str) -> str | None:
        """Return "ascending" or "descending" where the list is sorted by this column."""
        index = [name for name, _ in self._list_columns].index(column)
        if request.args.get("sort", type=int) != index:
            return None
        return "descending" if request.args.get("desc", type=int) else "ascending"

    def _export_csv(self, _return_url: str) -> Response:
        """Send the rows of this list, filtered and sorted as shown, as a CSV file without formulas."""
        _, rows = self._export_data()
        values = ([self.get_export_value(row, name) for name, _ in self._export_columns] for row in rows)
        lines = csv_lines([title for _, title in self._export_columns], values)
        disposition = f"attachment; filename={self.endpoint}_{utcnow():%Y-%m-%d_%H-%M-%S}.csv"
        return Response(stream_with_context(lines), mimetype="text/csv", headers={"Content-Disposition": disposition})

    def _asked(self, changed: Mapping[str, str | None]) -> dict[str, str]:
        """Return what this request asks of the list, with some of it changed."""
        kept = {f"flt_{flt.key}": self.active(flt.key) for flt in self._filters or ()}
        kept |= {name: request.args.get(name, "") for name in ("search", "sort", "desc")}
        kept |= {name: value or "" for name, value in changed.items()}
        return {name: value for name, value in kept.items() if value}

    def _get_list_extra_args(self) -> ViewArgs:
        """Leave out what the list does not know: Flask-Admin would build it into links, `_scheme=javascript` too."""
        found = super()._get_list_extra_args()
        found.extra_args = {}
        return found

    def _whose(self) -> dict[str, Any]:
        """Return the clients to choose from by id, and the account that the list is narrowed to, where it can be."""
        keys = {flt.key for flt in self._filters or ()}
        found: dict[str, Any] = {}
        with reading() as session:
            if "client" in keys:
                named = session.execute(select(Client.id, Client.name).order_by(Client.name))
                found["clients"] = {str(client_id): name for client_id, name in named}
            if "account" in keys:
                account_id = self.active("account")
                found["account"] = session.get(Account, int(account_id)) if account_id else None
        return found

    def _narrowed(self, search: str | None, filters: Sequence[tuple[int, str, str]] | None) -> Rows:
        rows = self.statement()
        for index, _, value in filters or ():
            rows = self._filters[index].apply(rows, value) if value else rows
        return self.searched(rows, wanted) if (wanted := searchable(search)) else rows

    def searched(self, rows: Rows, wanted: str) -> Rows:
        """Return the rows in which one of the searched columns holds the text."""
        return holding(rows, self.search_columns, wanted)

    def _sorted(self, rows: Rows, column: str | None, *, is_descending: bool) -> Rows:
        by = self.sort_columns.get(column or "")
        if by is None:
            return self.ordered(rows)
        return rows.order_by((by.desc() if is_descending else by.asc()).nulls_last(), self.model.id)

    def _capped_count(self, rows: Rows) -> Rows:
        first = rows.with_only_columns(self.model.id).limit(_MOST_COUNTED + 1).order_by(None)
        return select(func.count()).select_from(first.subquery())
