"""Delivery of the outbox. Who delivers is told at start: jobs and the bot do not know each other."""

from collections.abc import Callable

import structlog

from outbox import Delivered

_log = structlog.get_logger()

_deliverers: list[Callable[[], Delivered]] = []


def register(deliverer: Callable[[], Delivered]) -> None:
    """Have `deliverer` called for one batch after the other, until one comes back with nothing sent."""
    if deliverer not in _deliverers:
        _deliverers.append(deliverer)


def deliver_due() -> Delivered:
    """Send all that is due now. What could not be sent stays in the outbox, with a time for the next try."""
    sent, left = 0, dict[str, str]()
    for deliverer in _deliverers:
        while True:
            batch = deliverer()
            sent += batch.sent
            left.update(batch.left)
            if not batch.sent:
                break
    _log.info("outbox_delivered", sent=sent, left=len(left))
    return Delivered(sent, list(left.items()))
