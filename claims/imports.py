"""What was read of whose reports, and how fresh it is: statements narrowed to what exists for the person who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from claims.access import Actor
from claims.queries import narrowed
from errors import NotFound
from models import Account, AccountStatus, ArchiveFile, Client, ClientStatus, Import

#: An active account of which nothing came for so long is named: its reports are asked for each day.
STALE_AFTER = timedelta(days=3)
_SERVED = (ClientStatus.ONBOARDING, ClientStatus.ACTIVE, ClientStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Counts:
    """What an import added: files that were not there before, their rows, and how many of these were left out."""

    files: int = 0
    rows: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Fresh:
    """How far one of an account's reports goes: its newest day, None where it has no days, and when it was read."""

    report_type: str
    last_date: date | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Stale:
    """An account of which nothing was read for a while; `last_at` is None where nothing ever was."""

    account_id: int
    account: str
    client: str
    last_at: datetime | None


def import_list(actor: Actor) -> Select[Import]:
    """Return the imports that exist for `actor`, each with account and client. Without an order."""
    found = select(Import).join(Import.account).join(Account.client)
    return narrowed(found.options(contains_eager(Import.account).contains_eager(Account.client)), actor)


def counts(session: Session, import_ids: Sequence[int]) -> dict[int, Counts]:
    """Return what each of these imports added, in one statement; one that added nothing is left out."""
    summed = (
        select(ArchiveFile.import_id, func.count(), func.sum(ArchiveFile.rows), func.sum(ArchiveFile.rejected))
        .where(ArchiveFile.import_id.in_(import_ids))
        .group_by(ArchiveFile.import_id)
    )
    return {import_id: Counts(files, int(rows), int(left)) for import_id, files, rows, left in session.execute(summed)}


def load_import(session: Session, import_id: int, actor: Actor) -> tuple[Import, Sequence[ArchiveFile]]:
    """Return an import with account and client, and the files that it added, by name. Raises NotFound."""
    whole = select(Import).options(joinedload(Import.account).joinedload(Account.client))
    found = session.scalar(whole.where(Import.id == import_id))
    if found is None or not actor.sees(found.account.client_id):
        raise NotFound(f"There is no import {import_id}.")
    files = select(ArchiveFile).where(ArchiveFile.import_id == import_id).order_by(ArchiveFile.name)
    return found, session.scalars(files).all()


def there_before(found: Import, files: Sequence[ArchiveFile]) -> list[str]:
    """Return the names of what the import brought again: the same bytes count once, and are read once."""
    added = {file.name for file in files}
    brought: Sequence[str] = found.summary.get("files", ())
    return [name for name in brought if name not in added and not any(new.startswith(f"{name} (") for new in added)]


def problems(found: Import, kind: str) -> Sequence[Mapping[str, Any]]:
    """Return what the reader said of an import: `kind` is "refused" or "warnings"."""
    told: Sequence[Mapping[str, Any]] = found.summary.get(kind, ())
    return told


def freshness(session: Session, account_id: int) -> list[Fresh]:
    """Return how far each report of an account goes, the stalest first; the caller may see the account."""
    newest = (
        select(ArchiveFile.report_type, func.max(ArchiveFile.last_date), func.max(ArchiveFile.created_at))
        .where(ArchiveFile.account_id == account_id, ArchiveFile.is_in_force)
        .group_by(ArchiveFile.report_type)
    )
    found = [Fresh(*row) for row in session.execute(newest)]
    return sorted(found, key=lambda each: (each.last_date is None, each.last_date or date.max, each.report_type))


def stale_accounts(session: Session, actor: Actor, now: datetime, *, most: int) -> list[Stale]:
    """Return the active accounts of which nothing was read for STALE_AFTER, those waiting longest first."""
    last_at = func.max(Import.started_at)
    waiting: Any = (
        select(Account.id, Account.name, Client.name, last_at)
        .join(Account.client)
        .outerjoin(Import, Import.account_id == Account.id)
        .where(Account.status == AccountStatus.ACTIVE, Client.status.in_(_SERVED))
        .where(Account.created_at < now - STALE_AFTER)
        .group_by(Account.id, Account.name, Client.name)
        .having((last_at < now - STALE_AFTER) | last_at.is_(None))
        .order_by(last_at.asc().nulls_first(), Account.id)
        .limit(most)
    )
    return [Stale(*row) for row in session.execute(narrowed(waiting, actor))]
