"""The demo's calendar and Seller Support: days pass one by one and never back, and cases are opened and answered."""

import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from clock import real_now
from config import clock_offset
from detection.marketplaces import marketplaces
from sandbox.amazon.downloads import Shop
from sandbox.days.calendar import Calendar, CannotMove
from sandbox.days.desk import Desk, NotTaken
from sandbox.days.news import Lists, told
from sandbox.days.web import create_app
from sandbox.world import write

ZONE = marketplaces()["US"].zone
THURSDAY = datetime(2026, 11, 26, 9, 0, tzinfo=ZONE)
UNTIL = date(2026, 11, 25)


class ScriptedDoors:
    """Stands in for the command line: lists that a test fills in, and every import remembered."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict]] = {"claims": [], "discrepancies": [], "runs": [], "invoices": []}
        self.imported: list[Path] = []
        self.error: str | None = None

    def rows(self, noun: str, which: str, *_words: str) -> list[dict]:
        if which == "waiting":
            return []
        return json.loads(json.dumps(self.lists[noun]))

    def begin(self, *words: str) -> None:
        folder = Path(words[-1])
        self.imported.append(folder)
        run = {"account_id": 1, "kind": "daily", "slot": folder.name, "error": self.error}
        self.lists["runs"].append({**run, "state": "due" if self.error else "done"})

    def finish(self) -> str:
        return ""


@pytest.fixture
def calendar(tmp_path) -> Calendar:
    (tmp_path / "clock").write_text("0\n")
    made = Calendar(tmp_path / "clock", ZONE)
    (tmp_path / "clock").write_text(f"{(THURSDAY.astimezone(UTC) - real_now()).total_seconds():.0f}\n")
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write(folder, seed=3, until=UNTIL, scale=0.05, page_size=1)
    return folder


@pytest.fixture
def doors() -> ScriptedDoors:
    return ScriptedDoors()


@pytest.fixture
def desk(calendar, world, doors, tmp_path) -> Desk:
    shop = Shop(world, account_id=1, seed=3, scale=0.05)
    return Desk(calendar, [shop], doors, tmp_path / "amazon.json", 3, cron_seconds=0)


def test_tomorrow_begins_when_the_daily_run_is_due(calendar):
    calendar.begin_day(calendar.next_day())
    assert f"{calendar.now():%a %d %H:%M}" == "Fri 27 05:30"


def test_the_next_monday_of_a_monday_is_a_week_away(calendar):
    assert calendar.next_monday() == date(2026, 11, 30)
    calendar.begin_day(date(2026, 11, 30))
    assert calendar.next_monday() == date(2026, 12, 7)
    assert [f"{day:%a}" for day in calendar.days_until(calendar.next_monday())][-1] == "Mon"


def test_the_calendar_never_goes_back(calendar, tmp_path):
    with pytest.raises(CannotMove, match="it is Thursday, 26 Nov 2026 already"):
        calendar.put(THURSDAY - timedelta(hours=1))
    with pytest.raises(CannotMove, match="only goes forward"):
        calendar.days_until(date(2026, 11, 26))
    with pytest.raises(CannotMove, match="31 days at most"):
        calendar.days_until(date(2027, 1, 26))
    assert abs(clock_offset(tmp_path / "clock") - (THURSDAY - real_now())) < timedelta(seconds=60)


def test_days_pass_with_their_reports_and_monday_goes_on_past_eight(desk, doors, calendar):
    desk.move("monday")
    with pytest.raises(CannotMove, match="passing already"):
        desk.move("next")
    desk.work(seconds=1)
    assert [folder.name for folder in doors.imported] == ["2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"]
    assert f"{calendar.now():%a %d %H:%M}" == "Mon 30 08:05"
    state = desk.state()
    assert (state["is_walking"], state["problem"], len(state["told"])) == (False, "", 4)
    assert state["told"][0]["day"] == "Monday, 30 Nov 2026"


def test_a_run_that_failed_is_told_and_ends_the_walk(desk, doors):
    doors.error = "The archive is gone."
    desk.move("monday")
    desk.work(seconds=1)
    assert desk.state()["problem"].startswith("The daily run: The archive is gone.")
    assert len(doors.imported) == 1


def test_a_clock_that_was_put_back_by_hand_is_refused(desk, tmp_path):
    desk.move("next")
    desk.work(seconds=1)
    (tmp_path / "clock").write_text(f"{(THURSDAY.astimezone(UTC) - real_now()).total_seconds():.0f}\n")
    with pytest.raises(CannotMove, match="stands at 26 Nov 2026, but Amazon has written its reports of 27 Nov 2026"):
        desk.move("next")


def filed(doors: ScriptedDoors, case_id: str) -> None:
    """Have the lists say that a claim was filed under this case."""
    claim = {"id": 9, "account_id": 1, "claim_type": "warehouse_lost", "status": "submitted", "quantity": 2}
    claim |= {"value": "20.00", "recovered": "0.00", "currency": "USD", "case_id": case_id, "discrepancy_ids": [4]}
    found = {"id": 4, "account_id": 1, "claim_type": "warehouse_lost", "status": "approved", "status_reason": None}
    found |= {"msku": "CARBO-001", "reference_id": "1", "fingerprint": "ab", "closes_on": "2027-01-01", "quantity": 2}
    doors.lists["claims"], doors.lists["discrepancies"] = [claim], [found]


def test_a_case_is_answered_and_can_be_written_to_again(desk, doors):
    desk.open_case("first")
    refused = desk.open_case("Two units of X001 were lost.")
    filed(doors, refused)
    desk.move("2026-11-29")
    desk.work(seconds=1)
    case = desk.state()["cases"][0]
    assert (case["case_id"], case["claims"], case["waits"]) == (refused, [9], True)
    assert "do not qualify" in case["replies"][0]["text"]
    desk.write_to(refused, "Please look again.")
    assert not desk.state()["cases"][0]["waits"]
    desk.move("monday")
    desk.work(seconds=1)
    assert "On second review" in desk.state()["cases"][0]["replies"][1]["text"]


def test_what_was_opened_is_remembered(desk, doors, calendar, tmp_path):
    case_id = desk.open_case("Two units of X001 were lost.")
    again = Desk(calendar, desk.shops, doors, tmp_path / "amazon.json", 3)
    assert [case["case_id"] for case in again.state()["cases"]] == [case_id]
    assert again.open_case("Another") != case_id


@pytest.mark.parametrize(("text", "words"), [(" \n", "Nothing is written"), ("x" * 20_001, "20,001 characters")])
def test_a_case_needs_a_text(desk, text, words):
    with pytest.raises(NotTaken, match=words):
        desk.open_case(text)


def test_the_page_refuses_in_words(desk):
    client = create_app(desk).test_client()
    back = client.post("/_ui/move", json={"to": "2026-11-01"})
    assert (back.status_code, "only goes forward" in back.json["problem"]) == (409, True)
    assert "is no day" in client.post("/_ui/move", json={"to": "soon"}).json["problem"]
    assert client.post("/_ui/cases", data={"text": "from another site"}).status_code == 409
    assert client.post("/_ui/cases/77", json={"text": "hello"}).json["problem"] == "There is no case 77."


def test_news_tell_money_first_and_then_what_moved():
    before = Lists(
        claims=[
            {"id": 1, "status": "submitted", "recovered": "0.00", "currency": "USD"},
            {"id": 2, "status": "recovered", "recovered": "1024.50", "currency": "USD"},
        ],
        discrepancies=[{"id": 5, "status": "open", "status_reason": None}],
    )
    after = Lists(
        claims=[
            {"id": 1, "status": "recovered", "recovered": "37.02", "currency": "USD"},
            {"id": 2, "status": "reversed", "recovered": "0.00", "currency": "USD"},
        ],
        discrepancies=[{"id": 5, "status": "settled", "status_reason": "found"}],
        invoices=[
            {"id": 1, "number": "2026-1", "client": "Pine", "total": "7.40", "currency": "USD"},
            {"id": 2, "number": "2026-2", "client": "Oak", "total": "-1024.50", "currency": "USD"},
        ],
        waiting=[{"line": 3}],
    )
    assert told(before, after) == [
        "1 payment came in: 37.02 USD",
        "1 payment was taken back: 1,024.50 USD",
        "1 claim is recovered",
        "1 discrepancy is settled: Amazon found the units",
        "1 payment waits for somebody to say which claim it is for",
        "Invoice 2026-1 went to Pine: 7.40 USD",
        "Credit note 2026-2 went to Oak: 1,024.50 USD",
    ]


def test_looking_and_working_do_not_wait_for_each_other(desk):
    desk.move("next")
    worker = threading.Thread(target=desk.work, kwargs={"seconds": 1})
    worker.start()
    states = [desk.state() for _ in range(20)]
    worker.join()
    assert {state["of"] for state in states} <= {0, 1}
    assert desk.state()["told"]
