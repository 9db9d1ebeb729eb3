"""The products of a simulated seller."""

from random import Random

from sandbox.records import Product

_KINDS = (
    ('Carbon steel wok {n}"', 2499, 38),
    ("Café press, {n} cups", 1999, 31),
    ('Bamboo cutting board {n}" x 9"', 1650, 27),
    ("Kids' raincoat, size {n}", 2899, 35),
    ("Silicone baking mat, set of {n}", 1299, 22),
    ("Yoga strap, {n} ft", 999, 19),
    ("LED camping lantern, {n} h", 3450, 41),
    ("Dog leash, reflective, {n} ft", 1549, 24),
    ("Crème brûlée dishes, set of {n}", 2250, 33),
    ("Travel adapter, {n} ports", 1890, 29),
    ("Garden kneeler & seat, model {n}", 3999, 36),
    ("Cable organizer box, no. {n}", 1425, 26),
)
_UNKNOWN_COST_EACH = 8
_NO_INVOICE_EACH = 11
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def code(rng: Random, length: int) -> str:
    """Return `length` letters and digits as Amazon's identifiers have them."""
    return "".join(rng.choice(_LETTERS) for _ in range(length))


def make_products(rng: Random, count: int) -> list[Product]:
    """Return `count` products with identifiers of their own; of one in eight the seller does not know the cost."""
    return [_product(rng, number) for number in range(count)]


def _product(rng: Random, number: int) -> Product:
    name, base_price, cost_percent = _KINDS[number % len(_KINDS)]
    price = base_price + 10 * rng.randint(-20, 60)
    return Product(
        msku=f"{name.split()[0].strip(',').upper()[:5]}-{number + 1:03d}",
        fnsku="X00" + code(rng, 4) + f"{number:03d}",
        asin="B0" + code(rng, 5) + f"{number:03d}",
        title=name.format(n=2 + number // len(_KINDS)),
        price=price,
        cost=None if number % _UNKNOWN_COST_EACH == _UNKNOWN_COST_EACH - 3 else price * cost_percent // 100,
        fee=322 + 25 * rng.randint(0, 12),
        has_invoice=bool(number % _NO_INVOICE_EACH),
    )
