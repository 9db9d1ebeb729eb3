"""The week of a client: closed under the client's lease, its messages and the run's end in one transaction."""

from datetime import date
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from billing.week import Week
from billing.weekly import Closed, close_week
from claims.access import system_actor
from claims.leases import client_lease, held_patiently
from clock import utcnow
from db import Lease, LeaseLost, transaction
from errors import NotFound
from jobs import runs
from jobs.schedule import WEEKLY
from models import Client, Through

_log = structlog.get_logger()


def do_all_due(client_id: int, lease: Lease) -> None:
    """Do every weekly run that is due for the client, the oldest first; one that fails does not stop the next.

    Raises what the last failure raised, after noting each.
    """
    failed: Exception | None = None
    with transaction(lease) as session:
        begun = [
            (run.id, date.fromisoformat(run.slot)) for run in runs.begin_all_for_client(session, client_id, utcnow())
        ]
    for run_id, monday in begun:
        try:
            _close(client_id, monday, run_id, lease)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  raised at the end
            with transaction(lease) as session:
                runs.put_off(session, [run_id], error, utcnow())
            failed = error
    if failed:
        raise failed


def do_now(client_id: int, week: Week) -> Closed:
    """Close a client's week in the foreground, as the jobs do; what is due for it is done by that.

    Waits for a holder of the lease that may be dead, a minute at most; then raises LeaseHeld.
    """
    with held_patiently(client_lease(client_id)) as lease, transaction(lease) as session:
        now = utcnow()
        closed = close_week(session, _client(session, client_id), week, actor=system_actor(Through.CLI), now=now)
        runs.finish_slot(session, WEEKLY, client_id, week.monday.isoformat(), now)
        return closed


def _close(client_id: int, monday: date, run_id: int, lease: Lease) -> None:
    with transaction(lease) as session:
        now = utcnow()
        client = _client(session, client_id)
        week = Week(monday, ZoneInfo(client.time_zone))
        closed = close_week(session, client, week, actor=system_actor(), now=now)
        runs.finish(session, [run_id], now)
    _log.info(
        "week_closed",
        week=monday.isoformat(),
        invoices=len(closed.invoices),
        drafts=closed.drafts,
        is_billed=not closed.not_billed,
        queued=closed.queued,
    )


def _client(session: Session, client_id: int) -> Client:
    found = session.get(Client, client_id)
    if found is None:
        raise NotFound(f"There is no client {client_id}.")
    return found
