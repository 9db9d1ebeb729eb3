"""Doing due work: under the account's lease, its result and the run's end in one transaction.

So a job that comes twice finds nothing to do, and one that was killed in the middle left nothing behind.
"""

from datetime import date
from functools import partial

import structlog
from sqlalchemy.orm import Session

from claims import daily
from claims.errors import LeaseHeld
from claims.leases import account_lease, held, held_patiently
from clock import utcnow
from db import Lease, LeaseLost, reading, transaction
from jobs import runs, weekly
from models import Run

_log = structlog.get_logger()


def do(run_id: int) -> None:
    """Do this run with all else that is due for its account, or for its client; one detection answers an account's.

    Does nothing where it is done already or another process is at it. Raises what the work raised, after noting it.
    """
    with reading() as session:
        run = session.get(Run, run_id)
    if run is None:
        return
    account_id, client_id = run.account_id, run.client_id
    with structlog.contextvars.bound_contextvars(account_id=account_id, client_id=client_id, run_id=run_id):
        try:
            with held(runs.lease_of(run)) as lease:
                if account_id is not None:
                    while _do_all_due(account_id, lease):  # more can come due meanwhile
                        continue
                elif client_id is not None:
                    weekly.do_all_due(client_id, lease)
        except (LeaseHeld, LeaseLost) as error:
            _log.info("run_left_to_another", why=type(error).__name__)


def do_now(account_id: int, *, as_of: date | None) -> daily.Detected:
    """Detect in the foreground, as the jobs do; what is due for the account is done by it, unless it is of a past day.

    Waits for a holder of the lease that may be dead, a minute at most; then raises LeaseHeld.
    """
    with held_patiently(account_lease(account_id)) as lease:
        return daily.detect_account(
            account_id, lease=lease, as_of=as_of, and_then=None if as_of else partial(_finish_due, account_id)
        )


def _finish_due(account_id: int, session: Session) -> None:
    runs.finish_due(session, account_id, utcnow())


def _do_all_due(account_id: int, lease: Lease) -> bool:
    with transaction(lease) as session:
        begun = runs.begin_all(session, account_id, utcnow())
    if not begun:
        return False
    _log.info("runs_begun", run_ids=begun)
    try:
        daily.detect_account(account_id, lease=lease, and_then=lambda session: runs.finish(session, begun, utcnow()))
    except LeaseLost:
        raise
    except Exception as error:
        with transaction(lease) as session:
            runs.put_off(session, begun, error, utcnow())
        raise
    _log.info("runs_done", run_ids=begun)
    return True
