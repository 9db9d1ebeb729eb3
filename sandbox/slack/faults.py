"""Trouble on purpose: what Slack does on a bad day, for the next calls of a method."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ratelimited", "server_error", "lost_answer", "refused_connection", "slow", "not_json"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with `method` (any, where it is `*`), how many more times, and for how many seconds.

    ratelimited: 429 with Retry-After; server_error: 500; lost_answer: done, but the connection breaks before the
    answer; refused_connection: the connection breaks and nothing is done; slow: answers late; not_json: 200 with HTML.
    """

    method: str
    kind: Kind
    times: int = 1
    seconds: float = 1


class Faults:
    """The troubles that are still to come, first come first served."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._sleep = sleep

    def add(self, fault: Fault) -> None:
        """Let it happen to the next calls."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """Return the trouble for this call, counted down; the slow one has been slept through already."""
        with self._lock:
            fault = next((f for f in self._waiting if f.method in {"*", method}), None)
            if fault is None:
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
        if fault.kind == "slow":
            self._sleep(fault.seconds)
        return fault
