"""Every setting, read once from the environment. Nothing else reads it."""

import contextlib
import os
import secrets
import tempfile
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import RecoupError

HOME = Path(__file__).resolve().parent
_SECRET_LENGTH = 32
_REQUIRED_IN_PRODUCTION = ("secret_key", "encryption_keys")


class BadSettings(RecoupError):
    """A setting is missing or cannot be used."""


class Settings(BaseSettings):
    """The settings of DESIGN section 3. Relative paths start at this file's folder."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    env: Literal["development", "production"] = Field("development", validation_alias="RECOUP_ENV")
    database_url: str = Field("sqlite:///var/recoup.db", validation_alias="DATABASE_URL")
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    archive_url: str = Field("var/archive", validation_alias="ARCHIVE_URL")
    secret_key: SecretStr | None = Field(None, validation_alias="SECRET_KEY")
    encryption_keys: SecretStr | None = Field(None, validation_alias="ENCRYPTION_KEYS")
    public_url: str = Field("http://127.0.0.1:5000", validation_alias="PUBLIC_URL")
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    slack_review_channel: str | None = Field(None, validation_alias="SLACK_REVIEW_CHANNEL")
    clock_file: Path | None = Field(None, validation_alias="RECOUP_CLOCK_FILE")

    @property
    def var(self) -> Path:
        """The folder of what the program itself writes: the SQLite file's, else `var`."""
        path = self.sqlite_path
        return path.parent if path else HOME / "var"

    @property
    def sqlite_path(self) -> Path | None:
        """The file of a SQLite database, absolute; None for another database or one in memory."""
        prefix = "sqlite:///"
        if not self.database_url.startswith(prefix) or self.database_url == prefix + ":memory:":
            return None
        return HOME / self.database_url.removeprefix(prefix)

    @property
    def resolved_database_url(self) -> str:
        """The database URL with a relative SQLite path made absolute and PostgreSQL through psycopg 3."""
        if self.sqlite_path:
            return f"sqlite:///{self.sqlite_path}"
        for scheme in ("postgres://", "postgresql://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def slack_is_on(self) -> bool:
        """Whether cards are posted; without Slack, review goes on in the back office."""
        return self.slack_bot_token is not None and self.slack_signing_secret is not None

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
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise BadSettings(f"Settings cannot be used: {wrong}.", todo="Correct them in the environment.") from None
    if found.env == "production":
        _refuse_unsafe(found)
    return found


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
