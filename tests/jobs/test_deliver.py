from collections.abc import Iterator

import pytest

from jobs import deliver
from outbox import Delivered


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    before = deliver._deliverers[:]
    deliver._deliverers.clear()
    yield
    deliver._deliverers[:] = before


def test_it_goes_on_until_a_batch_sends_nothing() -> None:
    batches = iter([Delivered(2), Delivered(1, [("card:7", "Slack is busy")]), Delivered(0)])
    deliver.register(lambda: next(batches))
    assert deliver.deliver_due() == Delivered(3, [("card:7", "Slack is busy")])


def test_what_is_left_is_named_once_with_its_last_reason() -> None:
    batches = iter([Delivered(1, [("card:7", "first try")]), Delivered(1), Delivered(0, [("card:7", "last try")])])
    deliver.register(lambda: next(batches))
    assert deliver.deliver_due().left == [("card:7", "last try")]


def test_without_a_deliverer_nothing_is_done() -> None:
    assert deliver.deliver_due() == Delivered()
