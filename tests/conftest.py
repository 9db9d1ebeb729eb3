"""What tests stand on: a database of their own, a fixed now, a clock to move; no setting of the machine leaks in."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

import config
import db
import migrations
from clock import real_now
from tests.factories import NOW
from tests.machine import cannot_run, postgres_programs
from tests.postgres import Cluster, cluster

# The same examples each time, however busy the machine is: what fails, fails again. RECOUP_NEW_EXAMPLES=1 tries others.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None)
hypothesis_settings.register_profile("new", deadline=None)
hypothesis_settings.load_profile("new" if os.environ.get("RECOUP_NEW_EXAMPLES") else "same")

_SETTINGS = [str(field.validation_alias) for field in config.Settings.model_fields.values()]
_TEMPLATE = "recoup_template"


@pytest.fixture(autouse=True)
def settings_of_the_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., None]]:
    """Unset every setting of the machine; the database is one that does not exist. Call it to set some."""
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)

    def set_some(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        db.dispose()
        config.settings.cache_clear()

    nowhere = tmp_path_factory.getbasetemp() / "nowhere"
    set_some(DATABASE_URL=f"sqlite:///{nowhere}/recoup.db", ARCHIVE_URL=str(nowhere / "archive"))
    yield set_some
    db.dispose()
    config.settings.cache_clear()


@pytest.fixture
def now() -> datetime:
    """The moment of a test: 23 Nov 2026, 09:14 UTC."""
    return NOW


@pytest.fixture
def set_clock(settings_of_the_test: Callable[..., None], tmp_path: Path) -> Callable[[datetime], None]:
    """Move the program's clock so that it is about that time now, in this process and in those it starts."""

    def move(to: datetime) -> None:
        file = tmp_path / "clock"
        file.write_text(str((to - real_now()).total_seconds()))
        settings_of_the_test(RECOUP_CLOCK_FILE=str(file))

    return move


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once through the migrations."""
    path = tmp_path_factory.mktemp("template") / "recoup.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server with a template that has all tables."""
    programs = postgres_programs()
    if programs is None:
        cannot_run("no PostgreSQL (initdb, postgres) on this machine")
    with cluster(programs) as server:
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        _migrated(server.url(_TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: Cluster) -> str:
    """The address of the test run's PostgreSQL server (its maintenance database, without tables)."""
    return postgres_cluster.url()


@pytest.fixture
def sqlite_database(settings_of_the_test: Callable[..., None], sqlite_template: Path, tmp_path: Path) -> str:
    """An empty SQLite database with all tables, of this test alone; DATABASE_URL and ARCHIVE_URL point to it."""
    path = tmp_path / "recoup.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    settings_of_the_test(DATABASE_URL=url, ARCHIVE_URL=str(tmp_path / "archive"))
    return url


@pytest.fixture
def postgres_database(
    settings_of_the_test: Callable[..., None], postgres_cluster: Cluster, tmp_path: Path
) -> Iterator[str]:
    """The same on PostgreSQL."""
    name = postgres_cluster.create(_TEMPLATE)
    url = postgres_cluster.url(name)
    settings_of_the_test(DATABASE_URL=url, ARCHIVE_URL=str(tmp_path / "archive"))
    yield url
    db.dispose()
    postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """An empty database with all tables, of this test alone; the test runs once on each kind."""
    url: str = request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")
    return url


@pytest.fixture
def slack_is_on(settings_of_the_test: Callable[..., None]) -> None:
    """Slack is set up (nothing answers): what is found is announced."""
    settings_of_the_test(SLACK_BOT_TOKEN="xoxb-test", SLACK_SIGNING_SECRET="signed", SLACK_REVIEW_CHANNEL="C0REVIEW")


def _migrated(url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        db.dispose()
        config.settings.cache_clear()
        migrations.upgrade()
        db.dispose()
        config.settings.cache_clear()
