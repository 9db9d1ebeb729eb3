"""The tables that the migrations make are those of the models, on both databases, there and back."""

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

import db
import migrations
from models import Base, CommissionRate


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


def test_a_clients_rate_is_kept_as_the_rate_from_its_first_day(database: str) -> None:
    migrations.migrate("0001")
    with db.engine().execution_options(writes=True).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO clients (id, name, email, commission_rate, address, currency, time_zone, status,"
                " created_at, version) VALUES (1, 'Acme', 'o@a.example', 175000, '', 'USD', 'Asia/Tokyo', 'active',"
                f" '2026-11-23 20:00:00{'' if database.startswith('sqlite') else '+00:00'}', 1)"
            )
        )
    migrations.upgrade()
    with db.reading() as session:
        rates = session.scalars(select(CommissionRate)).all()
        assert [(rate.client_id, rate.valid_from, rate.rate) for rate in rates] == [
            (1, date(2026, 11, 24), Decimal("0.175"))
        ]
    migrations.migrate("0001")
    with db.engine().connect() as connection:
        assert connection.scalar(text("SELECT commission_rate FROM clients")) == 175000
    migrations.upgrade()


def test_flask_db_upgrade_works_from_any_folder(tmp_path: Path) -> None:
    wsgi = Path(migrations.__file__).parent.parent / "wsgi.py"
    command = [sys.executable, "-m", "flask", "--app", str(wsgi), "db", "upgrade"]
    url = f"sqlite:///{tmp_path}/made/recoup.db"
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert ended.stderr == f"The database now has schema version {db.SCHEMA} (it had no tables).\n"
