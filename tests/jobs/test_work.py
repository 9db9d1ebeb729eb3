import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from claims import leases
from claims.errors import LeaseHeld
from claims.leases import account_lease, held
from clock import utcnow
from db import reading, transaction
from jobs import runs, tasks, work
from models import Account, ArchiveFile, Run, RunState
from tests.factories import NOW, make_account, make_client
from tests.jobs.imported import imported_account


@pytest.fixture
def account_id(database: str) -> int:
    with transaction() as session:
        return make_account(session, make_client(session)).id


def make_run(account_id: int, number: int = 1, *, due_at: datetime = NOW) -> int:
    with transaction() as session:
        runs.after_import(session, account_id, number, due_at)
    with reading() as session:
        return session.scalars(select(Run.id).where(Run.slot == f"import-{number}")).one()


def run_row(run_id: int) -> Run:
    with reading() as session:
        return session.get_one(Run, run_id)


def break_account(account_id: int) -> None:
    with transaction() as session:
        session.get_one(Account, account_id).marketplace = "??"  # no such marketplace: whoever reads it stumbles


def make_due_again(run_id: int) -> None:
    with transaction() as session:
        session.get_one(Run, run_id).due_at = NOW


def test_a_job_that_comes_twice_works_once(account_id: int) -> None:
    run_id = make_run(account_id)
    work.do(run_id)
    work.do(run_id)
    assert (run_row(run_id).state, run_row(run_id).attempts) == (RunState.DONE, 1)


def test_one_detection_answers_all_that_is_due_for_the_account(account_id: int) -> None:
    ids = [make_run(account_id, number) for number in (1, 2)]
    later = make_run(account_id, 3, due_at=utcnow() + timedelta(hours=1))
    work.do(ids[0])
    assert [run_row(run_id).state for run_id in ids] == [RunState.DONE, RunState.DONE]
    assert run_row(later).state is RunState.DUE


def test_a_run_is_left_to_whoever_is_at_it(account_id: int) -> None:
    run_id = make_run(account_id)
    with held(account_lease(account_id)):
        work.do(run_id)
    assert (run_row(run_id).state, run_row(run_id).attempts) == (RunState.DUE, 0)


def test_a_run_that_fails_is_due_again_after_a_pause_that_doubles(account_id: int) -> None:
    run_id = make_run(account_id)
    break_account(account_id)
    pauses = []
    for _ in range(2):
        with pytest.raises(KeyError):
            work.do(run_id)
        pauses.append(round((run_row(run_id).due_at - utcnow()).total_seconds()))
        make_due_again(run_id)
    assert pauses == [60, 120]
    assert run_row(run_id).error == "KeyError: see the log."


def test_a_run_that_always_fails_is_given_up_with_its_reason(account_id: int) -> None:
    run_id = make_run(account_id)
    break_account(account_id)
    for _ in range(runs.MAX_ATTEMPTS):
        make_due_again(run_id)
        with pytest.raises(KeyError):
            work.do(run_id)
    assert (run_row(run_id).state, run_row(run_id).error) == (RunState.FAILED, "KeyError: see the log.")
    work.do(run_id)
    assert run_row(run_id).attempts == runs.MAX_ATTEMPTS


def test_a_run_that_ends_its_worker_each_time_is_given_up(account_id: int) -> None:
    run_id = make_run(account_id)
    for _ in range(runs.MAX_ATTEMPTS):
        with transaction() as session:
            runs.begin_all(session, account_id, utcnow())
    work.do(run_id)
    assert run_row(run_id).state is RunState.FAILED
    assert "Begun 5 times" in str(run_row(run_id).error)


def test_by_hand_it_does_what_is_due_too(account_id: int) -> None:
    run_id = make_run(account_id)
    work.do_now(account_id, as_of=None)
    assert run_row(run_id).state is RunState.DONE


def test_by_hand_for_a_past_day_it_leaves_todays_work_due(account_id: int) -> None:
    run_id = make_run(account_id)
    work.do_now(account_id, as_of=(NOW - timedelta(days=30)).date())
    assert run_row(run_id).state is RunState.DUE


def test_by_hand_it_waits_for_another_and_then_says_who(account_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_PATIENCE_SECONDS", 0)
    with held(account_lease(account_id)), pytest.raises(LeaseHeld, match=f"account:{account_id} is worked on by"):
        work.do_now(account_id, as_of=None)


def test_what_no_row_names_is_swept_from_the_archive_after_a_day(sqlite_database: str, tmp_path: Path) -> None:
    imported_account()
    old, young = (tmp_path / "archive" / "1" / "kept" / name for name in ("old.gz", "young.gz"))
    with reading() as session:
        kept = tmp_path / "archive" / session.scalars(select(ArchiveFile.kept_key)).first()
    for path in (old, young):
        path.touch()
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (old, kept):
        os.utime(path, (two_days_ago, two_days_ago))
    tasks.sweep()
    assert [path.exists() for path in (kept, old, young)] == [True, False, True]
