"""The tables that the migrations make are those of the models, on both databases, there and back."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import db
import migrations
from models import Base


def _differences() -> list[object]:
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def _tables() -> set[str]:
    with db.engine().connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_constant_is_the_newest_revision() -> None:
    assert migrations.known_versions()[0] == db.SCHEMA


def test_migrated_tables_are_those_of_the_models(database: str) -> None:
    assert _differences() == []


def test_the_last_migration_goes_back_and_forth(database: str) -> None:
    migrations.migrate("base")
    assert _tables() == {"alembic_version"}
    assert migrations.upgrade() is None
    assert _differences() == []
    assert migrations.upgrade() == db.SCHEMA
