"""Who works on an account now: a lease row that its holder renews, with a fencing number that rises with each holder.

A holder that died lets the lease run out, and the next one takes it. One that was only slow is stopped by
`db.transaction(lease)`: it can write nothing any more. Leases run in real time.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Update, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clock import real_now
from db import DatabaseUnavailable, Lease, LeaseLost, transaction
from errors import RecoupError
from models import LeaseRow

TTL = timedelta(seconds=30)  # a killed worker's job has to be done again within 90 seconds
_RENEWALS_PER_TTL = 3

_log = structlog.get_logger()


class LeaseTaken(RecoupError):
    """Somebody else holds the lease."""


def account_lease(account_id: int) -> str:
    """Return the name of the lease that orders the work on one account."""
    return f"account:{account_id}"


def this_process() -> str:
    """Return how this process is named as a holder."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def acquire(name: str, *, ttl: timedelta | None = None) -> Lease | None:
    """Take the lease for `ttl` (`TTL` if not given) and return it, or None where another holder has it still."""
    with transaction() as session:
        _make_row(session, name)
        row = session.get_one(LeaseRow, name, with_for_update=True)
        if row.holder is not None and row.expires_at is not None and row.expires_at > real_now():
            return None
        row.fence += 1
        row.holder, row.expires_at = this_process(), real_now() + (ttl or TTL)
        return Lease(name, row.holder, row.fence)


def renew(lease: Lease, *, ttl: timedelta | None = None) -> None:
    """Hold it for another `ttl` from now. Raises LeaseLost."""
    with transaction(lease) as session:
        session.execute(_set(lease.name, holder=lease.holder, expires_at=real_now() + (ttl or TTL)))


def release(lease: Lease) -> None:
    """Give it back, unless somebody else has it already."""
    with transaction() as session:
        session.execute(_set(lease.name, holder=None, expires_at=None).where(LeaseRow.fence == lease.fence))


@contextmanager
def held(name: str, *, ttl: timedelta | None = None) -> Iterator[Lease]:
    """Hold the lease for the length of the block, renewed in a thread. Raises LeaseTaken."""
    ttl = ttl or TTL
    lease = acquire(name, ttl=ttl)
    if lease is None:
        raise LeaseTaken(f"{name} is being worked on already.", todo="Try again in a minute.")
    is_over = threading.Event()
    renewing = threading.Thread(target=_renew_until, args=(is_over, lease, ttl), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        is_over.set()
        renewing.join()
        release(lease)


def taken(session: Session, names: set[str], now: datetime) -> set[str]:
    """Return those of the leases that somebody holds at `now` (real time)."""
    held_now = LeaseRow.holder.is_not(None) & (LeaseRow.expires_at > now)
    return set(session.scalars(select(LeaseRow.name).where(LeaseRow.name.in_(names), held_now)))


def _renew_until(is_over: threading.Event, lease: Lease, ttl: timedelta) -> None:
    while not is_over.wait(ttl.total_seconds() / _RENEWALS_PER_TTL):
        try:
            renew(lease, ttl=ttl)
        except LeaseLost:
            _log.warning("lease_lost", lease=lease.name, fence=lease.fence)
            return
        except DatabaseUnavailable as error:
            _log.warning("lease_not_renewed", lease=lease.name, fence=lease.fence, error=error.message)


def _make_row(session: Session, name: str) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(LeaseRow).values(name=name, fence=0).on_conflict_do_nothing())


def _set(name: str, *, holder: str | None, expires_at: datetime | None) -> Update:
    return update(LeaseRow).where(LeaseRow.name == name).values(holder=holder, expires_at=expires_at)
