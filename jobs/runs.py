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

from claims.leases import account_lease, client_lease, held_now
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
    """Make a run of an account due, unless this slot has one: the row is unique, so a second cron changes nothing."""
    _make_due(session, "account_id", account_id, kind=kind, slot=slot, due_at=due_at)


def make_due_for_client(session: Session, kind: str, client_id: int, slot: str, due_at: datetime) -> None:
    """Make a run for a client due, unless this slot has one."""
    _make_due(session, "client_id", client_id, kind=kind, slot=slot, due_at=due_at)


def due(session: Session, now: datetime) -> list[DueRun]:
    """Return what is due and not running, oldest first, but nothing of an account or client that is worked on."""
    rows = session.scalars(select(Run).where(_is_due(now)).order_by(Run.due_at, Run.id)).all()
    leases = {row.id: lease_of(row) for row in rows}
    busy = held_now(session, set(leases.values()))
    return [DueRun(row.id, row.attempts) for row in rows if leases[row.id] not in busy]


def is_unfinished(session: Session, kind: str, slot: str) -> bool:
    """Whether some run of this kind and slot is due, running or waiting for its next try: each ends, done or failed."""
    states = (RunState.DUE, RunState.RUNNING)
    its_own = select(Run.id).where(Run.kind == kind, Run.slot == slot, Run.state.in_(states))
    return session.scalar(its_own.limit(1)) is not None


def lease_of(run: Run) -> str:
    """Return the lease under which the run is done: that of its account, else of its client."""
    return account_lease(run.account_id) if run.account_id is not None else client_lease(run.client_id or 0)


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
    return [run.id for run in _begin(_due_where(session, Run.account_id == account_id, now), now)]


def begin_all_for_client(session: Session, client_id: int, now: datetime) -> list[Run]:
    """Mark all that is due for the client as running and return it, oldest first. The caller holds its lease."""
    return _begin(_due_where(session, Run.client_id == client_id, now), now)


def _begin(due_runs: Sequence[Run], now: datetime) -> list[Run]:
    begun = []
    for run in due_runs:
        if run.attempts >= MAX_ATTEMPTS:
            run.state, run.finished_at = RunState.FAILED, now
            run.error = run.error or f"Begun {run.attempts} times; each time the worker ended before it was done."
            _log.error("run_given_up", run_id=run.id, attempts=run.attempts)
            continue
        run.state, run.started_at, run.attempts = RunState.RUNNING, now, run.attempts + 1
        begun.append(run)
    return begun


def finish(session: Session, run_ids: Sequence[int], now: datetime) -> None:
    """Mark these runs done, in the transaction that writes what they came to."""
    for run in _rows(session, run_ids):
        run.state, run.finished_at, run.error = RunState.DONE, now, None


def finish_due(session: Session, account_id: int, now: datetime) -> None:
    """Mark all that is due for the account done: somebody did it by hand, under the account's lease."""
    finish(session, [run.id for run in _due_where(session, Run.account_id == account_id, now)], now)


def finish_slot(session: Session, kind: str, client_id: int, slot: str, now: datetime) -> None:
    """Mark what was due for this client and slot done: somebody did it by hand, under the client's lease."""
    its_own = (Run.kind == kind) & (Run.client_id == client_id) & (Run.slot == slot)
    finish(session, [run.id for run in _due_where(session, its_own, now)], now)


def put_off(session: Session, run_ids: Sequence[int], error: Exception, now: datetime) -> None:
    """Note why these runs failed; they are due again after a pause that doubles, until they were tried often enough."""
    for run in _rows(session, run_ids):
        run.error = str(error) if isinstance(error, RecoupError) else f"{type(error).__name__}: see the log."
        if run.attempts >= MAX_ATTEMPTS:
            run.state, run.finished_at = RunState.FAILED, now
        else:
            run.state, run.due_at = RunState.DUE, now + _FIRST_PAUSE * 2 ** (run.attempts - 1)


def _make_due(session: Session, whose: str, owner_id: int, *, kind: str, slot: str, due_at: datetime) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(Run).values({"kind": kind, whose: owner_id, "slot": slot, "due_at": due_at})
    session.execute(row.on_conflict_do_nothing(index_elements=["kind", whose, "slot"]))


def _due_where(session: Session, condition: ColumnElement[bool], now: datetime) -> Sequence[Run]:
    return session.scalars(select(Run).where(condition, _is_due(now)).order_by(Run.id).with_for_update()).all()


def _rows(session: Session, run_ids: Sequence[int]) -> Sequence[Run]:
    return session.scalars(select(Run).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(Run.state.in_((RunState.DUE, RunState.RUNNING)), Run.due_at <= now)
