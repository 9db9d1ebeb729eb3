"""What the machine could not run is named at the end, and is a failure where everything is asked for.

A test says so by skipping (`tests/conftest.py` has the reasons in words). With `RECOUP_TEST_ALL=1` nothing may be
skipped or expected to fail.
"""

import os
from collections import Counter
from collections.abc import Generator

import pytest

_CANNOT_RUN = "cannot run: "


def _everything_is_asked_for() -> bool:
    return os.environ.get("RECOUP_TEST_ALL") == "1"


def _is_excused(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.outcome == "skipped" or hasattr(report, "wasxfail")


def _fail_if_excused(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _everything_is_asked_for() and _is_excused(report):
        said = getattr(report, "wasxfail", "") or _reason(report)
        report.outcome = "failed"
        report.longrepr = f"RECOUP_TEST_ALL=1 asks for every test, and this one was left out: {said}"
        vars(report).pop("wasxfail", None)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ").removeprefix(_CANNOT_RUN)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where every test is asked for."""
    report = yield
    _fail_if_excused(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole file that skips itself."""
    report = yield
    _fail_if_excused(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with what could not run and why."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if not reasons:
        return
    terminalreporter.section("could not run on this machine")
    for reason, tests in sorted(reasons.items()):
        terminalreporter.line(f"{tests} {'test' if tests == 1 else 'tests'}: {reason}")
