"""The three commands of the Procfile, as processes."""

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from redis import Redis

import config
from tests.waiting import wait_until
from wsgi import create_app

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `flask` commands; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "flask", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=config.HOME, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def command_line() -> Iterator[FlaskCliRunner]:
    """The commands in this process, for what ends before it begins; the signals stay this process's own."""
    signals = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield create_app(with_web=False).test_cli_runner()
    for each, handler in signals.items():
        signal.signal(each, handler)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def test_web_serves_until_it_is_told_to_end(
    sqlite_database: str, redis: "Redis[bytes]", start: Start, free_port: int
) -> None:
    web = start("web", "--port", str(free_port))
    wait_until(lambda: is_up(free_port), seconds=30)
    web.send_signal(signal.SIGTERM)
    assert web.wait(timeout=20) == 0


@pytest.mark.parametrize("command", ["worker", "cron"])
def test_it_ends_in_peace_when_told_to(sqlite_database: str, redis: "Redis[bytes]", start: Start, command: str) -> None:
    process = start(command)
    assert process.stderr is not None
    assert f"{command}_ready" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_port_in_use_is_one_line(command_line: FlaskCliRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = command_line.invoke(args=["web", "--port", str(port)])
    assert (ended.exit_code, ended.stderr) == (1, f"Port {port} is in use. End what uses it, or give another --port.\n")


@pytest.mark.parametrize("command", ["worker", "cron", "web --port 0"])
def test_without_tables_it_says_what_to_run(
    settings_of_the_test: Callable[..., None],
    redis: "Redis[bytes]",
    tmp_path: Path,
    command_line: FlaskCliRunner,
    command: str,
) -> None:
    settings_of_the_test(DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    ended = command_line.invoke(args=command.split())
    said = f"There is no database at {tmp_path}/none.db yet. Run `flask db upgrade`.\n"
    assert (ended.exit_code, ended.stderr) == (1, said)


@pytest.mark.parametrize("command", ["worker", "cron", "web --port 0"])
def test_a_redis_that_is_gone_is_one_line(
    sqlite_database: str, settings_of_the_test: Callable[..., None], command_line: FlaskCliRunner, command: str
) -> None:
    settings_of_the_test(REDIS_URL="redis://127.0.0.1:1/0")
    ended = command_line.invoke(args=command.split())
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Redis does not answer at redis://127.0.0.1:1/0. ")
    assert ended.stderr.count("\n") == 1


def is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
