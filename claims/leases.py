"""Who works on an account or a client now: a lease row that its holder renews, with a fencing number.

The number rises with each holder. A holder that died lets the lease run out, and the next one takes it. One that was
only slow is stopped by `db.transaction(lease)`: it can write nothing any more. Leases run in real time.
"""

import os
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from claims.errors import LeaseHeld
from clock import real_now
from db import DatabaseUnavailable, Lease, LeaseLost, transaction
from models import LeaseRow

TTL = timedelta(seconds=30)  # a killed worker's job has to be done again within 90 seconds
_RENEWALS_PER_TTL = 3
_PATIENCE_SECONDS = 60

_log = structlog.get_logger()


def account_lease(account_id: int) -> str:
    """Return the name of the lease that orders the work on one account."""
    return f"account:{account_id}"


def client_lease(client_id: int) -> str:
    """Return the name of the lease that orders the weekly work for one client."""
    return f"client:{client_id}"


def this_process() -> str:
    """Return how this process is named as a holder."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def acquire(name: str, *, holder: str, ttl: timedelta, now: datetime) -> Lease:
    """Take the lease until `now + ttl`. Raises LeaseHeld where another holder has it still."""
    with transaction() as session:
        _make_row(session, name)
        row = session.get_one(LeaseRow, name, with_for_update=True)
        if row.holder and row.expires_at and row.expires_at > now:
            raise LeaseHeld(name, by=row.holder, until=row.expires_at)
        row.fence += 1
        row.holder, row.expires_at = holder, now + ttl
        return Lease(name, holder, row.fence)


def renew(lease: Lease, *, ttl: timedelta, now: datetime) -> None:
    """Hold it until `now + ttl`. Raises LeaseLost."""
    with transaction(lease) as session:
        session.execute(update(LeaseRow).where(LeaseRow.name == lease.name).values(expires_at=now + ttl))


def release(lease: Lease) -> None:
    """Give it back, unless somebody else has it already. The fence stays: it never falls."""
    mine = (LeaseRow.name == lease.name, LeaseRow.fence == lease.fence)
    with transaction() as session:
        session.execute(update(LeaseRow).where(*mine).values(holder=None, expires_at=None))


@contextmanager
def held(name: str, *, ttl: timedelta | None = None) -> Iterator[Lease]:
    """Hold the lease for the length of the block, renewed in a thread; `TTL` if no other is given. Raises LeaseHeld."""
    ttl = ttl or TTL
    lease = acquire(name, holder=this_process(), ttl=ttl, now=real_now())
    is_over = threading.Event()
    renewing = threading.Thread(target=_renew_until, args=(is_over, lease, ttl), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        is_over.set()
        renewing.join()
        release(lease)


@contextmanager
def held_patiently(name: str) -> Iterator[Lease]:
    """Hold the lease, and wait a minute at most for a holder that may be dead. Raises LeaseHeld then."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with ExitStack() as stack:
        while True:
            try:
                lease = stack.enter_context(held(name))
                break
            except LeaseHeld:
                if time.monotonic() > until:
                    raise
                time.sleep(1)
        yield lease


def held_now(session: Session, names: Collection[str]) -> set[str]:
    """Return those of the leases that somebody holds."""
    is_held = LeaseRow.holder.is_not(None) & (LeaseRow.expires_at > real_now())
    return set(session.scalars(select(LeaseRow.name).where(LeaseRow.name.in_(names), is_held)))


def _renew_until(is_over: threading.Event, lease: Lease, ttl: timedelta) -> None:
    while not is_over.wait(ttl.total_seconds() / _RENEWALS_PER_TTL):
        try:
            renew(lease, ttl=ttl, now=real_now())
        except LeaseLost:
            _log.warning("lease_lost", lease=lease.name, fence=lease.fence)
            return
        except DatabaseUnavailable as error:
            _log.warning("lease_not_renewed", lease=lease.name, fence=lease.fence, error=error.message)


def _make_row(session: Session, name: str) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(LeaseRow).values(name=name, fence=0).on_conflict_do_nothing())
