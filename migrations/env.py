"""How Alembic reaches the database: one connection, one transaction for all, one upgrade at a time."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from db import engine
from models import Base

_UPGRADE_LOCK = 7325001  # any number, the same in every version


def _run(connection: Connection) -> None:
    # All or nothing, on SQLite too, which can do it. Its ALTER cannot do much: batch mode makes a table anew.
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        context.run_migrations()


def _run_on_sqlite(connection: Connection) -> None:
    """Make tables anew without their foreign keys in the way; SQLite looks at this switch outside transactions only."""
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        _run(connection)
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


with engine().execution_options(writes=True).connect() as opened:
    if opened.dialect.name == "sqlite":
        _run_on_sqlite(opened)
    else:
        _run(opened)
