import gzip
import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import func, select

from amazon import archive
from config import BadSettings, settings
from db import reading, transaction
from detection.marketplaces import marketplaces
from detection.reports import Input
from models import ArchiveFile, Import
from tests.amazon.delivered import (
    EVERYTHING,
    LEDGER,
    RETURNS,
    ledger,
    ledger_row,
    plain,
    quoted,
    read_files,
    returns_row,
)
from tests.amazon.test_documents import page, refund
from tests.factories import NOW, make_account, make_client

US = marketplaces()["US"]


@pytest.fixture
def account_id(sqlite_database: str) -> int:
    with transaction() as session:
        return make_account(session, make_client(session)).id


def bring_in(account_id: int, *paths: Path) -> archive.Stored:
    stored = archive.store(paths, account_id=account_id, marketplace=US)
    with transaction() as session:
        archive.record(session, stored, NOW)
    return stored


def same(archived: Input, given: Input) -> None:
    assert [d.file for d in archived.deliveries] == [d.file for d in given.deliveries]
    for ours, theirs in zip(archived.deliveries, given.deliveries, strict=True):
        for name in (
            "report", "report_type", "sha256", "rows", "rejected", "first_date", "last_date", "columns", "window",
        ):  # fmt: skip
            assert getattr(ours, name) == getattr(theirs, name), (ours.file, name)
        assert_frame_equal(ours.kept, theirs.kept)
        assert_frame_equal(ours.scan.collect(), theirs.scan.collect(), check_row_order=False)
    assert archived.warnings == tuple(w for w in given.warnings if w.code != "duplicate_file")


def a_years_files(folder: Path, seed: int) -> None:
    """Write files of every kind, with rows that are odd in every way."""
    chance = random.Random(seed)
    dates = [f"{chance.randint(1, 12):02}/{chance.randint(1, 28):02}/2026" for _ in range(60)]
    rows = [
        ledger_row(
            Date=date,
            Quantity=chance.choice(["-3", "2", " 4", "1,000", "x" if number % 20 == 7 else "1"]),
            Title=chance.choice(["A bottle", "two\nlines", 'a "quoted" one', ""]),
            Event_Type=chance.choice(["Adjustments", "Shipments"]),
        )
        for number, date in enumerate(dates)
    ]
    (folder / "ledger.txt").write_text(ledger(*rows))
    gone = LEDGER.index("Unreconciled Quantity")
    (folder / "old.csv").write_bytes(
        quoted([[*row[:gone], *row[gone + 1 :]] for row in (LEDGER, *rows[:9])], separator=",").encode("cp1252")
    )
    (folder / "header.txt").write_text(ledger())
    (folder / "copy.txt").write_text(ledger(*rows))
    (folder / "returns.txt.gz").write_bytes(
        gzip.compress(plain(RETURNS, *[returns_row(order_id=str(n)) for n in range(30)], [*RETURNS, "x"]).encode())
    )
    (folder / "finances.json").write_text(json.dumps(page(*[refund(str(n)) for n in range(9)]), indent=1))
    (folder / "items.jsonl").write_text('{"ItemData": [{"ShipmentId": "FBA1", "QuantityShipped": 3}]}\n')
    (folder / "costs.csv").write_text("msku,unit_cost,currency,from\nA,1,USD,2026-01-01\nA,2,USD,2026-01-01\n")
    (folder / "bad.txt").write_bytes(b"\0")


@pytest.mark.parametrize("seed", range(3))
def test_the_archive_gives_what_the_files_give(account_id, tmp_path, seed):
    folder = tmp_path / "delivered"
    folder.mkdir()
    a_years_files(folder, seed)
    given = read_files(folder)
    assert len(given.deliveries) == 7
    stored = bring_in(account_id, folder)
    assert stored.refused == given.refused
    same(archive.read_input(account_id, keep=EVERYTHING), given)


def test_files_brought_in_one_by_one_give_what_all_at_once_give(account_id, tmp_path):
    folder = tmp_path / "delivered"
    folder.mkdir()
    a_years_files(folder, 5)
    for path in sorted(folder.iterdir(), reverse=True):
        bring_in(account_id, path)
    given = read_files(folder)
    archived = archive.read_input(account_id, keep=EVERYTHING)
    # The same bytes came under a later name first.
    assert {d.sha256 for d in archived.deliveries} == {d.sha256 for d in given.deliveries}


def test_the_same_bytes_again_change_nothing(account_id, tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*[ledger_row()] * 3))
    bring_in(account_id, path)
    first = archive.read_input(account_id, keep=EVERYTHING)
    path.rename(tmp_path / "again.txt")
    bring_in(account_id, tmp_path / "again.txt")
    same(archive.read_input(account_id, keep=EVERYTHING), first)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ArchiveFile)) == 1
        assert session.scalar(select(func.count()).select_from(Import)) == 2


def test_other_bytes_under_a_known_name_get_a_name_of_their_own(account_id, tmp_path):
    path = tmp_path / "ledger.txt"
    for number in 1, 2, 3:
        path.write_text(ledger(*[ledger_row()] * number))
        bring_in(account_id, path)
    found = archive.read_input(account_id, keep=EVERYTHING)
    assert [(d.file, d.rows) for d in found.deliveries] == [
        ("ledger.txt", 1), ("ledger.txt (2)", 2), ("ledger.txt (3)", 3),
    ]  # fmt: skip


def test_each_account_has_its_own_files(account_id, tmp_path):
    with transaction() as session:
        other = make_account(session, make_client(session)).id
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(ledger_row()))
    bring_in(account_id, path)
    assert archive.read_input(other, keep=EVERYTHING).deliveries == ()
    assert archive.line_texts(other, [("ledger.txt", 2)]) == {}


def test_nothing_is_in_force_before_it_is_recorded(account_id, tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(ledger_row()))
    stored = archive.store([path], account_id=account_id, marketplace=US)
    assert [d.rows for d in stored.deliveries] == [1]
    assert archive.read_input(account_id, keep=EVERYTHING).deliveries == ()


def test_what_an_import_left_out_stays_with_it(account_id, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"\0")
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*[ledger_row()] * 5, ledger_row(Quantity="x")))
    bring_in(account_id, path, tmp_path / "bad.txt")
    with reading() as session:
        summary = session.scalars(select(Import)).one().summary
    assert summary["files"] == ["ledger.txt"]
    assert [no["code"] for no in summary["refused"]] == ["binary"]
    assert [(w["code"], w["file"], w["line"]) for w in summary["warnings"]] == [("rejected_row", "ledger.txt", 7)]


def test_the_lines_of_evidence_are_amazons_own(account_id, tmp_path):
    text = ledger(ledger_row(Title="Größe"), ledger_row(Title="two\nlines"), ledger_row(Quantity=-9))
    path = tmp_path / "ledger.txt"
    path.write_bytes(text.encode("cp1252"))
    stored = bring_in(account_id, path)
    found = archive.line_texts(account_id, [("ledger.txt", n) for n in (2, 3, 5, 99)] + [("other.txt", 2)])
    lines = text.split("\n")
    assert {place: line.text for place, line in found.items()} == {
        ("ledger.txt", 2): lines[1],
        ("ledger.txt", 3): lines[2] + "\n" + lines[3],
        ("ledger.txt", 5): lines[4],
    }
    assert {line.header for line in found.values()} == {lines[0]}
    assert {line.sha256 for line in found.values()} == {stored.deliveries[0].sha256}


def test_a_quote_that_is_a_letter_does_not_draw_the_next_lines_in(account_id, tmp_path):
    path = tmp_path / "returns.txt"
    path.write_text(plain(RETURNS, returns_row(product_name='12" pan'), returns_row(), returns_row()))
    bring_in(account_id, path)
    found = archive.line_texts(account_id, [("returns.txt", 2)])
    assert found["returns.txt", 2].text == "\t".join(returns_row(product_name='12" pan')[:12])


def test_the_evidence_of_json_is_the_event_that_begins_on_the_line(account_id, tmp_path):
    events = [refund("111-1"), refund("111-2")]
    (tmp_path / "indented.json").write_text(json.dumps(page(*events), indent=1))
    (tmp_path / "packed.json").write_text(json.dumps(page(*events)))
    bring_in(account_id, tmp_path / "indented.json", tmp_path / "packed.json")
    indented, packed = archive.read_input(account_id, keep=EVERYTHING).deliveries
    lines = [("indented.json", line) for line in indented.kept["line"].unique()]
    texts = archive.line_texts(account_id, [*lines, ("packed.json", 1)])
    assert [json.loads(texts[place].text) for place in sorted(lines)] == events
    assert texts["packed.json", 1].text == json.dumps(page(*events))
    assert packed.kept["line"].unique().to_list() == [1]


@pytest.mark.parametrize("form", ["tab", "csv", "gzip"])
def test_buyers_data_never_reach_the_archive(account_id, tmp_path, form):
    rows = [
        returns_row(order_id="1"),
        returns_row(order_id="2", customer_comments="Ann\nSmith, " + "Elm Street" if form == "csv" else "Ann"),
        [*returns_row(order_id="3"), "Ann moved one cell on"],
        *[returns_row(order_id=str(n)) for n in range(4, 10)],
    ]
    header = [*RETURNS, "buyer-name"]
    rows = [[*row[:13], "Ann", *row[13:]] for row in rows]
    text = quoted([header, *rows], separator=",") if form == "csv" else plain(header, *rows)
    path = tmp_path / "returns.txt"
    path.write_bytes(gzip.compress(text.encode()) if form == "gzip" else text.encode())
    bring_in(account_id, path)
    for file in Path(settings().archive_url).rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            content = gzip.decompress(content) if file.suffix == ".gz" else content
            assert not any(word in content for word in (b"Ann", b"Smith", b"Elm"))
    found = archive.read_input(account_id, keep=EVERYTHING).deliveries[0].kept
    texts = archive.line_texts(account_id, [("returns.txt", line) for line in found["line"]])
    assert found.height == 8
    for line, order in found.select("line", "order_id").rows():
        cells = [cell.strip('"') for cell in texts["returns.txt", line].text.split("," if form == "csv" else "\t")]
        assert cells[1] == order
        assert len(cells) == 12
    assert "customer-comments" not in texts["returns.txt", 2].header


def test_the_hashes_of_delivered_and_kept_bytes_are_both_recorded(account_id, tmp_path):
    path = tmp_path / "returns.txt"
    path.write_text(plain(RETURNS, returns_row()))
    bring_in(account_id, path)
    with reading() as session:
        file = session.scalars(select(ArchiveFile)).one()
    assert file.sha256 != file.kept_sha256
    assert file.kept_sha256 in file.kept_key


def test_files_lie_by_account_report_and_month(account_id, tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(ledger_row(Date="09/30/2026"), ledger_row(Date="10/01/2026")))
    bring_in(account_id, path)
    with reading() as session:
        parts = session.scalars(select(ArchiveFile)).one().parts
    assert [part.rsplit("/", 1)[0] for part in parts] == [
        f"{account_id}/ledger/2026-09", f"{account_id}/ledger/2026-10",
    ]  # fmt: skip


def test_files_that_no_row_names_are_swept_after_a_day(account_id, tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(ledger_row()))
    bring_in(account_id, path)
    path.write_text(ledger(ledger_row(Quantity=-7)))
    archive.store([path], account_id=account_id, marketplace=US)
    now = datetime.now(UTC)
    with reading() as session:
        assert archive.sweep(session, now) == 0
        assert archive.sweep(session, now + timedelta(days=1, minutes=1)) == 2
    assert [d.rows for d in archive.read_input(account_id, keep=EVERYTHING).deliveries] == [1]
    assert archive.line_texts(account_id, [("ledger.txt", 2)])


def test_an_archive_in_a_bucket_is_refused_in_words(sqlite_database, settings_of_the_test):
    settings_of_the_test(ARCHIVE_URL="s3://bucket/prefix", DATABASE_URL=sqlite_database)
    with pytest.raises(BadSettings, match="only a folder"):
        archive.store([], account_id=1, marketplace=US)


def test_no_working_copy_is_left(account_id, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "ledger.txt"
    path.write_bytes(ledger(ledger_row(Title="Café")).encode("cp1252"))
    bring_in(account_id, path)
    assert os.listdir(scratch) == []
    assert os.listdir(Path(settings().archive_url) / ".incoming") == []
