"""The client's claims: the list, and one claim with its story."""

from flask import Blueprint, render_template, request
from sqlalchemy import or_

from admin import deadlines, evidence
from admin.people import current_actor
from admin.portal.paging import page_of
from claims import portal, queries, requests
from clock import utcnow
from db import reading
from models import Claim, ClaimStatus, Discrepancy

STATE_NAMES = {
    "under_way": "Under way",
    "recovered": "Recovered",
    "refused": "Refused",
    "reversed": "Taken back",
    "closed": "Closed",
}
_SEARCHED = (Discrepancy.title, Discrepancy.fnsku, Discrepancy.msku, Discrepancy.asin, Discrepancy.reference_id)


def register(pages: Blueprint) -> None:
    """Add the pages."""
    pages.add_url_rule("/claims/", "claims", claims)
    pages.add_url_rule("/claims/<id:claim_id>/", "claims_one", one)


def claims() -> str:
    """List the claims, the latest first."""
    asked = request.args.get("state", "")
    state = asked if asked in portal.STATES else None
    search = request.args.get("search", "").replace("\x00", "").strip()[:100]
    rows = portal.claims_in(current_actor(), state)
    if search:
        about = or_(*(column.icontains(search, autoescape=True) for column in _SEARCHED))
        rows = rows.where(Claim.discrepancies.any(about) | Claim.case_id.icontains(search, autoescape=True))
    with reading() as session:
        page = page_of(session, rows.order_by(Claim.id.desc()))
    return render_template("portal/claims.html", page=page, state=state or "", states=STATE_NAMES, search=search)


def one(claim_id: int) -> str:
    """Show one claim: what was lost, where it stands, what it rests on and what happened."""
    actor, now = current_actor(), utcnow()
    with reading() as session:
        found = queries.load_claim(session, claim_id, actor)
        story = portal.story(session, found, actor)
        asked = requests.of_claim(session, claim_id, actor)
    lines = [line for each in found.discrepancies for line in each.evidence]
    keys = [key for each in found.discrepancies for key in (each.fnsku, each.reference_id, each.msku)]
    return render_template(
        "portal/claim.html",
        c=found,
        story=story,
        asked=asked,
        sheets=evidence.sheets(lines, keys=keys),
        today=deadlines.marketplace_today(found.account.marketplace, now),
        is_to_file=found.status is ClaimStatus.TO_SUBMIT,
    )
