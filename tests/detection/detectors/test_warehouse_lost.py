"""Golden cases of `warehouse_lost`: report files in, what the audit says out."""

import pytest

from tests.golden_cases import Case, golden_cases


@pytest.mark.parametrize("case", golden_cases("warehouse_lost"), ids=str)
def test_golden_warehouse_lost(case: Case) -> None:
    case.check()
