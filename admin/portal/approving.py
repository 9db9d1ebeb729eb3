"""Where the client approves: what waits for them, and the page on which they say yes or no."""

from collections.abc import Callable, Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin import deadlines, evidence, queue
from admin.discrepancies import asked_in_words, what_is_asked
from admin.people import current_actor
from admin.portal.paging import page_of
from admin.staff import told
from claims import approvals, portal, review
from clock import utcnow
from db import reading
from errors import InvalidInput, Moved
from models import Approval, Discrepancy, DiscrepancyStatus, RejectReason

_ONE = "/approve/<id:discrepancy_id>/"
# Why a client says no, in the client's own words.
REASONS = {
    RejectReason.NOT_OURS: "These units are not ours",
    RejectReason.FOUND: "The units turned up",
    RejectReason.ALREADY_CLAIMED: "We have claimed it ourselves",
    RejectReason.ALREADY_PAID: "Amazon has paid already",
    RejectReason.WRONG_QUANTITY: "The quantity is wrong",
    RejectReason.TOO_SMALL: "Too small to pursue",
    RejectReason.OTHER: "Another reason (say which)",
}


def register(pages: Blueprint) -> None:
    """Add the pages."""
    pages.add_url_rule("/approve/", "approving", everything)
    pages.add_url_rule(_ONE, "approving_one", one)
    pages.add_url_rule(_ONE + "yes", "approving_yes", approve, methods=["POST"])
    pages.add_url_rule(_ONE + "no", "approving_no", reject, methods=["POST"])
    pages.add_url_rule(_ONE + "undo", "approving_undo", undo, methods=["POST"])


def everything() -> str:
    """List what waits for the client, the nearest deadline first."""
    with reading() as session:
        page = page_of(session, portal.to_approve(current_actor()).order_by(*queue.ORDER))
    return render_template("portal/approving.html", page=page, seen=what_is_asked)


def one(discrepancy_id: int) -> ResponseReturnValue:
    """Show what is to be approved, and what it rests on."""
    return _page(discrepancy_id)


def approve(discrepancy_id: int) -> ResponseReturnValue:
    """Approve what the person saw, and nothing else."""
    seen = request.form.get("seen", "")

    def move(session: Session) -> str:
        claim = review.approve(session, discrepancy_id, actor=current_actor(), now=utcnow())
        found = session.get_one(Discrepancy, discrepancy_id)
        if seen != what_is_asked(found):
            raise Moved(f"Not approved: it changed meanwhile, to {asked_in_words(found)}.", todo="Look at it again.")
        follows = "Your agency files the claim." if claim else "Your agency looks at it too, then files the claim."
        return f"Approved: {asked_in_words(found)}. {follows}"

    return _moved(discrepancy_id, move)


def reject(discrepancy_id: int) -> ResponseReturnValue:
    """Say that nothing is to be claimed, and why."""
    entered = {name: request.form.get(name, "") for name in ("reason", "note")}
    if entered["reason"] not in {reason.value for reason in REASONS}:
        return _page(discrepancy_id, entered=entered, wrong={"reason": "Choose a reason."})

    def move(session: Session) -> str:
        reason = RejectReason(entered["reason"])
        review.reject(session, discrepancy_id, reason=reason, note=entered["note"], actor=current_actor(), now=utcnow())
        return "Noted: nothing is claimed for it."

    return _moved(discrepancy_id, move, entered=entered)


def undo(discrepancy_id: int) -> ResponseReturnValue:
    """Take the answer back."""

    def move(session: Session) -> str:
        review.undo(session, discrepancy_id, actor=current_actor(), now=utcnow())
        return "Taken back. It waits for you again."

    return _moved(discrepancy_id, move)


def _moved(
    discrepancy_id: int, move: Callable[[Session], str], *, entered: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    with reading() as session:
        portal.load_to_approve(session, discrepancy_id, current_actor())
    try:
        told(move)
    except InvalidInput as error:
        return _page(discrepancy_id, entered=entered, wrong={error.field: str(error)})
    return redirect(url_for("portal.approving_one", discrepancy_id=discrepancy_id), 303)


def _page(
    discrepancy_id: int, *, entered: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    actor, now = current_actor(), utcnow()
    with reading() as session:
        found = portal.load_to_approve(session, discrepancy_id, actor)
        standing = approvals.of(session, found)
    today = deadlines.marketplace_today(found.marketplace, now)
    own = standing.given.get(Approval.CLIENT)
    is_open = found.status is DiscrepancyStatus.OPEN
    is_theirs = found.decided_by is not None and found.decided_by.client_id == actor.client_id
    page = render_template(
        "portal/approve.html",
        d=found,
        today=today,
        sheets=evidence.sheets(found.evidence, keys=(found.fnsku, found.reference_id, found.msku)),
        is_open=is_open,
        own=own,
        is_unchecked=any(caveat.cleared_at is None for caveat in found.caveats),
        is_theirs=is_theirs,
        undo_until=review.undo_until(found, now) if is_theirs else None,
        claim=next((claim for claim in reversed(found.claims) if claim.closed_reason != "undone"), None),
        seen=what_is_asked(found),
        reasons=[(reason.value, name) for reason, name in REASONS.items()],
        entered=entered or {},
        wrong=wrong or {},
    )
    return page, 422 if wrong else 200
