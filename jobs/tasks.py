"""What a worker runs: thin, repeatable, called with plain numbers.

A worker imports this before it forks, so nothing here may use polars on import: used before a fork, it hangs every job.
"""

from jobs import deliver as delivery
from jobs import work


def do_run(run_id: int) -> None:
    """Do one due run, with all else that is due for its account."""
    work.do(run_id)


def deliver() -> None:
    """Send what is due in the outbox."""
    delivery.deliver_due()
