"""The whole way once, without a person, through the doors a person uses. Each step raises where it finds otherwise."""

from collections.abc import Callable, Iterator

from sandbox.demo.place import DemoUser, Seller
from sandbox.demo.stage import Stage
from sandbox.demo.steps.asking import Asking
from sandbox.demo.steps.billing import Billing
from sandbox.demo.steps.filing import Filing
from sandbox.demo.steps.paying import Paying
from sandbox.demo.steps.review import Review
from sandbox.demo.steps.walker import Walker


def steps(stage: Stage, users: list[DemoUser], accounts: dict[str, Seller]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield every step with its name, in order."""
    walker = Walker(stage, users, accounts)
    review = Review(walker)
    filing = Filing(walker, review)
    asking = Asking(walker, filing)
    paying = Paying(walker, filing)
    billing = Billing(walker, filing, asking, paying)
    yield from review.steps()
    yield from filing.decisions()
    yield from asking.steps()
    yield from filing.steps()
    yield from paying.steps()
    yield from billing.steps()
    yield from paying.later_steps()
    yield from billing.books()
