"""The navigation at the left: every page of the back office once, by task, for the roles that may open it."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import url_for
from flask_admin import Admin, BaseView

# The pages in the order of the day, by their endpoints: the work, whom it is done for, the money, the office itself.
GROUPS = (
    ("admin", "discrepancies", "claims", "requests", "payments"),
    ("accounts", "imports", "clients"),
    ("invoices",),
    ("messages", "users", "settings"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """An entry: where it leads, whether it is the page that is open, and whether a new group begins with it."""

    name: str
    url: str
    is_here: bool
    is_apart: bool


def places(pages: Admin, here: BaseView | None) -> list[Place]:
    """Return the entries for whoever is signed in; `here` is the view of the page that is open.

    A view that stands in no group comes last, so that no page is lost.
    """
    views = {view.endpoint: view for view in pages._views}
    named = {endpoint for group in GROUPS for endpoint in group}
    groups: list[Iterable[str]] = [*GROUPS, [endpoint for endpoint in views if endpoint not in named]]
    found: list[Place] = []
    for group in groups:
        opened = [views[endpoint] for endpoint in group if endpoint in views and views[endpoint].is_accessible()]
        found += [
            Place(
                view.name,
                url_for(f"{view.endpoint}.{view._default_view}"),
                is_here=view is here,
                is_apart=bool(found) and number == 0,
            )
            for number, view in enumerate(opened)
        ]
    return found
