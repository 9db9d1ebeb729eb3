"""What every staff page has in common: who may open it, and how it answers those who may not."""

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView
from flask_login import current_user
from sqlalchemy.orm import Session

from admin.people import STAFF, current_role
from db import transaction
from errors import InvalidInput, RecoupError
from models import Role

ADMINS = frozenset({Role.ADMIN})


class StaffView(BaseView):
    """A page of the back office. The services check the right again: this only keeps people from dead ends."""

    roles: frozenset[Role] = STAFF

    def is_accessible(self) -> bool:
        """Whether the signed-in person's role opens this page."""
        return current_role() in self.roles

    def inaccessible_callback(self, _name: str, **_kwargs: Any) -> ResponseReturnValue:
        """Lead a visitor to the sign-in and back; tell a person without the role so."""
        if current_user.is_authenticated:
            abort(403)
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("sign_in", next=target))

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run the view once. Flask-Admin's own runs it again where it raises a TypeError, and so hides the bug."""
        return fn(self, *args, **kwargs)


def told(move: Callable[[Session], str]) -> None:
    """Make a move in one transaction and flash what it says, or what stood in its way.

    Raises InvalidInput, which belongs to a field of the form.
    """
    try:
        with transaction() as session:
            said = move(session)
    except InvalidInput:
        raise
    except RecoupError as error:
        flash(str(error), "error")
    else:
        flash(said, "success")
