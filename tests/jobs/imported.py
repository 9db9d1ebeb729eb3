"""An account whose archive has two months of a small simulated trade."""

import tempfile
from datetime import date
from pathlib import Path

from amazon import archive
from db import transaction
from detection.marketplaces import marketplaces
from sandbox.world import write
from tests.factories import NOW, make_account, make_client

_READ = ("ledger-2026-1*", "reimbursements*", "costs*")


def imported_account() -> int:
    with transaction() as session:
        account_id = make_account(session, make_client(session)).id
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), seed=3, until=date(2026, 11, 22), scale=0.05)
        paths = [path for pattern in _READ for path in (Path(folder) / "reports").glob(pattern)]
        stored = archive.store(paths, account_id=account_id, marketplace=marketplaces()["US"])
        with transaction() as session:
            archive.record(session, stored, NOW)
    return account_id
