"""A database of another version is refused, an unreachable one told in a line, a lost lease writes nothing."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import db
import migrations
from claims.leases import acquire
from errors import Moved, RecoupError
from models import Client
from tests.factories import NOW, make_client


def _refusal(open_session: Callable[[], object]) -> str:
    db.dispose()
    with pytest.raises(db.SchemaMismatch) as refused, open_session():  # type: ignore[attr-defined]
        pass
    return str(refused.value)


@pytest.mark.parametrize("open_session", [db.reading, db.transaction])
@pytest.mark.parametrize("found", ["0000", "9999"])
def test_another_version_is_refused_with_what_to_run(
    database: str, open_session: Callable[[], object], found: str
) -> None:
    with db.transaction() as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{found}'"))
    told = _refusal(open_session)
    assert found in told
    if found == "9999":
        assert "A newer Recoup made it: install that one" in told
    else:
        assert told.endswith("Run `flask db upgrade`.")
    assert "\n" not in told


def test_a_process_notices_an_upgrade_that_happened_while_it_ran(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with db.reading():
        pass
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(db.SchemaMismatch), db.reading():
        pass


@pytest.mark.parametrize("open_session", [db.reading, db.transaction])
def test_a_database_without_tables_is_refused(database: str, open_session: Callable[[], object]) -> None:
    migrations.migrate("base")
    assert _refusal(open_session) == "The database has no tables of Recoup's yet. Run `flask db upgrade`."


def test_a_missing_file_is_refused_and_not_made(settings_of_the_test: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "none" / "recoup.db"
    settings_of_the_test(DATABASE_URL=f"sqlite:///{path}")
    assert _refusal(db.reading) == f"There is no database at {path} yet. Run `flask db upgrade`."
    assert not path.parent.exists()


def test_a_version_this_program_does_not_know_is_not_upgraded(database: str) -> None:
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(db.SchemaMismatch, match="9999, which this program does not know"):
        migrations.upgrade()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://nobody:pw-secret@127.0.0.1:1/none", "could not be used"),
        ("mysql://nobody:pw-secret@127.0.0.1/none", "not a database address"),
        ("what is this", "not a database address"),
        ("sqlite:////proc/none/recoup.db", "cannot be made"),
    ],
)
def test_an_unreachable_database_is_told_in_one_line_without_its_password(
    settings_of_the_test: Callable[..., None], url: str, told: str
) -> None:
    settings_of_the_test(DATABASE_URL=url)
    with pytest.raises(RecoupError) as unreachable:
        migrations.upgrade()
    assert told in str(unreachable.value)
    assert "\n" not in str(unreachable.value)
    assert "pw-secret" not in str(unreachable.value)


def test_a_file_that_is_no_database_is_told_in_one_line(
    settings_of_the_test: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "recoup.db"
    path.write_text("Dear diary, " * 100)
    settings_of_the_test(DATABASE_URL=f"sqlite:///{path}")
    for use in (db.check_schema, migrations.upgrade, lambda: db.reading().__enter__()):
        with pytest.raises(db.DatabaseUnavailable) as told:
            use()
        assert str(told.value).startswith(f"{path} is not a database of Recoup's but a file of another kind. Set ")
        assert "move this one away and run `flask db upgrade`" in str(told.value)
    assert path.read_text().startswith("Dear diary")


def test_a_damaged_database_is_told_with_its_file(sqlite_database: str, tmp_path: Path) -> None:
    path = tmp_path / "recoup.db"
    path.write_bytes(path.read_bytes()[:100] + b"junk" * 20_000)
    with pytest.raises(db.DatabaseUnavailable, match=r"recoup\.db is damaged: put its last backup in its place"):
        db.check_schema()


def test_a_row_that_another_session_changed_first_is_moved(database: str) -> None:
    with db.transaction() as session:
        client_id = make_client(session, name="Acme").id
    with db.reading() as session:
        stale = session.get_one(Client, client_id)
    with db.transaction() as session:
        session.get_one(Client, client_id).address = "first"
    stale.address = "second"
    with pytest.raises(Moved, match="faster"), db.transaction() as session:
        session.add(stale)


def test_nothing_is_written_under_a_lease_that_somebody_else_took(database: str) -> None:
    ttl = timedelta(seconds=30)
    slow = acquire("account:1", holder="slow", ttl=ttl, now=NOW)
    with db.transaction(slow) as session:
        make_client(session, name="In time")
    quick = acquire("account:1", holder="quick", ttl=ttl, now=NOW + ttl)
    assert quick.fence > slow.fence
    with pytest.raises(db.LeaseLost), db.transaction(slow) as session:
        make_client(session, name="Too late")
    with db.transaction(quick) as session:
        make_client(session, name="Quick")
    with db.reading() as session:
        names = set(session.execute(text("SELECT name FROM clients")).scalars())
    assert names == {"In time", "Quick"}


def test_a_reader_waits_for_no_writer(database: str) -> None:
    is_writing, is_read = threading.Event(), threading.Event()

    def write() -> None:
        with db.transaction() as session:
            make_client(session, name="Slow")
            is_writing.set()
            is_read.wait(timeout=20)

    writer = threading.Thread(target=write)
    writer.start()
    assert is_writing.wait(timeout=20)
    with db.reading() as session:
        assert session.execute(text("SELECT count(*) FROM clients")).scalar() == 0
    is_read.set()
    writer.join(timeout=20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot run: no fork on this system")
def test_a_forked_process_opens_connections_of_its_own(database: str) -> None:
    with db.reading() as session:
        session.execute(text("SELECT 1"))
    child = os.fork()
    if child == 0:
        written = 1
        try:
            with db.transaction() as session:
                make_client(session, name="Child")
            written = 0
        finally:
            os._exit(written)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with db.reading() as session:
        assert session.execute(text("SELECT name FROM clients")).scalars().all() == ["Child"]


def test_an_error_tells_no_values_to_the_log(database: str) -> None:
    with pytest.raises(IntegrityError) as failed, db.transaction() as session:
        session.execute(text("INSERT INTO users (name) VALUES (:name)"), {"name": "Ann Secret"})
    assert "INSERT INTO users" in str(failed.value)
    assert "Ann Secret" not in str(failed.value).split("DETAIL")[0]
