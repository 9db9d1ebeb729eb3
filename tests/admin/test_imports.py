"""What was read, what was refused and why, and whose reports are old."""

from datetime import date, timedelta
from typing import Any

import pytest

import db
from claims import imports
from models import Account, AccountStatus, ArchiveFile, Import
from tests.admin.conftest import Office, Person, read
from tests.factories import NOW, TODAY

PAGE = "/admin/imports/"
DAY = timedelta(days=1)
REFUSED = {"file": "notes.pdf", "code": "unknown_header", "message": "Its header is that of no report."}
WARNED = {"code": "rejected_row", "message": "Quantity is no number: 'x'", "file": "ledger.txt", "line": 1088}


def delivered(office: Office, *, account_id: int = 0, ago: int = 0, files: int = 1, **summary: Any) -> int:
    """Write an import of some days ago with so many files of 1,000 rows each."""
    account_id, at = account_id or office.cast.account_id, NOW - ago * DAY
    names = [f"ledger{number or ''}.txt" for number in range(files)]
    with db.transaction() as session:
        made = Import(account_id=account_id, started_at=at, finished_at=at, summary={"files": names} | summary)
        session.add(made)
        session.flush()
        for name in names:
            session.add(
                ArchiveFile(
                    account_id=account_id,
                    import_id=made.id,
                    report_type="GET_LEDGER_DETAIL_VIEW_DATA",
                    name=name,
                    sha256=f"{made.id}{name}".ljust(64, "0"),
                    kept_sha256="0" * 64,
                    kept_key="kept",
                    rows=1000,
                    rejected=2,
                    first_date=date(2026, 5, 1),
                    last_date=TODAY - (ago + 1) * DAY,
                    created_at=at,
                )
            )
        return made.id


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


@pytest.fixture
def grown(office: Office) -> Office:
    """An office whose accounts have been there for a while."""
    with db.transaction() as session:
        session.query(Account).update({"created_at": NOW - 90 * DAY})
    return office


def test_an_import_says_what_was_read_and_what_needs_a_look(office, ann):
    delivered(office, files=2, refused=[REFUSED], warnings=[WARNED])
    shown = ann.text(PAGE)
    assert "1 import " in shown
    assert "23 Nov 2026, 09:14 UTC Files given by hand" in shown
    assert "2 2,000 4 1 refused 1 warning" in shown


def test_one_import_names_each_file_and_why_one_was_refused(office, ann):
    found = delivered(office, refused=[REFUSED], warnings=[WARNED])
    shown = ann.text(f"{PAGE}{found}/")
    assert "1 file read, 1 refused" in shown
    assert "notes.pdf Its header is that of no report." in shown
    assert "ledger.txt, line 1,088 Quantity is no number: 'x'" in shown
    assert "Inventory ledger ledger.txt 1 May 2026 to 22 Nov 2026 1,000 2" in shown


def test_a_file_that_was_there_already_is_named_as_counted_once(office, ann):
    found = delivered(office)
    with db.transaction() as session:
        session.get_one(Import, found).summary = {"files": ["ledger.txt", "again.txt"]}
    assert "Read before, so counted once: again.txt ." in ann.text(f"{PAGE}{found}/")


def test_a_file_of_a_name_that_was_taken_is_not_one_that_was_there(office):
    found = Import(summary={"files": ["ledger.txt"]})
    assert imports.there_before(found, [ArchiveFile(name="ledger.txt (2)")]) == []


def test_the_account_whose_reports_are_old_is_named_first(grown, ann):
    delivered(grown, ago=4)
    assert "2 accounts have had no report for 3 days" in ann.text(PAGE)
    delivered(grown)
    shown = ann.text(PAGE)
    assert "1 account has had no report for 3 days" in shown
    assert "Bolt never" in shown


@pytest.mark.parametrize("status", [AccountStatus.PAUSED, AccountStatus.CANCELLED, AccountStatus.DISCONNECTED])
def test_nobody_waits_for_reports_of_an_account_that_is_not_looked_at(grown, ann, status):
    with db.transaction() as session:
        session.query(Account).update({"status": status})
    assert "no report for" not in ann.text(PAGE)


def test_it_is_narrowed_by_client_and_by_account(office, ann):
    delivered(office)
    delivered(office, account_id=office.cast.other_account_id)
    assert "2 imports" in ann.text(PAGE)
    shown = ann.text(f"{PAGE}?flt_account={office.cast.account_id}")
    assert "1 import " in shown
    assert "Account: Account" in shown
    assert "1 import " in ann.text(f"{PAGE}?flt_client={office.cast.other_client_id}")


def test_without_an_import_it_says_how_reports_are_read(office, ann):
    assert "flask import --account ID PATH" in ann.text(PAGE)
    assert "No reports were read of these" in ann.text(f"{PAGE}?flt_client={office.cast.client_id}")


def test_the_list_asks_a_fixed_number_of_times(office, ann):
    delivered(office)
    with office.counted() as few:
        ann.get(PAGE)
    for _ in range(20):
        delivered(office)
    with office.counted() as many:
        ann.get(PAGE)
    assert len(many) == len(few)


def test_an_import_that_does_not_exist_is_told_in_words(ann):
    answer = ann.get(f"{PAGE}77/")
    assert answer.status_code == 404
    assert "There is no import 77" in read(answer)


def test_an_account_shows_how_far_its_reports_go_and_leads_to_its_imports(office):
    delivered(office, ago=2)
    delivered(office, ago=1)
    adam = office.signed_in(office.cast.adam)
    page = f"/admin/accounts/{office.cast.account_id}/"
    assert "Inventory ledger 21 Nov 2026 2 days ago 22 Nov 2026" in adam.text(page)
    assert f"/admin/imports/?flt_account={office.cast.account_id}" in adam.get(page).text


def test_what_is_old_and_how_fresh_is_the_same_on_each_database(office_on_each_database):
    office = office_on_each_database
    with db.transaction() as session:
        session.query(Account).update({"created_at": NOW - 90 * DAY})
    delivered(office, ago=4, files=2)
    with db.reading() as session:
        stale = imports.stale_accounts(session, office.cast.ann, NOW, most=5)
        assert [(each.account_id, each.last_at) for each in stale] == [
            (office.cast.other_account_id, None),
            (office.cast.account_id, NOW - 4 * DAY),
        ]
        assert [each.last_date for each in imports.freshness(session, office.cast.account_id)] == [TODAY - 5 * DAY]
        assert imports.counts(session, [1])[1] == imports.Counts(2, 2000, 4)
