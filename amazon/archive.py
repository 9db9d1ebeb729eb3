"""The account's archive: what was delivered, kept without buyers' data, and its typed rows in Parquet by month.

Files are immutable and named by their content; which of them are in force is rows of `ArchiveFile`.
"""

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from amazon import kept
from amazon.catalogue import catalogue
from amazon.documents import schema_of
from amazon.kept import LineText
from amazon.reading import MOST_NAMED, Progress, Read, missing_columns, read_everything, rejected_rows, setting_of
from amazon.repair import Flaw
from amazon.storage import Folder, sha256_of
from config import settings
from db import reading
from detection.marketplaces import Marketplace
from detection.reports import Delivery, Input, Keep, Refused, Warned
from models import ArchiveFile, Import

_UNDATED = "undated"
_SWEPT_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One delivered file whose kept copy and typed rows lie in the archive, but are not in force yet."""

    delivery: Delivery
    kept_sha256: str
    kept_key: str
    parts: tuple[str, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the paths of one import. Nothing of it is in force before `record`."""

    account_id: int
    files: tuple[StoredFile, ...]
    refused: tuple[Refused, ...]
    warnings: tuple[Warned, ...]

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What was read, in the order of file names."""
        return tuple(file.delivery for file in self.files)


def store(
    paths: Sequence[Path], *, account_id: int, marketplace: Marketplace, progress: Progress | None = None
) -> Stored:
    """Read files as `read` does and write them into the archive. Raises InvalidInput where that is no folder."""
    folder = Folder.at(settings().archive_url)
    stored: list[StoredFile] = []
    with tempfile.TemporaryDirectory(prefix="recoup-") as workspace:

        def keep_it(file: Read) -> Read:
            stored.append(_store(file, account_id, folder, Path(workspace)))
            return file

        setting = setting_of(marketplace, Path(workspace))
        found = read_everything(paths, setting, keep={}, progress=progress, and_then=keep_it)
    return Stored(account_id, tuple(stored), found.refused, found.warnings)


def record(session: Session, stored: Stored, now: datetime) -> int:
    """Bring what was stored into force; return the import's id. Files that the account has already change nothing."""
    delivered = Import(account_id=stored.account_id, started_at=now, finished_at=now, summary=_summary(stored))
    session.add(delivered)
    session.flush()
    own = ArchiveFile.account_id == stored.account_id
    known = {file.sha256: file for file in session.scalars(select(ArchiveFile).where(own))}
    names = {file.name for file in known.values()}
    for file in stored.files:
        if file.delivery.sha256 in known:
            known[file.delivery.sha256].is_in_force = True
            continue
        name = _fresh(file.delivery.file, names)
        names.add(name)
        session.add(_row(file, name, delivered, now))
    session.flush()
    return delivered.id


def read_input(account_id: int, *, keep: Mapping[str, Keep]) -> Input:
    """Return what `read` gives on the account's files in force; what was refused stays with its import."""
    folder = Folder.at(settings().archive_url)
    with reading() as session:
        mine = select(ArchiveFile).where(ArchiveFile.account_id == account_id, ArchiveFile.is_in_force)
        files = sorted(session.scalars(mine), key=lambda file: file.name)
    deliveries = [_delivery(file, folder, keep) for file in files]
    warnings = [
        warned
        for file, delivery in zip(files, deliveries, strict=True)
        for warned in _warnings(file, delivery, keep.get(delivery.report))
    ]
    return Input(tuple(deliveries), warnings=tuple(warnings))


def line_texts(account_id: int, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], LineText]:
    """Return the text of lines, by file and number, each file being read once. What is not there is left out."""
    lines: dict[str, set[int]] = {}
    for name, line in wanted:
        lines.setdefault(name, set()).add(line)
    folder = Folder.at(settings().archive_url)
    with reading() as session:
        mine = select(ArchiveFile).where(ArchiveFile.account_id == account_id)
        files = [file for file in session.scalars(mine) if file.name in lines]
    return {
        (file.name, line): text
        for file in files
        for line, text in kept.texts(
            folder.path(file.kept_key),
            lines[file.name],
            sha256=file.sha256,
            header_line=file.facts["header_line"],
            is_quoted=file.facts["is_quoted"],
        ).items()
    }


def sweep(session: Session, real_now: datetime) -> int:
    """Remove files that no row names and that are older than a day; return how many.

    real_now: by the machine's clock, which dates the files, not the one that the demo moves.
    """
    folder = Folder.at(settings().archive_url)
    rows = session.execute(select(ArchiveFile.kept_key, ArchiveFile.parts))
    named = {key for kept_key, parts in rows for key in (kept_key, *parts)}
    unused = [key for key in folder.unused_since(real_now - _SWEPT_AFTER) if key not in named]
    for key in unused:
        folder.remove(key)
    return len(unused)


def _store(file: Read, account_id: int, folder: Folder, workspace: Path) -> StoredFile:
    delivery = file.delivery
    copy = folder.incoming()
    kept_sha256 = kept.write(file, copy, workspace)
    kept_key = f"{account_id}/kept/{kept_sha256}.gz"
    folder.keep(copy, kept_key)
    parts = _write_parts(delivery, f"{account_id}/{delivery.report}", folder)
    facts = {
        "report": delivery.report,
        "columns": sorted(delivery.columns),
        "flaws": [[flaw.line, flaw.problem] for flaw in file.flaws[:MOST_NAMED]],
        "header_line": file.table.header_line if file.table else None,
        "is_quoted": file.table.is_quoted if file.table else False,
    }
    # The working copies go away; from here on the rows are those of the archive.
    rows = _typed_rows(delivery.report, parts, folder).drop("row")
    return StoredFile(replace(delivery, scan=rows), kept_sha256, kept_key, parts, facts)


def _write_parts(delivery: Delivery, prefix: str, folder: Folder) -> tuple[str, ...]:
    """Write the typed rows, a month a file, and return the keys. `row` keeps the order of rows of the same line."""
    written = folder.incoming()
    day = _day_column(delivery.report)
    month = pl.col(day).dt.strftime("%Y-%m").fill_null(_UNDATED) if day else pl.lit(_UNDATED)
    rows = delivery.scan.with_row_index("row").with_columns(month.alias("month"))
    rows.sink_parquet(
        pl.PartitionBy(written, key="month", include_key=False), compression="zstd", mkdir=True, engine="streaming"
    )
    keys = []
    for path in sorted(written.rglob("*.parquet")):
        key = f"{prefix}/{path.parent.name.removeprefix('month=')}/{sha256_of(path)}.parquet"
        folder.keep(path, key)
        keys.append(key)
    shutil.rmtree(written, ignore_errors=True)
    return tuple(keys)


def _day_column(report: str) -> str | None:
    known = catalogue().reports.get(report)
    return known.date if known else {"finances": "posted_on"}.get(report)


def _typed_rows(report: str, parts: Sequence[str], folder: Folder) -> pl.LazyFrame:
    """Return the typed rows of a file and their `row`, with all columns that the catalogue has by now."""
    schema = schema_of(report)
    if not parts:
        return pl.LazyFrame(schema={"row": pl.UInt32(), **schema})
    rows = pl.scan_parquet([folder.path(key) for key in parts])
    there = rows.collect_schema()
    return rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in there)


def _summary(stored: Stored) -> dict[str, Any]:
    return {
        "files": [delivery.file for delivery in stored.deliveries],
        "refused": [{"file": no.file, "code": no.code, "message": no.message} for no in stored.refused],
        "warnings": [{"code": w.code, "message": w.message, **w.facts} for w in stored.warnings],
    }


def _fresh(name: str, names: set[str]) -> str:
    """Return the name, numbered where another file of the account has it: evidence must say which is meant."""
    number = 1
    fresh = name
    while fresh in names:
        number += 1
        fresh = f"{name} ({number})"
    return fresh


def _row(file: StoredFile, name: str, delivered: Import, now: datetime) -> ArchiveFile:
    delivery = file.delivery
    window_from, window_to = delivery.window or (None, None)
    return ArchiveFile(
        account_id=delivered.account_id,
        import_id=delivered.id,
        report_type=delivery.report_type,
        name=name,
        sha256=delivery.sha256,
        kept_sha256=file.kept_sha256,
        kept_key=file.kept_key,
        parts=list(file.parts),
        facts=dict(file.facts),
        rows=delivery.rows,
        rejected=delivery.rejected,
        first_date=delivery.first_date,
        last_date=delivery.last_date,
        window_from=window_from,
        window_to=window_to,
        created_at=now,
    )


def _delivery(file: ArchiveFile, folder: Folder, keep: Mapping[str, Keep]) -> Delivery:
    report = file.facts["report"]
    rows = _typed_rows(report, file.parts, folder)
    return Delivery(
        report=report,
        report_type=file.report_type,
        file=file.name,
        sha256=file.sha256,
        rows=file.rows,
        rejected=file.rejected,
        first_date=file.first_date,
        last_date=file.last_date,
        columns=frozenset(file.facts["columns"]),
        kept=_kept(rows, keep.get(report)),
        scan=rows.drop("row"),
        window=_window(file),
    )


def _kept(rows: pl.LazyFrame, keep: Keep | None) -> pl.DataFrame:
    if keep is None:
        return pl.DataFrame(schema={"line": pl.Int64})
    asked = rows if keep.where is None else rows.filter(keep.where)
    found = asked.select("line", "row", *keep.columns).collect(engine="streaming")
    return found.sort("line", "row").drop("row")


def _window(file: ArchiveFile) -> tuple[date, date] | None:
    return (file.window_from, file.window_to) if file.window_from and file.window_to else None


def _warnings(file: ArchiveFile, delivery: Delivery, keep: Keep | None) -> tuple[Warned, ...]:
    flaws = [Flaw(line, problem) for line, problem in file.facts["flaws"]]
    report = catalogue().reports.get(delivery.report)
    lacking = missing_columns(delivery, report, keep) if report else ()
    return (*lacking, *rejected_rows(file.name, flaws, file.rejected))
