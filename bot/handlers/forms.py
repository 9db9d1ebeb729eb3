"""Opening a form: it has three seconds from the press, so only one short query comes before it."""

from bot.cards import standing_claim
from bot.claim_forms import AboutClaim
from bot.client import SlackRefused, SlackTrouble, call, web_client
from bot.form_parts import View
from bot.people import slack_actor
from bot.press import Press
from bot.text import value_words
from claims import filing, queries, words
from claims.access import Permission
from claims.errors import AlreadyDecided
from clock import utcnow
from db import reading
from errors import Moved
from models import Claim, Discrepancy, DiscrepancyStatus

_TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"}


def still_open(press: Press, discrepancy_id: int) -> Discrepancy:
    """Return the discrepancy if this person can decide it now, so that nobody fills in a form in vain.

    The service checks again when the form is sent. Raises NotAllowed, NotFound, AlreadyDecided, Moved.
    """
    with reading() as session:
        actor = slack_actor(session, press)
        actor.require(Permission.REVIEW)
        found = queries.load_discrepancy(session, discrepancy_id, actor)
    if found.decided_at and found.decided_by:
        raise AlreadyDecided(what=found.status.value, by=found.decided_by.label, at=found.decided_at, now=utcnow())
    if found.status is not DiscrepancyStatus.OPEN:
        standing = words.status_name(found.status.value, found.status_reason)
        raise Moved(f"Discrepancy {found.id} cannot be decided: {standing}.")
    return found


def claim_of(press: Press, discrepancy_id: int) -> Claim:
    """Return the claim that a card is about, whole, for a person who works on claims.

    Raises NotAllowed, NotFound, and Moved where there is none (any more).
    """
    with reading() as session:
        actor = slack_actor(session, press)
        actor.require(Permission.WORK_CLAIMS)
        found = queries.load_discrepancy(session, discrepancy_id, actor)
        if (claim := standing_claim(found)) is None:
            raise Moved(f"Discrepancy {found.id} has no claim: {words.status_name(found.status.value)}.")
        return queries.load_claim(session, claim.id, actor)


def about_claim(claim: Claim, discrepancy_id: int, press: Press) -> AboutClaim:
    """Return what a form about a claim keeps: the claim as the person sees it now, and the card that was pressed."""
    today = filing.today_of(claim, utcnow()).isoformat()
    return AboutClaim(
        discrepancy_id, press.channel, press.message_ts, claim_id=claim.id, seen=claim.status.value, today=today
    )


def title_of(found: Discrepancy | Claim) -> str:
    """Return what a form is about, in one line."""
    claim = [f"Claim {found.id}"] if isinstance(found, Claim) else []
    what, whose = words.claim_type_name(found.claim_type), found.account.client.name
    return " · ".join([*claim, what, whose, words.units(found.quantity), value_words(found.value, found.currency)])


def open_form(press: Press, view: View) -> None:
    """Open a form for the person who pressed. Raises SlackTrouble."""
    try:
        call(web_client().views_open, trigger_id=press.trigger_id, view=view)
    except SlackRefused as refused:
        if refused.code not in _TOO_LATE:
            raise
        raise SlackTrouble("It took too long to open the form.", todo="Press again.") from refused
    except SlackTrouble as trouble:
        raise SlackTrouble(f"The form could not be opened. {trouble}", todo="Press again.") from trouble
