"""Payments that a person has to match: which claim each was for, or that it was for none of ours."""

from collections.abc import Callable

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import Session

from admin.ids import id_from_form
from admin.people import current_actor
from admin.staff import StaffView, told
from claims import booking, by_hand
from clock import utcnow
from db import reading

_LINE = "/<id:line_id>/"


class PaymentsView(StaffView):
    """The lines that wait, with a button for each claim they may be for. The services decide what may follow."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """List what waits, and apart from it what waits for no person."""
        with reading() as session:
            lines = by_hand.waiting_lines(session, current_actor())
        page = self.render(
            "payments_to_match.html",
            to_match=[each for each in lines if not each.waits_for_its_payment],
            early=[each for each in lines if each.waits_for_its_payment],
            paid=lambda row: booking.what_is_paid(booking.line_of(row).said),
        )
        return str(page)

    @expose(f"{_LINE}match", methods=("POST",))
    def match(self, line_id: int) -> ResponseReturnValue:
        """Give a line to one of the claims."""
        claim_id = id_from_form("claim_id")

        def move(session: Session) -> str:
            made = by_hand.match(session, claim_id, reimbursement=line_id, actor=current_actor(), now=utcnow())
            return f"Claim {claim_id}: {'; '.join(map(booking.what_is_paid, made))}."

        return self._made(move)

    @expose(f"{_LINE}not-ours", methods=("POST",))
    def not_ours(self, line_id: int) -> ResponseReturnValue:
        """Take a line off the list: it was for no claim of ours."""

        def move(session: Session) -> str:
            row = by_hand.not_ours(session, line_id, actor=current_actor(), now=utcnow())
            return f"Reimbursement {row.reimbursement_id} is not ours."

        return self._made(move)

    def _made(self, move: Callable[[Session], str]) -> ResponseReturnValue:
        told(move)
        return redirect(self.get_url(".index"), 303)
