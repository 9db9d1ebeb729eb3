"""An audit of a simulated world finds exactly what was planted in it, and nothing of what only looks like it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.truth import Truth
from sandbox.world import write
from wsgi import create_app

UNTIL = date(2026, 11, 22)


def audit(folder: Path) -> dict[str, Any]:
    output = folder / "found.json"
    runner = create_app(with_web=False).test_cli_runner()
    result = runner.invoke(args=["audit", str(folder / "reports"), "--format", "json", "--output", str(output)])
    assert result.exit_code == 0, result.output
    return json.loads(output.read_text(encoding="utf-8"))


def planted(truth: Truth) -> dict[str, tuple[object, ...]]:
    return {p.fingerprint: (p.claim_type, p.quantity, p.status, str(p.event_date)) for p in truth.planted}


def found(audited: dict[str, Any]) -> dict[str, tuple[object, ...]]:
    rows = audited["discrepancies"]
    return {r["fingerprint"]: (r["claim_type"], r["quantity"], r["status"], r["event_date"]) for r in rows}


def test_values_are_exact_to_the_cent(tmp_path):
    truth = write(tmp_path, seed=8, until=UNTIL, scale=0.1)
    audited = {row["fingerprint"]: row["value"] for row in audit(tmp_path)["discrepancies"]}
    wanted = {p.fingerprint: f"{p.value // 100}.{p.value % 100:02d}" for p in truth.planted if p.value is not None}
    assert len(wanted) > 10
    assert {fingerprint: audited[fingerprint] for fingerprint in wanted} == wanted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_audit_finds_the_planted_mistakes_and_no_others(tmp_path, seed):
    truth = write(tmp_path, seed=seed, until=UNTIL, scale=0.1)
    audited = audit(tmp_path)
    assert found(audited) == planted(truth)
    assert audited["as_of"] == UNTIL.isoformat()


def test_audit_is_told_enough_to_judge_every_loss(tmp_path):
    write(tmp_path, seed=5, until=UNTIL, scale=0.1)
    audited = audit(tmp_path)
    assert {warning["code"] for warning in audited["warnings"]} == {"other_store"}
    assert {caveat for row in audited["discrepancies"] for caveat in row["caveats"]} <= {"cost_without_source"}
    assert {row["value_basis"] for row in audited["discrepancies"]} >= {"manufacturing_cost", "refunded_amount"}


def test_both_versions_of_the_finances_tell_the_same(tmp_path):
    truth = write(tmp_path, seed=1, until=UNTIL, scale=0.1, finances="2024-06-19")
    assert found(audit(tmp_path)) == planted(truth)
