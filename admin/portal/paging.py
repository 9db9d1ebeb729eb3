"""A page of a list in the portal: one statement for its rows, and one row more to know whether there are others."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select
from sqlalchemy.orm import Session

SIZE = 25
_LAST = 2000
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """The rows of one page; `number` counts from 0."""

    rows: list[_Row]
    number: int
    has_more: bool

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows there are."""
        return not self.number and not self.has_more


def page_of(session: Session, rows: Select[Any]) -> Page[Any]:
    """Return the page of an ordered list that the address asks for."""
    number = min(max(request.args.get("page", 0, type=int), 0), _LAST)
    found = list(session.scalars(rows.offset(number * SIZE).limit(SIZE + 1)).unique())
    return Page(found[:SIZE], number, len(found) > SIZE)
