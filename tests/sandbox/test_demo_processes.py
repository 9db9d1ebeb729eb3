"""The demo's processes end with it, its ports move on, and its folder is used by one demo at a time."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import config
from sandbox.demo.browser import Browser
from sandbox.demo.children import Children, DemoFailed
from sandbox.demo.doors import Doors, Refused
from sandbox.demo.place import Place, new_users, sellers
from sandbox.demo.stage import environment, wait_for
from sandbox.ports import free_port
from tests.waiting import wait_until

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def children(tmp_path):
    made = Children(os.environ, tmp_path, home=config.HOME)
    yield made
    made.stop()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


def test_a_port_in_use_moves_on_to_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_stop_ends_a_process_and_what_it_started(children, tmp_path):
    script = f"import subprocess, time; p = subprocess.Popen({SLEEPS!r}); print(p.pid, flush=True); time.sleep(60)"
    child = children.start("parent", [sys.executable, "-c", script])
    assert wait_for(children, lambda: child.log.read_text().strip().isdigit(), seconds=10)
    grandchild = int(child.log.read_text())
    children.stop()
    assert child.process.returncode is not None
    wait_until(lambda: not is_alive(grandchild))


def test_a_killed_demo_takes_its_processes_with_it(tmp_path):
    script = (
        "import os, sys, time; from pathlib import Path; from sandbox.demo.children import Children\n"
        f"c = Children(os.environ, Path({str(tmp_path)!r}), home=Path({str(config.HOME)!r}))\n"
        f"print(c.start('sleeper', {SLEEPS!r}).process.pid, flush=True); time.sleep(60)"
    )
    demo = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=config.HOME)
    child = int(demo.stdout.readline())
    demo.kill()
    demo.wait()
    demo.stdout.close()
    wait_until(lambda: not is_alive(child))


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(children):
    child = children.start("web", [sys.executable, "-c", "import sys; sys.exit('Port 5000 is in use.')"])
    child.process.wait()
    with pytest.raises(DemoFailed, match=r"web ended with 1: Port 5000 is in use\."):
        children.check()


def test_a_command_gives_what_it_wrote_and_takes_its_input(children):
    said = children.run("echo", [sys.executable, "-c", "print(input()[::-1])"], given="abc\n")
    assert said == "cba\n"
    with pytest.raises(DemoFailed, match="no such thing"):
        children.run("fails", [sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_waiting_ends_when_a_process_does(children):
    children.start("worker", [sys.executable, "-c", ""])
    with pytest.raises(DemoFailed, match="worker ended with 0"):
        wait_for(children, lambda: False, seconds=10)


def test_commands_are_answered_in_turn_by_one_process(children):
    doors = Doors(children)
    doors.begin("audit", "--help")
    doors.begin("demo", "--help")
    assert "REPORT" in doors.finish().upper()
    assert "--check" in doors.finish()
    with pytest.raises(Refused, match=r"flask demo --nonsense: .*--nonsense"):
        doors.ask("demo", "--nonsense")
    doors.close()
    assert "Usage" in doors.ask("--help")


def test_only_one_demo_uses_a_folder(tmp_path):
    place = Place(tmp_path / "demo")
    with place.alone(), pytest.raises(DemoFailed, match="is running"), place.alone():
        pass


def test_a_new_demo_leaves_nothing_of_the_old_one(tmp_path):
    place = Place(tmp_path)
    with place.alone():
        (tmp_path / "archive").mkdir()
        (tmp_path / "recoup.db").touch()
        place.begin_anew()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["clock", "log", "running"]
        assert not place.is_set_up


def test_passwords_are_kept_for_their_owner_only(tmp_path):
    users, accounts = new_users(sellers(1)), {"1": sellers(1)[0]}
    place = Place(tmp_path)
    place.remember(users, accounts)
    assert place.remembered() == (users, accounts)
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
    assert len({user.password for user in users}) == len(users)


def test_children_see_our_settings_and_no_proxy(tmp_path):
    given = {"HTTPS_PROXY": "http://p", "DATABASE_URL": "postgresql://real", "SECRET_KEY": "x", "PATH": "/bin"}
    given |= {"REDIS_URL": "redis://real", "RECOUP_ENV": "production"}
    seen = environment(Place(tmp_path), given, keeps_redis=False)
    assert seen["DATABASE_URL"] == f"sqlite:///{tmp_path}/recoup.db"
    assert seen["PATH"] == "/bin"
    assert not {"HTTPS_PROXY", "SECRET_KEY", "REDIS_URL", "RECOUP_ENV"} & seen.keys()
    assert environment(Place(tmp_path), given, keeps_redis=True)["REDIS_URL"] == "redis://real"


def test_the_browser_keeps_cookies_and_follows(slack):
    browser = Browser(slack.url)
    assert browser.get("/_healthz").json()["ok"]
    assert browser.post_json("/_ui/say", {"user": "U0ANN0001", "channel": "C0REVIEW1", "text": "hi"}) == {"ok": True}


def test_a_signal_ends_the_stand_in_and_its_messages_are_kept(children, tmp_path):
    state = tmp_path / "slack.json"
    command = [sys.executable, "-m", "sandbox.slack_server", "--state", str(state)]
    for said in ("first", "second"):
        child = children.start("slack", command)
        assert wait_for(children, lambda child=child: "READY" in child.log.read_text(), seconds=20)
        browser = Browser(child.log.read_text().split()[1])
        browser.post_json("/_ui/say", {"user": "U0ANN0001", "channel": "C0REVIEW1", "text": said})
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(10) == 0
        children.forget(child)
    assert [text in state.read_text() for text in ("first", "second")] == [True, True]
