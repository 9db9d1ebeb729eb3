"""A real worker, whose leases are short, and which can be held up in the middle of a detection.

Arguments: seconds of a lease; a file. While that file exists, a detection writes its process id into it and waits,
before it commits what it found.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import logs
from claims import daily, leases
from cli import wiring
from jobs import worker

held_up_by = Path(sys.argv[2])


def slowed(record: Callable[..., Any]) -> Callable[..., Any]:
    def record_slowly(*arguments: Any, **options: Any) -> Any:
        recorded = record(*arguments, **options)
        if held_up_by.exists():
            held_up_by.write_text(str(os.getpid()))
        while held_up_by.exists():
            time.sleep(0.05)
        return recorded

    return record_slowly


leases.TTL = timedelta(seconds=float(sys.argv[1]))
daily.findings.record_findings = slowed(daily.findings.record_findings)
logs.configure()
wiring.connect()
worker.run()
