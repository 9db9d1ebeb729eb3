"""The daily work on an account: read its archive, run the rules, write what they say and what was paid."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import structlog
from sqlalchemy.orm import Session

from amazon import archive
from claims import evidence, findings, payments
from clock import utcnow
from db import Lease, reading, transaction
from detection import engine, policy
from detection.findings import Outcome
from detection.marketplaces import Marketplace, marketplaces
from detection.rows import KEEP
from errors import NotFound
from models import Account

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Detected:
    """What one detection came to."""

    outcome: Outcome
    recorded: findings.Recorded
    paid: payments.Paid


def detect_account(
    account_id: int,
    *,
    lease: Lease,
    as_of: date | None = None,
    and_then: Callable[[Session], None] | None = None,
) -> Detected:
    """Find this account's discrepancies as of a day, today's in its marketplace if none is given, and write them.

    With them goes what the reports say was paid for its claims. Can be repeated: discrepancies are kept by fingerprint,
    payments by line. The slow part holds no transaction; what it found is written in one, with what `and_then` adds to
    it. Raises NotFound, and LeaseLost where another process has taken over: then nothing
    is written.
    """
    with reading() as session:
        marketplace = _marketplace(session, account_id)
    given, day = archive.read_input(account_id, keep=KEEP), as_of or today_in(marketplace)
    with reading() as session:
        books = payments.load_books(session, account_id)
    report = payments.read_report(given, books, as_of=day)
    outcome = engine.run(
        given,
        marketplace=marketplace,
        policy=policy.load(marketplace.policy),
        as_of=day,
        paid_for=payments.known_before(books, report),
    )
    hints = payments.hints_of(outcome, report, marketplace.code)
    paid = payments.units_paid(books, report, hints)
    with reading() as session:
        wanted = evidence.missing_lines(session, account_id, outcome)
    lines = archive.line_texts(account_id, wanted)
    with transaction(lease) as session:
        now = utcnow()
        recorded = findings.record_findings(session, account_id, outcome, lines=lines, paid=paid, now=now)
        booked = payments.record(session, account_id, report, hints, now=now)
        if and_then:
            and_then(session)
    _log.info("account_detected", as_of=outcome.as_of.isoformat(), findings=len(outcome.findings))
    return Detected(outcome, recorded, booked)


def today_in(marketplace: Marketplace) -> date:
    """Return the day it is in the marketplace."""
    return marketplace.day_of(utcnow())


def _marketplace(session: Session, account_id: int) -> Marketplace:
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.", todo="See `flask accounts list`.")
    return marketplaces()[account.marketplace]
