"""What a story is: something that happens to one product's stock, begun on a given day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sandbox.records import Product
from sandbox.trade import Trade

Tell = Callable[[Trade, Product, date], None]


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that can happen, and how often at scale 1 at each age.

    ages: for each time it is told, the least and the most days between its loss and the world's last day.
    stands_alone: its loss is settled only after others have had their turn, so a later story of the same product
        would lose its settlement to it.
    """

    tell: Tell
    ages: tuple[tuple[int, int], ...]
    stands_alone: bool = False
