"""`flask import` and `flask daily`: the same findings as `flask audit` on the same files, in the database."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from claims import leases
from claims.leases import account_lease, held
from db import reading, transaction
from models import Account, AccountStatus, Client, ClientStatus, Discrepancy, Import, Run, RunState
from sandbox.world import write
from tests.factories import make_account, make_client
from wsgi import create_app

_USED = ("ledger-2026-1", "reimbursements", "costs", "removal_orders", "returns", "finances", "inbound")
AS_OF = date(2026, 11, 23)
FIELDS = (
    "claim_type",
    "fnsku",
    "msku",
    "quantity",
    "value",
    "currency",
    "opens_on",
    "closes_on",
    "value_basis",
    "policy",
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of a simulated seller's files: enough for rules of every kind of input, few enough to be read often."""
    folder = tmp_path_factory.mktemp("world")
    write(folder, seed=3, until=date(2026, 11, 22), scale=0.05)
    for path in (folder / "reports").iterdir():
        if not path.name.startswith(_USED):
            path.unlink()
    return folder / "reports"


def onboarding_account() -> int:
    with transaction() as session:
        client = make_client(session, name="Northwind", status=ClientStatus.ONBOARDING)
        return make_account(session, client, name="US").id


@pytest.fixture
def account_id(sqlite_database: str) -> int:
    return onboarding_account()


@pytest.fixture
def flask(settings_of_the_test: Callable[..., None]) -> Callable[..., Any]:
    """Run a command in this process; nobody hears the doorbell."""
    settings_of_the_test(REDIS_URL="unix:///nobody/listens")
    runner: FlaskCliRunner = create_app(with_web=False).test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments])


def found_by_audit(flask: Callable[..., Any], *paths: Path) -> dict[str, dict[str, Any]]:
    ended = flask("audit", *paths, "--as-of", AS_OF, "--format", "json")
    return {each["fingerprint"]: each for each in json.loads(ended.stdout)["discrepancies"]}


def stored() -> dict[str, Discrepancy]:
    with reading() as session:
        rows = session.scalars(
            select(Discrepancy).options(selectinload(Discrepancy.evidence), selectinload(Discrepancy.caveats))
        )
        return {row.fingerprint: row for row in rows}


def test_import_then_daily_gives_what_audit_gives(flask: Any, database: str, reports: Path) -> None:
    assert flask("import", "--account", onboarding_account(), reports).exit_code == 0
    assert flask("daily", "--as-of", AS_OF).exit_code == 0
    audited, rows = found_by_audit(flask, reports), stored()
    assert set(rows) == set(audited)
    assert len({row.claim_type for row in rows.values()}) > 2
    for fingerprint, row in rows.items():
        expected = audited[fingerprint]
        assert [text(getattr(row, name)) for name in FIELDS] == [text(expected[name]) for name in FIELDS]
        assert [(line.file, line.line, line.role) for line in row.evidence] == [
            (line["file"], line["line"], line["role"]) for line in expected["evidence"]
        ]
        assert sorted(caveat.code for caveat in row.caveats) == sorted(expected["caveats"])
        assert all(line.text and line.sha256 for line in row.evidence)
        assert all(line.header for line in row.evidence if line.file.endswith(".txt"))


def text(value: object) -> str:
    return "" if value is None else str(value)


def test_files_imported_one_by_one_give_the_same(flask: Any, account_id: int, reports: Path) -> None:
    ledgers = sorted(reports.glob("ledger-*"))
    others = [path for path in reports.iterdir() if path not in ledgers]
    for part in (ledgers[1:], others, ledgers):
        assert flask("import", "--account", account_id, *part).exit_code == 0
    assert flask("daily", "--as-of", AS_OF).exit_code == 0
    assert set(stored()) == set(found_by_audit(flask, reports))


def test_an_import_says_what_it_read_and_makes_client_and_detection_due(
    flask: Any, account_id: int, reports: Path
) -> None:
    ended = flask("import", "--account", account_id, reports / "reimbursements.txt")
    assert ended.stdout.startswith("reimbursements.txt: GET_FBA_REIMBURSEMENTS_DATA, ")
    with reading() as session:
        assert session.scalars(select(Client.status)).one() is ClientStatus.ACTIVE
        import_id = session.scalars(select(Import.id)).one()
        run = session.scalars(select(Run)).one()
    assert (run.kind, run.slot, run.state) == ("detect", f"import-{import_id}", RunState.DUE)


def test_runs_say_what_is_due_and_what_was_done(flask: Any, account_id: int, reports: Path) -> None:
    flask("import", "--account", account_id, reports / "costs.csv")
    [due] = json.loads(flask("runs", "list", "--format", "json").stdout)
    assert (due["kind"], due["client"], due["state"], due["finished_at"]) == ("detect", "Northwind", "due", None)
    flask("daily")
    [done] = json.loads(flask("runs", "list", "--state", "done", "--format", "json").stdout)
    assert (done["id"], done["account_id"], done["error"]) == (due["id"], account_id, None)
    assert done["finished_at"]
    assert flask("runs", "list", "--state", "due").stdout == ""


def test_what_cannot_be_used_is_named_and_the_rest_counts(
    flask: Any, account_id: int, reports: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("shopping\tlist\nmilk\t1\n")
    ended = flask("import", "--account", account_id, tmp_path / "notes.txt", reports / "reimbursements.txt")
    assert ended.exit_code == 1
    assert "notes.txt" in ended.stderr
    assert "reimbursements.txt" in ended.stdout
    assert "Traceback" not in ended.output


def test_where_nothing_can_be_read_nothing_is_due(flask: Any, account_id: int, tmp_path: Path) -> None:
    ended = flask("import", "--account", account_id, tmp_path / "none.txt")
    assert ended.exit_code == 1
    assert "none.txt" in ended.stderr
    with reading() as session:
        assert session.scalars(select(Run)).all() == []
        assert session.scalars(select(Client.status)).one() is ClientStatus.ONBOARDING


@pytest.mark.parametrize("arguments", [("import", "--account", "77", "."), ("daily", "--account", "77")])
def test_an_account_that_is_not_there_is_one_line(flask: Any, sqlite_database: str, arguments: tuple[str, ...]) -> None:
    ended = flask(*arguments)
    assert (ended.exit_code, ended.stderr) == (1, "There is no account 77. See `flask accounts list`.\n")


def test_daily_takes_the_day_of_the_marketplace(
    flask: Any, account_id: int, set_clock: Callable[[datetime], None]
) -> None:
    set_clock(datetime(2026, 11, 24, 3, 0, tzinfo=UTC))  # the evening before in Los Angeles
    assert flask("daily").stdout == "Northwind, US, as of 23 Nov 2026: nothing new.\n"


def test_daily_does_what_is_due_and_a_second_time_changes_nothing(flask: Any, account_id: int, reports: Path) -> None:
    flask("import", "--account", account_id, reports)
    first = flask("daily")
    with reading() as session:
        assert [run.state for run in session.scalars(select(Run))] == [RunState.DONE]
    second = flask("daily")
    assert " new" in first.stdout
    assert second.stdout.endswith(": nothing new.\n")


def test_daily_goes_on_after_an_account_that_failed(
    flask: Any, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:
        make_account(session, make_client(session, name="Southwind"), name="DE", marketplace="DE")
    monkeypatch.setattr(leases, "_PATIENCE_SECONDS", 0)
    with held(account_lease(account_id)):
        ended = flask("daily")
    assert ended.exit_code == 1
    assert "Northwind, US: account:" in ended.stderr
    assert "1 of 2 accounts failed." in ended.stderr
    assert ended.stdout.startswith("Southwind, DE, as of ")


def test_daily_leaves_paused_accounts_alone_unless_one_is_named(flask: Any, account_id: int) -> None:
    with transaction() as session:
        session.get_one(Account, account_id).status = AccountStatus.PAUSED
    assert flask("daily").stderr == "There is no active account. Add one with `flask accounts add`.\n"
    assert flask("daily", "--account", account_id).stdout.startswith("Northwind, US, as of ")


def test_daily_names_the_messages_that_stay(
    flask: Any, account_id: int, reports: Path, slack_is_on: None, settings_of_the_test: Callable[..., None]
) -> None:
    settings_of_the_test(SLACK_API_URL="http://127.0.0.1:1/api/")
    flask("import", "--account", account_id, reports)
    ended = flask("daily")
    assert ended.exit_code == 0
    assert "Not sent: card:" in ended.stderr
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    "arguments", [("daily", "--as-of", "yesterday"), ("import", "."), ("import", "--account", "1")]
)
def test_wrong_usage_ends_with_two(flask: Any, arguments: tuple[str, ...]) -> None:
    assert flask(*arguments).exit_code == 2
