"""Golden cases of `return_not_received`: report files in, what the audit says out."""

import pytest

from tests.golden_cases import Case, golden_cases


@pytest.mark.parametrize("case", golden_cases("return_not_received"), ids=str)
def test_golden_return_not_received(case: Case) -> None:
    case.check()
