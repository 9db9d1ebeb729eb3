"""The seller's own files: what the products cost, how big they are, and which removals arrived."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from sandbox.formats.tables import money
from sandbox.records import Product, RemovalShipment


def write_costs(path: Path, products: Iterable[Product], *, start: date) -> None:
    """Write costs.csv; of some products an older, lower cost precedes today's."""
    rows: list[Sequence[object]] = []
    for position, product in enumerate(p for p in products if p.cost is not None):
        source = f"Invoice 2025-{position + 100}" if product.has_invoice else ""
        if product.cost and position % 6 == 0:
            rows.append((product.msku, money(product.cost * 9 // 10), "USD", start - timedelta(days=400), source))
        rows.append((product.msku, money(product.cost or 0), "USD", start - timedelta(days=60), source))
    _write(path, ("msku", "unit_cost", "currency", "from", "source"), rows)


def write_products(path: Path, products: Iterable[Product]) -> None:
    """Write products.csv: measurements in inches and pounds."""
    header = ("msku", "length", "width", "height", "length_unit", "weight", "weight_unit")
    _write(path, header, [(p.msku, "12.5", "8.0", money(p.fee), "in", money(p.fee // 3), "lb") for p in products])


def write_received(path: Path, arrivals: Iterable[tuple[RemovalShipment, int, date]]) -> None:
    """Write received.csv: what arrived of the removal orders."""
    header = ("removal_order_id", "fnsku", "tracking_number", "received_quantity", "received_on")
    rows = [(p.order.order_id, p.order.product.fnsku, p.tracking_number, count, on) for p, count, on in arrivals]
    _write(path, header, rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
