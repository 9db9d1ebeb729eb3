"""`flask audit` as a command: what it prints where, how it ends, and what it leaves alone."""

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.golden_cases import HOME as GOLDEN
from wsgi import create_app

HOME = Path(__file__).parents[2]
LEDGER, PAID = "GET_LEDGER_DETAIL_VIEW_DATA", "GET_FBA_REIMBURSEMENTS_DATA"
REMOVED = "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA"
WHOLE_YEAR = "2026-01-01..2026-12-31"
# A loss of June 1, 2026, of three units at 4.10.
LOST = GOLDEN / "warehouse_lost" / "neither_found_nor_paid"
# One that is claimable until the last day, one from the first on, one upcoming, one lapsed, as of June 30, 2026.
FOUR = GOLDEN / "warehouse_damaged" / "upcoming_lapsed_and_claimable"
COVERED = [f"--covers={report}={WHOLE_YEAR}" for report in (LEDGER, PAID, REMOVED)]

Audit = Callable[..., Result]


@pytest.fixture
def audit() -> Audit:
    def run(*arguments: object) -> Result:
        result = create_app(with_web=False).test_cli_runner().invoke(args=["audit", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.stderr
        return result

    return run


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder with the report files of one loss, as somebody downloaded them."""
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in ("ledger.txt", "costs.csv"):
        shutil.copy(LOST / name, folder)
    return folder


def four_on(folder: Path) -> list[object]:
    return [*sorted(folder.glob("*.[tc][xs][tv]")), "--as-of=2026-06-30", *COVERED]


def found(result: Result) -> list[dict[str, Any]]:
    document = json.loads(result.stdout)
    discrepancies: list[dict[str, Any]] = document["discrepancies"]
    return discrepancies


def claims_of(result: Result) -> list[tuple[str, int, str]]:
    return [(each["claim_type"], each["quantity"], each["value"]) for each in found(result)]


ONE_LOSS = [("warehouse_lost", 3, "12.30")]


def test_the_table_shows_what_can_be_claimed_now(audit: Audit) -> None:
    shown = audit(*four_on(FOUR))
    assert shown.exit_code == 0
    assert len(lines_about(shown, "X001GPRESS")) == 2
    assert "30 Jun 2026" in shown.stdout
    assert len(lines_about(audit(*four_on(FOUR), "--all"), "X001GPRESS")) == 4


def lines_about(result: Result, word: str) -> list[str]:
    return [line for line in result.stdout.splitlines() if word in line]


def test_json_and_csv_always_have_all_in_one_order(audit: Audit) -> None:
    statuses = ["claimable", "claimable", "upcoming", "lapsed"]
    assert [each["status"] for each in found(audit(*four_on(FOUR), "--format=json"))] == statuses
    rows = list(csv.DictReader(io.StringIO(audit(*four_on(FOUR), "--format=csv").stdout)))
    assert [row["status"] for row in rows] == statuses
    assert [row["event_date"] for row in rows] == ["2026-05-01", "2026-06-15", "2026-06-16", "2026-04-30"]


def test_the_document_has_the_shape_that_programs_read(audit: Audit) -> None:
    document = json.loads(audit(*four_on(FOUR), "--format=json").stdout)
    assert list(document) == [
        "schema", "as_of", "reports", "refused", "warnings", "discrepancies", "observations", "summary",
    ]  # fmt: skip
    assert (document["schema"], document["as_of"], document["refused"]) == (1, "2026-06-30", [])
    assert [(r["file"], r["report_type"], r["rows"], r["rejected"]) for r in document["reports"]] == [
        ("costs.csv", "costs", 1, 0),
        ("ledger.txt", LEDGER, 4, 0),
    ]
    counts = {status: of["count"] for status, of in document["summary"].items()}
    assert counts == {"claimable": 2, "with_caveats": 0, "upcoming": 1, "lapsed": 1}
    assert document["summary"]["claimable"]["value"] == {"USD": "8.20"}


def test_csv_without_findings_has_the_same_header(audit: Audit) -> None:
    full = audit(*four_on(FOUR), "--format=csv").stdout.splitlines()
    empty = audit(*four_on(FOUR), "--as-of=2026-04-01", "--format=csv").stdout.splitlines()
    assert empty == full[:1]


def test_no_cell_of_the_csv_is_a_formula(audit: Audit, reports: Path) -> None:
    ledger = reports / "ledger.txt"
    ledger.write_text(ledger.read_text().replace("Steel Garlic Press", "=HYPERLINK(1)"))
    row = next(csv.DictReader(io.StringIO(audit(reports, *COVERED, "--as-of=2026-07-01", "--format=csv").stdout)))
    assert row["title"] == "'=HYPERLINK(1)"


def test_the_latest_row_is_the_as_of_date(audit: Audit) -> None:
    cases = GOLDEN / "warehouse_lost" / "found_under_another_sku_by_asin"
    result = audit(cases / "ledger.txt", "--format=json")
    assert json.loads(result.stdout)["as_of"] == "2026-06-20"


def test_rows_after_the_as_of_date_do_not_exist(audit: Audit) -> None:
    found_later = GOLDEN / "warehouse_lost" / "found_in_part"
    files = [found_later / "ledger.txt", found_later / "costs.csv", *COVERED, "--format=json"]
    assert claims_of(audit(*files, "--as-of=2026-06-03")) == [("warehouse_lost", 5, "20.50")]
    assert claims_of(audit(*files, "--as-of=2026-06-04")) == [("warehouse_lost", 3, "12.30")]
    assert claims_of(audit(*files, "--as-of=2026-05-31")) == []


def test_a_stated_window_stands_for_a_file_without_rows(audit: Audit, reports: Path) -> None:
    day = ["--as-of=2026-07-01", "--format=json"]
    silent = audit(reports, *day, f"--covers={LEDGER}={WHOLE_YEAR}")
    assert (silent.exit_code, claims_of(silent)) == (0, [])
    assert [warning["code"] for warning in json.loads(silent.stdout)["warnings"]] == ["missing_report"]
    assert "reimbursements" in silent.stderr.lower()
    assert claims_of(audit(reports, *day, *COVERED)) == ONE_LOSS


@pytest.mark.parametrize(
    "wrong",
    [
        ["--as-of=2026-13-01"],
        ["--as-of=yesterday"],
        ["--as-of=01.06.2026"],
        ["--marketplace=XX"],
        ["--format=xml"],
        ["--covers=GET_LEDGER_DETAIL_VIEW_DATA"],
        ["--covers=GET_LEDGER_DETAIL_VIEW_DATA=2026-06-01"],
        ["--covers=GET_LEDGER_DETAIL_VIEW_DATA=2026-06-30..2026-06-01"],
        ["--covers=GET_SOMETHING_ELSE=2026-06-01..2026-06-30"],
        ["--no-such-option"],
    ],
    ids=lambda wrong: wrong[0],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(audit: Audit, reports: Path, wrong: list[str]) -> None:
    result = audit(reports, *wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert wrong[0].split("=")[0].strip("-") in result.stderr


def test_no_path_is_wrong_usage(audit: Audit) -> None:
    assert audit().exit_code == 2


def test_rejected_rows_and_warnings_alone_end_with_0(audit: Audit, reports: Path) -> None:
    ledger = reports / "ledger.txt"
    good = ledger.read_text().splitlines()[1]
    others = [good.replace('"M"', '"F"').replace('"-3"', '"0"')] * 9
    ledger.write_text(ledger.read_text() + "\n".join([*others, good.replace('"-3"', '"three"'), ""]))
    result = audit(reports, *COVERED, "--as-of=2026-07-01", "--format=json")
    assert (result.exit_code, claims_of(result)) == (0, ONE_LOSS)
    (warning,) = json.loads(result.stdout)["warnings"]
    assert (warning["code"], warning["file"], warning["line"]) == ("rejected_row", "ledger.txt", 12)
    assert "three" in warning["message"]


def test_a_refused_file_ends_with_1_after_all_else_is_reported(audit: Audit, reports: Path) -> None:
    (reports / "notes.txt").write_text("Call the supplier\non Monday\n")
    result = audit(reports, *COVERED, "--as-of=2026-07-01", "--format=json")
    assert (result.exit_code, claims_of(result)) == (1, ONE_LOSS)
    assert [(r["file"], r["code"]) for r in json.loads(result.stdout)["refused"]] == [("notes.txt", "unknown_header")]
    assert [line for line in result.stderr.splitlines() if line.startswith("notes.txt")] != []


@pytest.mark.parametrize("name", ["nowhere.txt", "empty"])
def test_nothing_to_read_ends_with_1_and_one_line(audit: Audit, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    result = audit(tmp_path / name, "--format=json")
    assert result.exit_code == 1
    assert found(result) == []
    assert len([line for line in result.stderr.splitlines() if name in line]) == 1


def test_a_truncated_download_is_refused_and_the_rest_counts(audit: Audit, reports: Path) -> None:
    whole = gzip.compress((reports / "ledger.txt").read_bytes() * 50)
    (reports / "cut.txt.gz").write_bytes(whole[: len(whole) // 2])
    result = audit(reports, *COVERED, "--as-of=2026-07-01", "--format=json")
    assert (result.exit_code, claims_of(result)) == (1, ONE_LOSS)
    assert [r["file"] for r in json.loads(result.stdout)["refused"]] == ["cut.txt.gz"]


def test_own_files_may_be_given_by_option_or_as_paths(audit: Audit) -> None:
    common = [LOST / "ledger.txt", *COVERED, "--as-of=2026-07-01", "--format=json"]
    assert claims_of(audit(*common, f"--costs={LOST / 'costs.csv'}")) == ONE_LOSS
    assert claims_of(audit(*common, LOST / "costs.csv", f"--costs={LOST / 'costs.csv'}")) == ONE_LOSS


def test_a_report_given_as_costs_is_refused(audit: Audit) -> None:
    paid = GOLDEN / "warehouse_lost" / "paid_in_cash_and_in_stock" / "reimbursements.txt"
    result = audit(LOST / "ledger.txt", f"--costs={paid}", "--format=json")
    assert result.exit_code == 1
    assert [r["file"] for r in json.loads(result.stdout)["refused"]] == ["reimbursements.txt"]


def test_the_same_file_twice_counts_once_and_archives_are_opened(audit: Audit, reports: Path, tmp_path: Path) -> None:
    ledger, archive = reports / "ledger.txt", tmp_path / "download.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(ledger, "inside/report.txt")
    day = [reports / "costs.csv", *COVERED, "--as-of=2026-07-01", "--format=json"]
    assert claims_of(audit(ledger, ledger, *day)) == ONE_LOSS
    assert claims_of(audit(ledger, archive, *day)) == ONE_LOSS
    (alone,) = found(audit(archive, *day))
    assert alone["evidence"][0]["file"] == "download.zip!inside/report.txt"


def test_a_policy_of_ones_own_is_laid_over(audit: Audit, reports: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    row = 'group = "warehouse"\nfrom = 2024-10-23\nwait = "40 days"\nlast = "60 days"\nconfirmed = false\nsource = "us"'
    own.write_text(f"[[window]]\n{row}\n")
    day = [reports, *COVERED, "--as-of=2026-07-01", "--format=json"]
    (waiting,) = found(audit(*day, f"--policy={own}"))
    assert (waiting["status"], waiting["opens_on"], waiting["policy_confirmed"]) == ("upcoming", "2026-07-11", False)


@pytest.mark.parametrize("text", ["window = nonsense", '[[window]]\ngroup = "warehouse"\n', None])
def test_a_policy_that_cannot_be_used_is_one_line(audit: Audit, reports: Path, tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.toml"
    if text is not None:
        own.write_text(text)
    result = audit(reports, f"--policy={own}")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert "own.toml" in result.stderr


def test_output_goes_to_the_file_and_talk_to_the_screen(audit: Audit, tmp_path: Path) -> None:
    written = tmp_path / "found.json"
    shown = audit(*four_on(FOUR), "--format=json")
    quiet = audit(*four_on(FOUR), "--format=json", f"--output={written}")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", shown.stderr)
    assert written.read_text(encoding="utf-8") == shown.stdout


def test_an_output_that_cannot_be_written_is_one_line(audit: Audit, tmp_path: Path) -> None:
    result = audit(*four_on(FOUR), f"--output={tmp_path / 'no' / 'such' / 'folder.json'}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "folder.json" in result.stderr


def test_another_marketplace_has_its_own_zone_currency_and_policy(audit: Audit) -> None:
    case = GOLDEN / "warehouse_lost" / "found_across_a_customs_border"
    day = [case / "ledger.txt", case / "costs.csv", *COVERED, "--as-of=2026-07-01", "--format=json"]
    (german,) = found(audit(*day, "--marketplace=de"))
    assert (german["marketplace"], german["currency"], german["policy"]) == ("DE", "EUR", "eu/2025-01-09")


# -- as a process of its own -------------------------------------------------------------------------------------------


def flask(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "audit", *map(str, arguments)],
        cwd=HOME,
        env=clean | {"FLASK_SKIP_DOTENV": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_two_processes_print_the_same_bytes_and_keep_talk_apart() -> None:
    runs = [flask(*four_on(FOUR), "--format=json", PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert [run.returncode for run in runs] == [0, 0]
    assert runs[0].stdout == runs[1].stdout
    assert len(json.loads(runs[0].stdout)["discrepancies"]) == 4
    assert "Warning" not in runs[0].stderr
    assert "2 reports with 5 rows read" in runs[0].stderr
    assert "\x1b" not in runs[0].stderr


def test_it_needs_no_database_and_leaves_var_alone(tmp_path: Path) -> None:
    var = tmp_path / "var"
    audited = flask(*four_on(FOUR), DATABASE_URL=f"sqlite:///{var}/recoup.db", ARCHIVE_URL=str(var / "archive"))
    assert audited.returncode == 0
    assert not var.exists()


def test_a_pipe_or_device_is_refused_in_one_line(audit: Audit) -> None:
    ended = audit("/dev/null")
    assert ended.exit_code == 1
    assert "not a file but a pipe or a device" in ended.stderr


def test_a_policy_file_that_says_nothing_known_is_refused(audit: Audit, tmp_path: Path) -> None:
    overlay = tmp_path / "ours.toml"
    overlay.write_text("[groups.warehouse]\nwait = 5\n")
    ended = audit("/dev/null", "--policy", overlay)
    assert ended.exit_code == 1
    assert ended.stderr.startswith("The policy file ours.toml has 'groups'")
