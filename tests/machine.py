"""What this machine has: where something is missing, its tests say so instead of passing in silence."""

import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def cannot_run(reason: str) -> NoReturn:
    """Leave the test out and say why; with RECOUP_TEST_ALL=1 that is a failure."""
    pytest.skip(f"cannot run: {reason}")


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's own programs, the newest where there are several."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None
