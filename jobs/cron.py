"""The loop that makes due work of the cron table and rings for what is due and not running.

Two of them are harmless: a slot is one unique row, and a job that is queued already is not queued again.
"""

import threading
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog
from redis.exceptions import RedisError
from sqlalchemy import select

import outbox
from billing import weekly
from billing.moves import finalize_due, past_query
from billing.week import Week
from claims import clients
from claims.access import system_actor
from clock import real_now, utcnow
from db import reading, transaction
from detection.marketplaces import marketplaces
from errors import RecoupError
from jobs import queue, redis_server, runs
from jobs.accounts import active_accounts
from jobs.schedule import (
    CRON_TABLE,
    EACH_MONDAY,
    RING_SECONDS,
    EachDay,
    due_at,
    latest_slot,
    latest_week,
    week_due_at,
)
from models import Account, Client, Run

_log = structlog.get_logger()


def run(stop: threading.Event, *, every_seconds: float = RING_SECONDS) -> None:
    """Turn until `stop` is set. A turn that fails is logged, and the next one makes up for it."""
    _log.info("cron_ready")
    swept_on: date | None = None
    while True:
        try:
            turn()
            if swept_on != (today := real_now().date()):
                queue.ring_sweep(queue.connection(redis_server.url()), today)
                swept_on = today
        except (RecoupError, RedisError) as error:
            _log.error("cron_turn_failed", error=str(error))
        if stop.wait(every_seconds):
            return


def turn() -> None:
    """Make due what the clock says, and ring for all that is due and not running."""
    now = utcnow()
    make_slots(now)
    make_staff_digest(now)
    make_invoices_final(now)
    with reading() as session:
        due = runs.due(session, now)
        has_messages = outbox.has_due(session, now)
    if not due and not has_messages:
        return
    redis = queue.connection(redis_server.url())
    rung = sum(queue.ring_run(redis, run.run_id, run.attempts) for run in due)
    if has_messages:
        queue.ring_delivery(redis)
    _log.info("rung", due=len(due), newly_queued=rung, messages=has_messages)


def make_slots(now: datetime) -> int:
    """Make the latest slot due for each active account, and for each client who is reported to; return how many were.

    Slots that passed while nothing ran are left out: a run reads everything there is up to its day, and a bill takes
    all that was not billed. The staff's digest of a week is a message, and so its own slot.
    """
    missing = [*_missing_slots(now), *_missing_weeks(now)]
    if missing:
        with transaction() as session:
            for slot in missing:
                make = runs.make_due_for_client if slot.is_of_client else runs.make_due
                make(session, slot.kind, slot.owner_id, slot.day.isoformat(), slot.due_at)
        _log.info("slots_made", count=len(missing))
    return len(missing)


def make_staff_digest(now: datetime) -> bool:
    """Queue the staff's digest of the last week once it is due by the agency's wall clock; return whether it is new.

    It waits for the clients' runs of that week that are due by now, so that it counts their invoices. Nothing is
    queued for a week in which there was no client yet.
    """
    with reading() as session:
        zone = ZoneInfo(clients.agency(session).time_zone)
        week = Week(latest_week(EACH_MONDAY, now, zone), zone)
        is_wanted = not weekly.has_staff_digest(session, week) and session.scalar(weekly.reported(week).limit(1))
        is_early = bool(is_wanted) and runs.is_unfinished(session, EACH_MONDAY.kind, week.monday.isoformat())
    if not is_wanted or is_early:
        return False
    with transaction() as session:
        return weekly.queue_staff_digest(session, week, now)


def make_invoices_final(now: datetime) -> int:
    """Make the invoices final whose days to query are over; return how many."""
    with reading() as session:
        if not past_query(session, now):
            return 0
    with transaction() as session:
        made = finalize_due(session, actor=system_actor(), now=now)
    _log.info("invoices_final", count=len(made))
    return len(made)


@dataclass(frozen=True, slots=True)
class _Slot:
    kind: str
    owner_id: int
    day: date
    due_at: datetime
    is_of_client: bool = False


def _missing_slots(now: datetime) -> list[_Slot]:
    with reading() as session:
        wanted = [_latest(entry, account, now) for account in active_accounts(session) for entry in CRON_TABLE]
        days = {slot.day.isoformat() for slot in wanted}
        statement = select(Run.kind, Run.account_id, Run.slot).where(Run.slot.in_(days))
        there = {tuple(row) for row in session.execute(statement)}
    return [slot for slot in wanted if (slot.kind, slot.owner_id, slot.day.isoformat()) not in there]


def _missing_weeks(now: datetime) -> list[_Slot]:
    """Return the week's slot of each client who is told of it; whose zone is ahead of another's has it earlier."""
    with reading() as session:
        zones = session.scalars(select(Client.time_zone).distinct()).all()
        weeks = [Week(latest_week(EACH_MONDAY, now, ZoneInfo(name)), ZoneInfo(name)) for name in zones]
        wanted = [
            _Slot(
                EACH_MONDAY.kind,
                client.id,
                week.monday,
                week_due_at(EACH_MONDAY, week.monday, week.zone),
                is_of_client=True,
            )
            for week in weeks
            for client in session.scalars(weekly.reported(week).where(Client.time_zone == week.zone.key))
        ]
        days = {slot.day.isoformat() for slot in wanted}
        statement = select(Run.client_id, Run.slot).where(Run.kind == EACH_MONDAY.kind, Run.slot.in_(days))
        there = {tuple(row) for row in session.execute(statement)}
    return [slot for slot in wanted if (slot.owner_id, slot.day.isoformat()) not in there]


def _latest(entry: EachDay, account: Account, now: datetime) -> _Slot:
    zone = marketplaces()[account.marketplace].zone
    day = latest_slot(entry, now, zone)
    return _Slot(entry.kind, account.id, day, due_at(entry, day, zone))
