"""What a worker runs: thin, repeatable, called with plain numbers.

A worker imports this before it forks, so nothing here may use polars on import: used before a fork, it hangs every job.
"""

import structlog

from amazon import archive
from clock import real_now
from db import reading
from jobs import deliver as delivery
from jobs import work

_log = structlog.get_logger()


def do_run(run_id: int) -> None:
    """Do one due run, with all else that is due for its account."""
    work.do(run_id)


def deliver() -> None:
    """Send what is due in the outbox."""
    delivery.deliver_due()


def sweep() -> None:
    """Remove from the archive what no row has named for a day."""
    with reading() as session:
        removed = archive.sweep(session, real_now())
    _log.info("archive_swept", removed=removed)
