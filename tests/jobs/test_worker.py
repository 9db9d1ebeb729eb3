"""A real worker process with a real Redis: what it does, and what is left when it is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

import config
import outbox
from clock import utcnow
from db import reading, transaction
from jobs import cron, queue, runs
from models import Discrepancy, HistoryEntry, OutboxMessage, Run, RunState
from tests.jobs.imported import imported_account
from tests.waiting import wait_until

LEASE_SECONDS = 2


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """A file that holds detections up while it exists."""
    return tmp_path / "hold"


@pytest.fixture
def start_worker(redis: "Redis[bytes]", hold: Path) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.jobs.worker_process", str(LEASE_SECONDS), str(hold)]
        worker = subprocess.Popen(command, cwd=config.HOME, stderr=subprocess.DEVNULL)
        started.append(worker)
        return worker

    yield start
    hold.unlink(missing_ok=True)
    for worker in started:
        worker.kill()
        worker.wait()


def due_run(account_id: int, *, after_import: int = 1) -> int:
    with transaction() as session:
        runs.after_import(session, account_id, after_import, utcnow())
    with reading() as session:
        return session.scalars(select(Run.id).where(Run.slot == f"import-{after_import}")).one()


def state_of(run_id: int) -> RunState:
    with reading() as session:
        return session.get_one(Run, run_id).state


def turn_until_done(run_id: int) -> None:
    def is_done() -> bool:
        cron.turn()
        return state_of(run_id) is RunState.DONE

    wait_until(is_done, seconds=60)


def kill(worker: "subprocess.Popen[bytes]", hold: Path) -> None:
    """Kill the worker and the process that it forked for the job, in the middle."""
    wait_until(hold.read_text, seconds=60)
    worker.kill()
    os.kill(int(hold.read_text()), signal.SIGKILL)
    worker.wait()
    hold.unlink()


def assert_done_once(run_id: int, *, attempts: int) -> None:
    with reading() as session:
        assert session.get_one(Run, run_id).attempts == attempts
        found = session.scalar(select(func.count(Discrepancy.id)))
        announced = session.scalars(select(OutboxMessage.key).where(OutboxMessage.kind == outbox.CARD)).all()
        moves = session.scalars(select(HistoryEntry.discrepancy_id).where(HistoryEntry.action == "found")).all()
    assert found
    assert len(moves) == len(set(moves)) == found
    assert 0 < len(announced) == len(set(announced)) <= 20


def test_a_job_with_polars_runs_in_a_worker(
    sqlite_database: str, start_worker: Any, redis: "Redis[bytes]", tmp_path: Path
) -> None:
    start_worker()
    queue.queue(queue.WORK, redis).enqueue("tests.jobs.polars_job.add_up", str(tmp_path / "sum"), job_timeout=10)
    wait_until((tmp_path / "sum").exists, seconds=60)
    assert (tmp_path / "sum").read_text() == "[4999950000, 4999950000]"


def test_a_killed_workers_job_is_done_again_and_once(
    database: str, slack_is_on: None, start_worker: Any, hold: Path
) -> None:
    hold.touch()
    run_id = due_run(imported_account())
    cron.turn()
    kill(start_worker(), hold)
    with reading() as session:
        assert session.scalar(select(func.count(Discrepancy.id))) == 0
    assert state_of(run_id) is RunState.RUNNING
    start_worker()
    turn_until_done(run_id)
    assert_done_once(run_id, attempts=2)


def test_a_redis_emptied_in_the_middle_loses_nothing(
    sqlite_database: str, slack_is_on: None, start_worker: Any, hold: Path, redis: "Redis[bytes]"
) -> None:
    hold.touch()
    account_id = imported_account()
    run_id = due_run(account_id)
    cron.turn()
    worker = start_worker()
    wait_until(hold.read_text, seconds=60)
    redis.flushall()
    hold.unlink()
    wait_until(lambda: state_of(run_id) is RunState.DONE, seconds=60)
    turn_until_done(due_run(account_id, after_import=2))
    assert_done_once(run_id, attempts=1)
    assert worker.poll() is None
