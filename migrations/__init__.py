"""The database's history: one revision a change of the tables, run by `flask db upgrade`."""

from pathlib import Path
from typing import TYPE_CHECKING

from config import settings
from db import SCHEMA, DatabaseUnavailable, SchemaMismatch, dispose, engine, errors_in_words, schema_of

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).parent


def upgrade() -> str | None:
    """Bring the tables to this program's version, or make them, all or nothing.

    Returns the version they had, None for none. Raises SchemaMismatch for tables of a version that this program does
    not know, and DatabaseUnavailable.
    """
    _make_folder()
    with errors_in_words():
        with engine().connect() as connection:
            found = schema_of(connection)
        if found is not None and found not in known_versions():
            raise SchemaMismatch(
                f"The database has schema version {found}, which this program does not know.",
                todo="It was made by a newer one: bring the program up to date, then run `flask db upgrade`.",
            )
        migrate(SCHEMA)
    return found


def migrate(to: str) -> None:
    """Bring the database of the settings to version `to` ("base" for no tables), up or down."""
    from alembic import command

    back = to == "base" or (_version() or "") > to
    (command.downgrade if back else command.upgrade)(_config(), to)
    dispose()


def known_versions() -> list[str]:
    """Return the versions that this program can bring up to date, newest first."""
    from alembic.script import ScriptDirectory

    return [revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()]


def _version() -> str | None:
    with engine().connect() as connection:
        return schema_of(connection)


def _config() -> "Config":
    from alembic.config import Config

    made = Config()  # no alembic.ini: the settings say where the database is
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def _make_folder() -> None:
    path = settings().sqlite_path
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The folder {path.parent} cannot be made: {error.strerror}.", todo="Correct DATABASE_URL."
        ) from error
