"""`flask demo` as a person runs it: it is ready, it works at every door, and it leaves nothing running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from sandbox.demo.browser import Browser

READY_SECONDS = 180
CHECK_SECONDS = 400
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi", "demo"]


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that were started for this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def assert_nothing_runs(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while running := processes_of(folder):
        assert time.monotonic() < deadline, running
        time.sleep(0.1)


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    yield tmp_path / "demo"
    assert_nothing_runs(tmp_path / "demo")


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [*FLASK, "--folder", str(folder), "--port", "5700", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=config.HOME, env=dict(os.environ))


def finish(demo: subprocess.Popen[str], seconds: float) -> tuple[str, str]:
    """Wait for the demo's end; one that does not end is killed, and takes its processes with it."""
    try:
        return demo.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        demo.kill()
        raise


def test_check_walks_the_whole_way(folder):
    demo = start(folder, "--check")
    said, told = finish(demo, CHECK_SECONDS)
    lines = said.splitlines()
    assert demo.returncode == 0, said + told
    assert all(line.startswith("ok ") for line in lines)
    assert {"ok find what was planted", "ok approve in Slack", "ok file a claim in Slack", "ok balance the books"} <= {
        *lines
    }


def test_ready_says_where_to_sign_in_and_ctrl_c_ends_everything(folder):
    demo = start(folder)
    lines = [demo.stdout.readline().rstrip("\n") for _ in range(5)]
    try:
        assert lines[0] == "READY", demo.stderr.read()
        name, office, email, password = lines[1].split("\t")
        assert (name, email) == ("backoffice", "ola@agency.example")
        assert Browser(office).get("/sign-in").status == 200
        assert len(password) >= 12
        name, portal, email, password = lines[2].split("\t")
        assert (name, email) == ("portal", "hana@harbor.example")
        assert "Sign in" in Browser(portal).get("/portal/").text
        name, slack = lines[3].split("\t")
        assert name == "slack"
        assert "Slack stand-in" in Browser(slack).get("/").text
        name, mailbox = lines[4].split("\t")
        assert name == "mailbox"
        assert Browser(mailbox).get("/_mails").json() == []
        calendar = Browser(slack).get("/_ui/state?user=").json()["links"]["Calendar and Seller Support"]
        assert "Seller Support" in Browser(calendar).get("/").text
    finally:
        demo.send_signal(signal.SIGINT)
        rest, _ = finish(demo, READY_SECONDS)
    assert rest == ""
    assert demo.returncode == 0
    assert_nothing_runs(folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["demo"]


def test_a_port_out_of_range_is_wrong_usage(tmp_path):
    done = subprocess.run(
        [*FLASK, "--port", "99999"], capture_output=True, text=True, cwd=config.HOME, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
