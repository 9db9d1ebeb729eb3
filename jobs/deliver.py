"""Delivery of the outbox. Who delivers is told at start: jobs and the bot do not know each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

_log = structlog.get_logger()


class Delivered(Protocol):
    """What one batch came to: how many were sent, and the key of each message that stays, with the reason."""

    @property
    def sent(self) -> int:
        """How many messages arrived."""

    @property
    def left(self) -> Sequence[tuple[str, str]]:
        """Key and reason of each message that was tried and did not."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What all batches came to."""

    sent: int = 0
    left: tuple[tuple[str, str], ...] = ()


_deliverers: list[Callable[[], Delivered]] = []


def register(deliverer: Callable[[], Delivered]) -> None:
    """Have `deliverer` called for one batch after the other, until one comes back with nothing sent."""
    if deliverer not in _deliverers:
        _deliverers.append(deliverer)


def deliver_due() -> Delivery:
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
    return Delivery(sent, tuple(left.items()))
