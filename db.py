"""The database: engine, sessions and the one way to change rows."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from config import settings
from errors import Moved, RecoupError
from models import LeaseRow

# The newest revision under migrations/. A constant, since asking Alembic takes a third of a second; a test compares.
SCHEMA = "0002"

_SQLITE_WAIT_SECONDS = 30
_CHECK_AGAIN_SECONDS = 60  # a process of an old version must not go on for long after an upgrade
_UPGRADE = "Run `flask db upgrade`."
_NEWER = "A newer Recoup made it: install that one, then run `flask db upgrade` if it asks for it."


class DatabaseUnavailable(RecoupError):
    """The database cannot be reached or did not answer in time."""


class SchemaMismatch(RecoupError):
    """The database's tables are not those that this program was written for."""


class LeaseLost(RecoupError):
    """Somebody else works on this now: what this holder wanted to write is not written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on something. `fence` rises with each holder; a transaction checks that it is the last."""

    name: str
    holder: str
    fence: int


@cache
def engine() -> Engine:
    """Return the engine of `DATABASE_URL`, made once a process. It connects at the first query."""
    return make_engine(settings().resolved_database_url)


def make_engine(url: str) -> Engine:
    """Return an engine whose writing sessions take SQLite's write lock before they read, so that no update is lost.

    Its errors name the statement but not the values: these are people's words and names, and errors go to the log.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    wait = {"timeout": _SQLITE_WAIT_SECONDS, "isolation_level": None}
    made = create_engine(url, connect_args=wait, hide_parameters=True)
    event.listen(made, "connect", _prepare_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    return made


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session that only reads; it waits for no writer.

    Raises SchemaMismatch and DatabaseUnavailable.
    """
    with errors_in_words():
        _require_schema()
        with Session(engine()) as session:
            yield session


@contextmanager
def transaction(lease: Lease | None = None) -> Iterator[Session]:
    """Open a session, commit at the end, and leave nothing behind on an error.

    Raises Moved where another session changed one of the rows first (version columns, on both databases), LeaseLost
    where `lease` has gone to somebody else, SchemaMismatch and DatabaseUnavailable.
    """
    with errors_in_words():
        _require_schema()
        with Session(engine().execution_options(writes=True), expire_on_commit=False) as session, session.begin():
            if lease:
                _check_fence(session, lease)
            yield session


def check_schema() -> None:
    """Raise SchemaMismatch unless the database has this program's tables, DatabaseUnavailable if it cannot be asked."""
    path = settings().sqlite_path
    if path and not path.exists():  # connecting would leave an empty file behind
        raise SchemaMismatch(f"There is no database at {path} yet.", todo=_UPGRADE)
    with errors_in_words(), engine().connect() as connection:
        found = schema_of(connection)
    if found is None:
        raise SchemaMismatch("The database has no tables of Recoup's yet.", todo=_UPGRADE)
    if found != SCHEMA:
        todo = _UPGRADE if found < SCHEMA else _NEWER  # revisions are numbered
        raise SchemaMismatch(f"The database has schema version {found}, this program needs {SCHEMA}.", todo=todo)


def schema_of(connection: Connection) -> str | None:
    """Return the revision that the database's tables have, None where there are none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return ", ".join(sorted(found)) or None


def dispose() -> None:
    """Close all connections and forget the engine: for tests, and where the settings change in one process."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    _checked_at.clear()


_checked_at: dict[str, float] = {}


def _require_schema() -> None:
    """Check the schema, now and then: each process lives long, and asking costs a few milliseconds."""
    url = settings().database_url
    if time.monotonic() - _checked_at.get(url, -_CHECK_AGAIN_SECONDS) < _CHECK_AGAIN_SECONDS:
        return
    check_schema()
    _checked_at[url] = time.monotonic()


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Raise what the driver and the version columns say as Moved and DatabaseUnavailable, which people can read."""
    try:
        yield
    except StaleDataError as error:
        raise Moved("Somebody else was faster.", todo="Look at it again.") from error
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise  # a wrong statement or a broken constraint is a bug
        raise _in_words(error) from error


def _in_words(error: DatabaseError) -> DatabaseUnavailable:
    path, said = settings().sqlite_path, f"The database could not be used: {_first_line(error)}."
    code = getattr(error.orig, "sqlite_errorcode", None)
    if path is None:
        return DatabaseUnavailable(said, todo="Check that it runs and that DATABASE_URL is right.")
    if code == sqlite3.SQLITE_NOTADB:
        said = f"{path} is not a database of Recoup's but a file of another kind."
        todo = "Set DATABASE_URL to the right file, or move this one away and run `flask db upgrade` for an empty one."
    elif code == sqlite3.SQLITE_CORRUPT:
        todo = f"{path} is damaged: put its last backup in its place."
    else:
        todo = f"Check that {path} can be read and written, and that no other program holds it."
    return DatabaseUnavailable(said, todo=todo)


def _first_line(error: DatabaseError) -> str:
    """Return what the driver said, without SQL and values."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _check_fence(session: Session, lease: Lease) -> None:
    """Raise LeaseLost unless nobody took the lease since; the row stays locked to the end, so nobody can meanwhile."""
    held = session.scalar(select(LeaseRow.fence).where(LeaseRow.name == lease.name).with_for_update())
    if held != lease.fence:
        raise LeaseLost(
            f"{lease.name} is worked on by somebody else now.", todo="Nothing was written; it will be done."
        )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _forget_inherited_connections() -> None:
    if engine.cache_info().currsize:
        engine().dispose(close=False)


# A connection belongs to the process that opened it: an RQ worker forks for each job.
os.register_at_fork(after_in_child=_forget_inherited_connections)
