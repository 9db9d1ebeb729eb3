"""The only place that asks what time it is.

`RECOUP_CLOCK_FILE` names a file that holds an offset in seconds, read at each look at the clock, so that the demo and
the tests can move through months. It moves business time only: signatures, time-outs and leases use `real_now`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from config import BadSettings, clock_offset, settings


def real_now() -> datetime:
    """Return the machine's time, aware UTC."""
    return datetime.now(UTC)


def utcnow() -> datetime:
    """Return the time that decisions are dated with, aware UTC: the machine's, moved by what the clock file says."""
    return real_now() + _offset(settings().clock_file)


def _offset(clock_file: Path | None) -> timedelta:
    if clock_file is None:
        return timedelta()
    try:
        return clock_offset(clock_file)
    except ValueError as problem:  # it was good when the program started
        raise BadSettings(f"RECOUP_CLOCK_FILE: {problem}.") from problem
