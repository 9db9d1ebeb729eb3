"""Waiting for another process, with an end."""

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], *, seconds: float = 10) -> None:
    """Return as soon as it happened; fail the test when it does not."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            raise AssertionError(f"did not happen within {seconds} seconds")
        time.sleep(0.02)
