"""The database: engine, sessions and the one way to change rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from config import settings
from errors import Moved

_SQLITE_WAIT_SECONDS = 30


@cache
def engine() -> Engine:
    """Return the engine of `DATABASE_URL`, made once a process. It connects at the first query."""
    return make_engine(settings().resolved_database_url)


def make_engine(url: str) -> Engine:
    """Return an engine whose writing sessions take SQLite's write lock before they read, so that no update is lost."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    if settings().sqlite_path:
        settings().var.mkdir(parents=True, exist_ok=True)
    made = create_engine(url, connect_args={"timeout": _SQLITE_WAIT_SECONDS, "isolation_level": None})
    event.listen(made, "connect", _prepare_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    return made


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session that only reads; it waits for no writer."""
    with Session(engine()) as session:
        yield session


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a session, commit at the end, and leave nothing behind on an error.

    Raises Moved where another session changed one of the rows first (version columns, on both databases).
    """
    with Session(engine().execution_options(writes=True), expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except StaleDataError as error:
            raise Moved("Somebody else was faster.", todo="Look at it again.") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
