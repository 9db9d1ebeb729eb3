import gzip
import io
import zipfile

import pytest

from amazon import limits
from tests.amazon.delivered import (
    RETURNS,
    column,
    ledger,
    ledger_row,
    plain,
    problems,
    read_files,
    read_one,
    returns_row,
)

GOOD = ledger(*[ledger_row()] * 5)


def refusal(*paths):
    found = read_files(*paths)
    assert found.deliveries == ()
    (refused,) = found.refused
    assert "\n" not in refused.message
    assert refused.message.endswith(".")
    return refused.file, refused.code


def test_a_missing_file_is_refused_as_it_was_typed(tmp_path):
    assert refusal(tmp_path / "no.txt") == (str(tmp_path / "no.txt"), "missing_file")


def test_a_folder_without_reports_is_refused(tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    assert refusal(tmp_path) == (str(tmp_path), "no_reports")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n \r\n\t", "empty"),
        (b"hello\nworld\n", "unknown_header"),
        (b"a\tb\tc\n1\t2\t3\n", "unknown_header"),
        (b"\x00\x01\x02" * 100, "binary"),
        (b"%PDF-1.7 stuff", "binary"),
        (b"PK\x03\x04half a zip", "binary"),
        (gzip.compress(GOOD.encode())[:-20], "truncated"),
        (gzip.compress(GOOD.encode())[:-8] + b"\0" * 8, "unreadable"),
        (gzip.compress(GOOD.encode()) + b"garbage", "unreadable"),
        (gzip.compress(gzip.compress(GOOD.encode())), "binary"),
        (b"\x1f\x8b", "truncated"),
        (b"{", "unreadable"),
        (b'{"a": 1}', "unknown_header"),
        (b"[1, 2]", "unreadable"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path, content, code):
    path = tmp_path / "report.txt"
    path.write_bytes(content)
    assert refusal(path) == ("report.txt", code)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    path = tmp_path / "loop.txt"
    path.symlink_to(path)
    assert refusal(path)[1] in {"missing_file", "unreadable"}


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\0\0")
    (tmp_path / "b.txt").write_text(GOOD)
    (tmp_path / "c.gz").write_bytes(gzip.compress(GOOD.encode())[:-9])
    found = read_files(tmp_path)
    assert [d.file for d in found.deliveries] == ["b.txt"]
    assert [(no.file, no.code) for no in found.refused] == [("a.txt", "binary"), ("c.gz", "truncated")]


def test_folders_are_walked_and_files_named_below_them_in_order(tmp_path):
    for number, name in enumerate(["z.txt", "b/c.csv", "b/a.tsv", "B.txt", ".hidden.txt", ".git/x.txt", "readme.md"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(ledger(*[ledger_row()] * (number + 1)))
    assert [d.file for d in read_files(tmp_path).deliveries] == ["B.txt", "b/a.tsv", "b/c.csv", "z.txt"]


def test_the_same_bytes_count_once(tmp_path):
    (tmp_path / "a.txt").write_text(GOOD)
    (tmp_path / "b.txt").write_text(GOOD)
    found = read_files(tmp_path / "b.txt", tmp_path, tmp_path / "a.txt")
    assert [d.file for d in found.deliveries] == ["a.txt"]
    assert [(w.code, w.facts) for w in found.warnings] == [("duplicate_file", {"file": "b.txt", "same_as": "a.txt"})]


def test_different_files_of_one_name_are_told_apart(tmp_path):
    for number in 1, 2:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "ledger.txt").write_text(ledger(*[ledger_row()] * number))
    found = read_files(tmp_path / "1", tmp_path / "2")
    assert [d.file for d in found.deliveries] == [str(tmp_path / "1/ledger.txt"), str(tmp_path / "2/ledger.txt")]


def test_gzip_gives_what_the_plain_file_gives(tmp_path):
    text = ledger(ledger_row(), ledger_row(Title="two\nlines"), ledger_row(Quantity="x"), *[ledger_row()] * 5)
    usual = read_one(tmp_path, text, name="a.txt")
    once = read_one(tmp_path, gzip.compress(text.encode()), name="b.txt.gz")
    halves = gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode())
    twice = read_one(tmp_path, halves, name="c.gz")
    for found in once, twice:
        assert found.kept.equals(usual.kept)
        assert (found.rows, found.rejected) == (usual.rows, 1)
    assert once.sha256 != usual.sha256


def test_a_broken_row_in_gzip_costs_one_row(tmp_path):
    path = tmp_path / "ledger.txt.gz"
    broken = GOOD.replace('"SELLABLE"', '"SELL"ABLE"', 1)
    path.write_bytes(gzip.compress((broken + GOOD.split("\n", 1)[1]).encode()))
    found = read_files(path)
    assert [line for line, _ in problems(found)] == [2]
    assert found.deliveries[0].kept.height == 9


def test_members_of_a_zip_archive_are_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger.txt", GOOD)
        archive.writestr("more/returns.txt", plain(RETURNS, returns_row()))
        archive.writestr("more/ledger2.txt.gz", gzip.compress(ledger(ledger_row()).encode()))
        archive.writestr("__MACOSX/._ledger.txt", "x")
        archive.writestr("readme.md", "x")
    found = read_files(tmp_path)
    assert [(d.file, d.report, d.rows) for d in found.deliveries] == [
        ("all.zip!ledger.txt", "ledger", 5),
        ("all.zip!more/ledger2.txt.gz", "ledger", 1),
        ("all.zip!more/returns.txt", "returns", 1),
    ]
    assert found.refused == ()
    plain_sha = read_one(tmp_path, GOOD, name="x.txt").sha256
    assert found.deliveries[0].sha256 == plain_sha


def test_no_member_of_a_zip_archive_vanishes(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("./ledger.txt", GOOD)
        archive.writestr("a/../returns.txt", plain(RETURNS, returns_row()))
    assert sorted(d.report for d in read_files(tmp_path).deliveries) == ["ledger", "returns"]


@pytest.mark.parametrize("name", ["october.zip", "october.txt", "folder/october.ZIP"])
def test_a_zip_archive_in_a_zip_archive_is_named_with_what_to_do(tmp_path, name):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("ledger.txt", GOOD)
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, inner.getvalue())
        archive.writestr("returns.txt", plain(RETURNS, returns_row()))
    found = read_files(tmp_path)
    (refused,) = found.refused
    assert (refused.file, refused.code) == (f"all.zip!{name}", "nested_archive")
    assert "It is a zip archive inside a zip archive. Unpack the outer one" in refused.message
    assert [d.file for d in found.deliveries] == ["all.zip!returns.txt"]


@pytest.mark.parametrize("content", [None, "readme.md"], ids=["empty", "no report"])
def test_a_zip_archive_without_reports_is_refused(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        if content:
            archive.writestr(content, "x")
    assert refusal(tmp_path / "all.zip") == ("all.zip", "no_reports")


def test_an_encrypted_member_is_refused(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ledger.txt", GOOD)
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refusal(path) == ("all.zip!ledger.txt", "unreadable")


def test_a_damaged_member_is_refused(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger.txt", GOOD)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    assert refusal(path) == ("all.zip!ledger.txt", "unreadable")


def test_bombs_are_refused_before_they_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "_HARMLESS_BYTES", 1 << 20)
    bomb = bytes(8 << 20)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bomb))
    assert refusal(tmp_path / "bomb.gz") == ("bomb.gz", "too_large")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger.txt", bomb)
    assert refusal(tmp_path / "bomb.zip") == ("bomb.zip!ledger.txt", "too_large")


@pytest.mark.parametrize(
    ("encoding", "marketplace", "name"),
    [
        ("utf-8", "US", "Größe – Café"),
        ("utf-8-sig", "JP", "倉庫破損"),
        ("utf-16", "US", "Größe – Café"),
        ("cp1252", "DE", "Größe – Café €"),
        ("latin-1", "FR", "Größe Café"),
        ("cp932", "JP", "ソフト表示 ～①"),
    ],
)
def test_encodings_keep_every_letter(tmp_path, encoding, marketplace, name):
    text = plain(RETURNS, returns_row(product_name=name), *[returns_row()] * 3)
    found = read_one(tmp_path, text.encode(encoding), marketplace=marketplace)
    assert column(found, "product_name")[0] == name
    assert (found.rows, column(found, "line")) == (4, [2, 3, 4, 5])


def test_an_old_encoding_far_into_the_file_is_found(tmp_path):
    text = ledger(*[ledger_row()] * 4000, ledger_row(Title="Café"))
    found = read_one(tmp_path, text.encode("cp1252"))
    assert (found.rows, column(found, "title")[-1]) == (4001, "Café")


def test_line_ends_of_carriage_returns_alone_count_lines(tmp_path):
    text = ledger(ledger_row(Title="Café"), ledger_row(Quantity="x"), *[ledger_row()] * 5, end="\r")
    path = tmp_path / "ledger.txt"
    path.write_bytes(text.encode("cp1252"))
    found = read_files(path)
    assert [line for line, _ in problems(found)] == [3]
    assert column(found.deliveries[0], "title")[0] == "Café"
