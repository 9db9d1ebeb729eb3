"""The loop that makes due work of the cron table and rings for what is due and not running.

Two of them are harmless: a slot is one unique row, and a job that is queued already is not queued again.
"""

import threading
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy import select

import outbox
from clock import real_now, utcnow
from db import reading, transaction
from detection.marketplaces import marketplaces
from errors import RecoupError
from jobs import queue, redis_server, runs
from jobs.accounts import active_accounts
from jobs.schedule import CRON_TABLE, RING_SECONDS, EachDay, due_at, latest_slot
from models import Account, Run

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
    """Make the latest slot of each table entry due for each active account, where it is not; return how many were.

    Slots that passed while nothing ran are left out: a run reads everything there is up to its day.
    """
    missing = _missing_slots(now)
    if missing:
        with transaction() as session:
            for slot in missing:
                runs.make_due(session, slot.kind, slot.account_id, slot.day.isoformat(), slot.due_at)
        _log.info("slots_made", count=len(missing))
    return len(missing)


@dataclass(frozen=True, slots=True)
class _Slot:
    kind: str
    account_id: int
    day: date
    due_at: datetime


def _missing_slots(now: datetime) -> list[_Slot]:
    with reading() as session:
        wanted = [_latest(entry, account, now) for account in active_accounts(session) for entry in CRON_TABLE]
        days = {slot.day.isoformat() for slot in wanted}
        statement = select(Run.kind, Run.account_id, Run.slot).where(Run.slot.in_(days))
        there = {tuple(row) for row in session.execute(statement)}
    return [slot for slot in wanted if (slot.kind, slot.account_id, slot.day.isoformat()) not in there]


def _latest(entry: EachDay, account: Account, now: datetime) -> _Slot:
    zone = marketplaces()[account.marketplace].zone
    day = latest_slot(entry, now, zone)
    return _Slot(entry.kind, account.id, day, due_at(entry, day, zone))
