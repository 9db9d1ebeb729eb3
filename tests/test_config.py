"""Settings: secrets made once by whoever is first, production refused without its own, nothing secret printed."""

import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from config import BadSettings, Settings, SmtpServer, settings


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
    settings_of_the_test(SECRET_KEY="s3cret-key", ENCRYPTION_KEYS="s3cret-keys", SLACK_BOT_TOKEN="xoxb-s3cret")
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
