"""Golden cases of `warehouse_damaged`: report files in, what the audit says out."""

import pytest

from tests.golden_cases import Case, golden_cases


@pytest.mark.parametrize("case", golden_cases("warehouse_damaged"), ids=str)
def test_golden_warehouse_damaged(case: Case) -> None:
    case.check()
