"""Every setting, read once from the environment. Nothing else reads it."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import getaddresses
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import RecoupError

HOME = Path(__file__).resolve().parent
_SECRET_LENGTH = 32
_REQUIRED_IN_PRODUCTION = ("secret_key", "encryption_keys")
_SQLITE_FILE = "sqlite:///"
_LARGEST_OFFSET = timedelta(days=36_525)  # a hundred years: what is more is no offset
_SMTP_PORTS = {"smtp": 587, "smtps": 465}


class BadSettings(RecoupError):
    """A setting is missing or cannot be used."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. With `is_tls` the connection is encrypted from its first byte, else by STARTTLS."""

    host: str
    port: int
    is_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine: then nobody can listen in, and STARTTLS is not asked for."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Settings(BaseSettings):
    """The settings of DESIGN section 3. Relative paths start at this file's folder.

    Printed, it tells no secret: addresses that can hold a password are left out.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    env: Literal["development", "production"] = Field("development", validation_alias="RECOUP_ENV")
    database_url: str = Field("sqlite:///var/recoup.db", validation_alias="DATABASE_URL", repr=False)
    redis_url: str | None = Field(None, validation_alias="REDIS_URL", repr=False)
    archive_url: str = Field("var/archive", validation_alias="ARCHIVE_URL")
    secret_key: SecretStr | None = Field(None, validation_alias="SECRET_KEY")
    encryption_keys: SecretStr | None = Field(None, validation_alias="ENCRYPTION_KEYS")
    public_url: str = Field("http://127.0.0.1:5000", validation_alias="PUBLIC_URL")
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    slack_review_channel: str | None = Field(None, validation_alias="SLACK_REVIEW_CHANNEL")
    smtp_url: SecretStr | None = Field(None, validation_alias="SMTP_URL")
    mail_from: str | None = Field(None, validation_alias="MAIL_FROM")
    mail_reply_to: str | None = Field(None, validation_alias="MAIL_REPLY_TO")
    clock_file: Path | None = Field(None, validation_alias="RECOUP_CLOCK_FILE")

    @field_validator("database_url")
    @classmethod
    def _database_url_can_be_used(cls, given: str) -> str:
        _check_database_url(given)
        return given

    @field_validator("redis_url")
    @classmethod
    def _redis_url_can_be_used(cls, given: str | None) -> str | None:
        if given is not None and not _is_redis_address(given):
            raise ValueError(
                "write redis://USER:PASSWORD@HOST:6379/0, rediss://… for TLS or unix:///PATH, or unset it "
                "to use the embedded server"
            )
        return given

    @field_validator("archive_url")
    @classmethod
    def _archive_is_a_folder(cls, given: str) -> str:
        if "://" in given:
            raise ValueError("only a folder can hold the archive; write the folder's path")
        if (HOME / given).exists() and not (HOME / given).is_dir():
            raise ValueError("there is a file where the archive's folder should be; write the path of a folder")
        return given

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_address(cls, given: str) -> str:
        if not is_web_address(given) or urlsplit(given).query or urlsplit(given).fragment:
            raise ValueError("is no web address; write the one that people open, as https://recoup.agency.example")
        return given

    @field_validator("slack_api_url")
    @classmethod
    def _slack_api_url_ends_in_api(cls, given: str) -> str:
        if not is_web_address(given) or not given.endswith("/api/"):
            raise ValueError("write a web address that ends in /api/, or unset it to use Slack's own")
        return given

    @field_validator("clock_file")
    @classmethod
    def _clock_file_holds_an_offset(cls, given: Path | None) -> Path | None:
        if given is None:
            return None
        clock_offset(HOME / given)
        return HOME / given

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_can_be_used(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            _smtp_server(given.get_secret_value())
        return given

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _is_an_address(cls, given: str | None) -> str | None:
        if given is not None:
            mail_address(given)
        return given

    @model_validator(mode="after")
    def _slack_is_on_or_off(self) -> Self:
        if self.slack_bot_token and not (self.slack_signing_secret or self.slack_app_token):
            raise ValueError(
                "SLACK_BOT_TOKEN needs SLACK_SIGNING_SECRET, which proves that a press is Slack's, or SLACK_APP_TOKEN "
                "for Socket Mode; set one of them too, or unset SLACK_BOT_TOKEN to work without Slack"
            )
        if not self.slack_bot_token and (self.slack_signing_secret or self.slack_app_token):
            given = "SLACK_SIGNING_SECRET" if self.slack_signing_secret else "SLACK_APP_TOKEN"
            raise ValueError(f"{given} needs SLACK_BOT_TOKEN; set it too, or unset {given} to work without Slack")
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Self:
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("SMTP_URL needs MAIL_FROM, the address that mails come from")
        return self

    @property
    def var(self) -> Path:
        """The folder of what the program itself writes: the SQLite file's, else `var`."""
        path = self.sqlite_path
        return path.parent if path else HOME / "var"

    @property
    def sqlite_path(self) -> Path | None:
        """The file of a SQLite database, absolute; None for another database or one in memory."""
        if not self.database_url.startswith(_SQLITE_FILE) or self.database_url == _SQLITE_FILE + ":memory:":
            return None
        return HOME / self.database_url.removeprefix(_SQLITE_FILE)

    @property
    def resolved_database_url(self) -> str:
        """The database URL with a relative SQLite path made absolute and PostgreSQL through psycopg 3."""
        if self.sqlite_path:
            return f"sqlite:///{self.sqlite_path}"
        return _through_psycopg(self.database_url)

    @property
    def slack_is_on(self) -> bool:
        """Whether cards are posted; without Slack, review goes on in the back office."""
        return self.slack_bot_token is not None and self.slack_signing_secret is not None

    @property
    def mail_is_on(self) -> bool:
        """Whether e-mail is sent; without it nothing is queued for it either."""
        return self.smtp_url is not None

    @property
    def smtp(self) -> SmtpServer:
        """The server that takes the mail. Raises BadSettings where e-mail is off."""
        if self.smtp_url is None:
            raise BadSettings("E-mail is off.", todo="Set SMTP_URL and MAIL_FROM.")
        return _smtp_server(self.smtp_url.get_secret_value())

    def secret(self, name: Literal["secret_key", "encryption_keys"]) -> str:
        """Return a secret: from the environment, else the one made on first start in `var`, read by its owner only."""
        given: SecretStr | None = getattr(self, name)
        return given.get_secret_value() if given else _made_on_first_start(self.var / name)


@cache
def settings() -> Settings:
    """Return the settings. Raises BadSettings, which names every setting that is missing or wrong."""
    try:
        found = Settings()
    except ValidationError as error:
        wrong = "; ".join(_what_is_wrong(*e["loc"], said=e["msg"]) for e in error.errors(include_input=False))
        raise BadSettings(f"Settings cannot be used: {wrong}.", todo="Correct them in the environment.") from None
    if found.env == "production":
        _refuse_unsafe(found)
    return found


def _what_is_wrong(*place: int | str, said: str) -> str:
    said = said.removeprefix("Value error, ")
    return f"{'.'.join(map(str, place))}: {said}" if place else said


def mail_address(text: str) -> Address:
    """Return an address such as `Recoup <desk@agency.example>`. Raises ValueError, which does not repeat the text."""
    try:
        [(name, spec)] = getaddresses([text])
        found = Address(name, addr_spec=spec)
    except (HeaderParseError, ValueError, IndexError):
        found = Address()
    if not found.username or "." not in found.domain or not text.isprintable() or not found.addr_spec.isascii():
        raise ValueError("is no e-mail address; write desk@agency.example or Agency <desk@agency.example>")
    return found


def _smtp_server(url: str) -> SmtpServer:
    """Return what SMTP_URL says. Raises ValueError, which does not repeat it: it holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _SMTP_PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            "write smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465, with %-escapes in the password"
        )
    return SmtpServer(
        host=parts.hostname,
        port=port or _SMTP_PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def clock_offset(clock_file: Path) -> timedelta:
    """Return how far a clock file moves the clock. Raises ValueError, which says what is wrong with the file."""
    try:
        seconds = float(clock_file.read_text().strip() or "0")
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise ValueError(
            f"{clock_file} cannot be read ({said}); write an offset in seconds into it, or unset it"
        ) from None
    except ValueError:
        seconds = float("nan")
    if not abs(seconds) <= _LARGEST_OFFSET.total_seconds():  # also for what is no number
        raise ValueError(f"{clock_file} does not hold an offset in seconds; write one into it, as -3600, or unset it")
    return timedelta(seconds=seconds)


def is_web_address(url: str) -> bool:
    """Tell whether `url` is a whole http or https address."""
    parts, port = _parts(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and url.isprintable()


def _is_redis_address(url: str) -> bool:
    parts, port = _parts(url)
    return (parts.scheme in {"redis", "rediss"} and port != 0) or (parts.scheme == "unix" and bool(parts.path))


def _parts(url: str) -> tuple[SplitResult, int | None]:
    """Return the parts of an address and its port: none of them, and port 0, where it cannot be taken apart."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        return urlsplit(""), 0


def _check_database_url(url: str) -> None:
    """Raise ValueError, which does not repeat the URL, where SQLAlchemy has no way to that database."""
    if url.startswith(_SQLITE_FILE):
        path = url.removeprefix(_SQLITE_FILE)
        if not path or (HOME / path).is_dir():
            raise ValueError("it names a folder; write sqlite:///FILE")
        return
    from sqlalchemy.engine import make_url  # a third of a second that SQLite's commands need not wait for
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        found = make_url(_through_psycopg(url))
        found.get_dialect().import_dbapi()
        is_usable = found.get_backend_name() != "sqlite" or not found.host
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        is_usable = False
    if not is_usable:
        raise ValueError(
            "is not a database address that can be used; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )


def _through_psycopg(url: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _refuse_unsafe(found: Settings) -> None:
    missing = [name.upper() for name in _REQUIRED_IN_PRODUCTION if not getattr(found, name)]
    if missing:
        raise BadSettings(f"RECOUP_ENV=production needs {' and '.join(missing)}.", todo="Set them in the environment.")
    if len(found.secret("secret_key")) < _SECRET_LENGTH:
        raise BadSettings("SECRET_KEY is too short for production.", todo=f"Use {_SECRET_LENGTH} random characters.")
    if found.clock_file:
        raise BadSettings("RECOUP_CLOCK_FILE is refused in production.", todo="Unset it.")


def _made_on_first_start(path: Path) -> str:
    """Return the secret in `path`, made now if there is none.

    Several processes may start at once: each writes a file of its own and the first to link it under the name wins,
    so nobody ever reads a file that is not whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = secrets.token_urlsafe(32) if path.name == "secret_key" else _fernet_key()
        handle, written = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(made)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(written, path)
        finally:
            os.unlink(written)
    return path.read_text().strip()


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()
