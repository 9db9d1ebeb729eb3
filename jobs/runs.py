"""Due work as rows: making them, finding what is due and not running, and how a run moves.

The row is the truth. A run whose worker was killed stays `running` under a lease that runs out, and so is due again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from claims.leases import account_lease, held_now
from errors import RecoupError
from jobs.schedule import AFTER_IMPORT
from models import Account, Run, RunState

MAX_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(minutes=1)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that a worker should be asked for. `attempts` are those begun so far."""

    run_id: int
    attempts: int


def after_import(session: Session, account_id: int, import_id: int, now: datetime) -> None:
    """Make the detection due that follows an import, in the import's own transaction."""
    session.add(Run(kind=AFTER_IMPORT, account_id=account_id, slot=f"import-{import_id}", due_at=now))


def make_due(session: Session, kind: str, account_id: int, slot: str, due_at: datetime) -> None:
    """Make a run due, unless this slot has one: the row is unique, so a second cron changes nothing."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(Run).values(kind=kind, account_id=account_id, slot=slot, due_at=due_at)
    session.execute(row.on_conflict_do_nothing(index_elements=["kind", "account_id", "slot"]))


def due(session: Session, now: datetime) -> list[DueRun]:
    """Return what is due and not running, oldest first, but nothing of an account that is being worked on."""
    rows = session.scalars(select(Run).where(_is_due(now)).order_by(Run.due_at, Run.id)).all()
    leases = {row.id: account_lease(row.account_id) for row in rows if row.account_id is not None}
    busy = held_now(session, set(leases.values()))
    return [DueRun(row.id, row.attempts) for row in rows if leases.get(row.id) not in busy]


def newest(session: Session, count: int, state: RunState | None = None) -> Sequence[Run]:
    """Return the last runs that came due, each with its account and client, the newest first."""
    found = select(Run).options(selectinload(Run.account).selectinload(Account.client), selectinload(Run.client))
    if state is not None:
        found = found.where(Run.state == state)
    return session.scalars(found.order_by(Run.due_at.desc(), Run.id.desc()).limit(count)).all()


def begin_all(session: Session, account_id: int, now: datetime) -> list[int]:
    """Mark all that is due for the account as running and return its ids. The caller holds the account's lease.

    What was begun too often and never ended is given up: it ends its worker each time.
    """
    begun = []
    for run in _due_for(session, account_id, now):
        if run.attempts >= MAX_ATTEMPTS:
            run.state, run.finished_at = RunState.FAILED, now
            run.error = run.error or f"Begun {run.attempts} times; each time the worker ended before it was done."
            _log.error("run_given_up", run_id=run.id, attempts=run.attempts)
            continue
        run.state, run.started_at, run.attempts = RunState.RUNNING, now, run.attempts + 1
        begun.append(run.id)
    return begun


def finish(session: Session, run_ids: Sequence[int], now: datetime) -> None:
    """Mark these runs done, in the transaction that writes what they came to."""
    for run in _rows(session, run_ids):
        run.state, run.finished_at, run.error = RunState.DONE, now, None


def finish_due(session: Session, account_id: int, now: datetime) -> None:
    """Mark all that is due for the account done: somebody did it by hand, under the account's lease."""
    finish(session, [run.id for run in _due_for(session, account_id, now)], now)


def put_off(session: Session, run_ids: Sequence[int], error: Exception, now: datetime) -> None:
    """Note why these runs failed; they are due again after a pause that doubles, until they were tried often enough."""
    for run in _rows(session, run_ids):
        run.error = str(error) if isinstance(error, RecoupError) else f"{type(error).__name__}: see the log."
        if run.attempts >= MAX_ATTEMPTS:
            run.state, run.finished_at = RunState.FAILED, now
        else:
            run.state, run.due_at = RunState.DUE, now + _FIRST_PAUSE * 2 ** (run.attempts - 1)


def _due_for(session: Session, account_id: int, now: datetime) -> Sequence[Run]:
    statement = select(Run).where(Run.account_id == account_id, _is_due(now)).order_by(Run.id).with_for_update()
    return session.scalars(statement).all()


def _rows(session: Session, run_ids: Sequence[int]) -> Sequence[Run]:
    return session.scalars(select(Run).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(Run.state.in_((RunState.DUE, RunState.RUNNING)), Run.due_at <= now)
