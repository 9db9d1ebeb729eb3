"""Settings: secrets made once by whoever is first, production refused without its own, nothing secret printed."""

import multiprocessing
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from clock import real_now, utcnow
from config import HOME, BadSettings, Settings, SmtpServer, settings


def _secret(url: str, start: Any, made: Any) -> None:
    os.environ["DATABASE_URL"] = url
    start.wait(timeout=30)
    made.put(Settings().secret("secret_key"))


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    start, made = spawning.Barrier(4), spawning.Queue()
    url = f"sqlite:///{tmp_path}/var/recoup.db"
    starting = [spawning.Process(target=_secret, args=(url, start, made)) for _ in range(4)]
    for each in starting:
        each.start()
    secrets = {made.get(timeout=60) for _ in starting}
    for each in starting:
        each.join(timeout=30)
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    (only,) = (tmp_path / "var").iterdir()
    assert stat.S_IMODE(only.stat().st_mode) == 0o600


def test_an_encryption_key_is_made_that_encrypts(settings_of_the_test: Callable[..., None], tmp_path: Path) -> None:
    settings_of_the_test(DATABASE_URL=f"sqlite:///{tmp_path}/recoup.db")
    key = settings().secret("encryption_keys")
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"
    assert settings().secret("encryption_keys") == key


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["SECRET_KEY", "ENCRYPTION_KEYS"]),
        ({"SECRET_KEY": "x" * 32}, ["ENCRYPTION_KEYS"]),
        ({"SECRET_KEY": "short", "ENCRYPTION_KEYS": "k"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "x" * 32, "ENCRYPTION_KEYS": "k", "RECOUP_CLOCK_FILE": "/c"}, ["RECOUP_CLOCK_FILE"]),
    ],
)
def test_production_says_which_setting_is_missing_or_unsafe(
    settings_of_the_test: Callable[..., None], given: dict[str, str], named: list[str]
) -> None:
    settings_of_the_test(RECOUP_ENV="production", **given)
    with pytest.raises(BadSettings) as refused:
        settings()
    assert all(name in str(refused.value) for name in named)


def test_a_wrong_setting_is_named_without_its_value(settings_of_the_test: Callable[..., None]) -> None:
    settings_of_the_test(RECOUP_ENV="prod-secret")
    with pytest.raises(BadSettings, match="RECOUP_ENV") as refused:
        settings()
    assert "prod-secret" not in str(refused.value)


def test_printing_the_settings_shows_no_secret(settings_of_the_test: Callable[..., None]) -> None:
    settings_of_the_test(
        SECRET_KEY="s3cret-key",
        ENCRYPTION_KEYS="s3cret-keys",
        SLACK_BOT_TOKEN="xoxb-s3cret",
        SLACK_APP_TOKEN="s3cret",
        DATABASE_URL="postgresql://recoup:s3cret@127.0.0.1/recoup",
        REDIS_URL="redis://:s3cret@127.0.0.1",
    )
    assert "s3cret" not in repr(settings()) + str(settings())


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://bob:pa%40ss%3A@mail.example", SmtpServer("mail.example", 587, False, "bob", "pa@ss:")),
        ("smtps://mail.example", SmtpServer("mail.example", 465, True)),
        ("smtp://127.0.0.1:2525", SmtpServer("127.0.0.1", 2525, False)),
    ],
)
def test_the_mail_server_is_read_from_one_address(
    settings_of_the_test: Callable[..., None], url: str, server: SmtpServer
) -> None:
    settings_of_the_test(SMTP_URL=url, MAIL_FROM="Agency <desk@agency.example>")
    assert settings().smtp == server
    assert "pa@ss" not in repr(server)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SMTP_URL": "http://bob:s3cret@host", "MAIL_FROM": "a@b.example"}, "SMTP_URL: write smtp://USER"),
        ({"SMTP_URL": "smtp://bob:s3cret@host:abc", "MAIL_FROM": "a@b.example"}, "SMTP_URL: write smtp://USER"),
        ({"SMTP_URL": "smtp://bob:s3cret@host"}, "SMTP_URL needs MAIL_FROM"),
        ({"MAIL_FROM": "s3cret"}, "MAIL_FROM: is no e-mail address"),
        ({"MAIL_FROM": "a@b.example\nBcc: s3cret@b.example"}, "MAIL_FROM: is no e-mail address"),
        ({"MAIL_REPLY_TO": "a@b.example, s3cret@b.example"}, "MAIL_REPLY_TO: is no e-mail address"),
    ],
)
def test_mail_settings_that_cannot_be_used_are_told_without_their_value(
    settings_of_the_test: Callable[..., None], given: dict[str, str], said: str
) -> None:
    settings_of_the_test(**given)
    with pytest.raises(BadSettings) as refused:
        settings()
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("localhost", True), ("127.8.8.8", True), ("[::1]", True), ("0.0.0.0", False), ("mx.example", False)],
)
def test_only_this_machine_is_spared_starttls(
    settings_of_the_test: Callable[..., None], host: str, is_loopback: bool
) -> None:
    settings_of_the_test(SMTP_URL=f"smtp://{host}", MAIL_FROM="a@b.example")
    assert settings().smtp.is_loopback is is_loopback


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SLACK_BOT_TOKEN": "s3cret"}, "SLACK_BOT_TOKEN needs SLACK_SIGNING_SECRET"),
        ({"SLACK_SIGNING_SECRET": "s3cret"}, "SLACK_SIGNING_SECRET needs SLACK_BOT_TOKEN; set it too, or unset"),
        ({"SLACK_APP_TOKEN": "s3cret"}, "SLACK_APP_TOKEN needs SLACK_BOT_TOKEN; set it too, or unset"),
        ({"SLACK_API_URL": "s3cret"}, "SLACK_API_URL: write a web address that ends in /api/, or unset it"),
        ({"SLACK_API_URL": "https://slack.com"}, "SLACK_API_URL: write a web address that ends in /api/"),
        ({"SLACK_API_URL": "https://slack.com/api"}, "SLACK_API_URL: write a web address that ends in /api/"),
        ({"SLACK_API_URL": "ftp://slack.com/api/"}, "SLACK_API_URL: write a web address that ends in /api/"),
        ({"SLACK_API_URL": "https://slack.com:x/api/"}, "SLACK_API_URL: write a web address that ends in /api/"),
        ({"PUBLIC_URL": "recoup.agency.example"}, "PUBLIC_URL: is no web address; write the one that people open"),
        ({"PUBLIC_URL": "https://"}, "PUBLIC_URL: is no web address"),
        ({"PUBLIC_URL": "http://[x"}, "PUBLIC_URL: is no web address"),
        ({"PUBLIC_URL": "https://a.example/?x=s3cret"}, "PUBLIC_URL: is no web address"),
        ({"DATABASE_URL": "recoup.db"}, "DATABASE_URL: is not a database address that can be used; write sqlite:///"),
        ({"DATABASE_URL": "postgres//u:s3cret@h/x"}, "DATABASE_URL: is not a database address"),
        ({"DATABASE_URL": "postgresql://u:s3cret@h:port/x"}, "DATABASE_URL: is not a database address"),
        ({"DATABASE_URL": "nonsense://u:s3cret@h/x"}, "DATABASE_URL: is not a database address"),
        ({"DATABASE_URL": "mysql://u:s3cret@h/x"}, "DATABASE_URL: is not a database address"),
        ({"DATABASE_URL": "sqlite://recoup.db"}, "DATABASE_URL: is not a database address"),
        ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL: it names a folder; write sqlite:///FILE"),
        ({"DATABASE_URL": "sqlite:////"}, "DATABASE_URL: it names a folder; write sqlite:///FILE"),
        ({"REDIS_URL": "http://u:s3cret@h"}, "REDIS_URL: write redis://USER:PASSWORD@HOST:6379/0"),
        ({"REDIS_URL": "redis://u:s3cret@h:port"}, "REDIS_URL: write redis://USER:PASSWORD@HOST:6379/0"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL: write redis://USER:PASSWORD@HOST:6379/0"),
        ({"REDIS_URL": "unix://"}, "REDIS_URL: write redis://USER:PASSWORD@HOST:6379/0"),
        ({"ARCHIVE_URL": "s3://"}, "ARCHIVE_URL: only a folder can hold the archive; write the folder's path"),
        ({"ARCHIVE_URL": "s3://u:s3cret@bucket/prefix"}, "ARCHIVE_URL: only a folder can hold the archive"),
        ({"ARCHIVE_URL": "ftp://u:s3cret@host"}, "ARCHIVE_URL: only a folder can hold the archive"),
        ({"ARCHIVE_URL": __file__}, "ARCHIVE_URL: there is a file where the archive's folder should be"),
        ({"RECOUP_CLOCK_FILE": "/no/such/clock"}, "RECOUP_CLOCK_FILE: /no/such/clock cannot be read (No such file"),
        ({"RECOUP_CLOCK_FILE": "/"}, "RECOUP_CLOCK_FILE: / cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_with_what_to_do_and_without_its_value(
    settings_of_the_test: Callable[..., None], given: dict[str, str], said: str
) -> None:
    settings_of_the_test(**given)
    with pytest.raises(BadSettings) as refused:
        settings()
    assert str(refused.value).startswith(f"Settings cannot be used: {said}")
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_wrong_setting_is_named_at_once(settings_of_the_test: Callable[..., None]) -> None:
    settings_of_the_test(PUBLIC_URL="x", REDIS_URL="y", SLACK_API_URL="z")
    with pytest.raises(BadSettings) as refused:
        settings()
    assert all(name in str(refused.value) for name in ("PUBLIC_URL", "REDIS_URL", "SLACK_API_URL"))


@pytest.mark.parametrize(
    "given",
    [
        {"SLACK_BOT_TOKEN": "x", "SLACK_APP_TOKEN": "x"},
        {"SLACK_BOT_TOKEN": "x", "SLACK_SIGNING_SECRET": "x", "SLACK_APP_TOKEN": "x"},
        {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": "", "REDIS_URL": "", "DATABASE_URL": "", "PUBLIC_URL": ""},
        {"PUBLIC_URL": "https://recoup.example/sub/", "SLACK_API_URL": "http://127.0.0.1:5001/api/"},
        {"DATABASE_URL": "postgres://u:p@h/x"},
        {"DATABASE_URL": "postgresql:///x?host=/run/postgresql"},
        {"DATABASE_URL": "sqlite://"},
        {"REDIS_URL": "redis://localhost"},
        {"REDIS_URL": "rediss://u:p%40@h:6380/1"},
        {"REDIS_URL": "unix:///run/redis.sock?db=1"},
        {"ARCHIVE_URL": "somewhere/new"},
    ],
)
def test_settings_that_can_be_used_are_taken_and_empty_ones_are_unset(
    settings_of_the_test: Callable[..., None], given: dict[str, str]
) -> None:
    settings_of_the_test(**given)
    assert settings().public_url


@pytest.mark.parametrize("content", ["soon", "1e400", "nan", "-inf", "3200000000", "1 2", "\xff\xfe"])
def test_a_clock_file_that_holds_no_offset_is_told(
    settings_of_the_test: Callable[..., None], tmp_path: Path, content: str
) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(content.encode("latin-1"))
    settings_of_the_test(RECOUP_CLOCK_FILE=str(clock))
    with pytest.raises(BadSettings, match=r"RECOUP_CLOCK_FILE: \S+ does not hold an offset in seconds; write one"):
        settings()


def test_a_clock_file_that_breaks_later_is_told(settings_of_the_test: Callable[..., None], tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("-60\n")
    settings_of_the_test(RECOUP_CLOCK_FILE=str(clock))
    assert utcnow() < real_now()
    clock.write_text("junk")
    with pytest.raises(BadSettings, match=r"RECOUP_CLOCK_FILE: .* does not hold an offset in seconds"):
        utcnow()


_GUNICORN = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "wsgi:app"]
_FLASK = [sys.executable, "-m", "flask"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ([*_FLASK, "accounts", "list"], 1),
        ([*_FLASK, "db", "upgrade"], 1),
        ([*_FLASK, "web", "--port", "0"], 1),
        ([*_FLASK, "worker"], 1),
        ([*_FLASK, "cron"], 1),
        ([*_FLASK, "run", "--port", "0"], 1),
        (_GUNICORN, 3),
    ],
    ids=lambda value: " ".join(value[2:5]) if isinstance(value, list) else str(value),
)
def test_commands_and_web_servers_end_with_the_line_and_no_traceback(command: list[str], code: int) -> None:
    environment = os.environ | {"SLACK_BOT_TOKEN": "xoxb-s3cret"}
    ended = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code
    assert "SLACK_BOT_TOKEN needs SLACK_SIGNING_SECRET" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "s3cret" not in ended.stderr + ended.stdout
