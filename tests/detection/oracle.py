"""The four rules once more, slowly and unit by unit, from the words of the contract alone.

Lists, dicts and loops; nothing of detection/ is used. Where `detection.engine` and this file disagree, one of them has
misread the contract. Rows are dicts with the reader's column names, dates as `date`, amounts as `Decimal`.
"""

import calendar
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
DAY = timedelta(days=1)
EU = {"DE", "FR", "IT", "ES", "PL", "SE", "NL", "BE", "IE", "CZ", "AT"}
COUNTRIES_OF = {
    "USD": {"US"},
    "EUR": {"DE", "FR", "IT", "ES", "NL", "BE", "IE", "AT"},
    "GBP": {"GB", "UK"},
    "CAD": {"CA"},
}
STOCK_KINDS = ("lost_warehouse", "damaged_warehouse", "lost_inbound", "damaged_inbound", "removal_lost")
KINDS = {
    "lostwarehouse": "lost_warehouse",
    "warehouselost": "lost_warehouse",
    "damagedwarehouse": "damaged_warehouse",
    "lostinbound": "lost_inbound",
    "damagedinbound": "damaged_inbound",
    "removalorderlost": "removal_lost",
    "customerreturn": "customer_return",
    "customerserviceissue": "customer_service",
    "lostoutbound": "lost_outbound",
    "feecorrection": "fee",
    "reimbursementreversal": "reversal",
    "generaladjustment": "general",
}
VALUE_CHANGE = date(2025, 3, 31)
WINDOWS = {
    "warehouse": [(date.min, 30, "18 months"), (date(2024, 10, 23), 15, 60)],
    "inbound": [(date.min, 30, 256)],
    "customer_return": [(date.min, 45, "18 months"), (date(2024, 10, 23), 60, 120)],
}
GROUP_OF = {
    "warehouse_lost": "warehouse",
    "warehouse_damaged": "warehouse",
    "inbound_lost": "inbound",
    "return_not_received": "customer_return",
}
DAY_OF = {
    "ledger": "date",
    "reimbursements": "approval_date",
    "returns": "return_date",
    "shipments": "shipment_date",
    "removal_orders": "request_date",
    "finances": "posted_on",
}
CHANGES_LATER = ("title", "reconciled_quantity", "unreconciled_quantity")
PLACE = ("entry",)  # where it stands in its file


@dataclass
class File:
    """One report file: its rows as dicts, and the window it is known to cover."""

    report: str
    name: str
    rows: list[Row]
    window: tuple[date, date] | None = None

    @property
    def days(self) -> list[date]:
        return [row[DAY_OF[self.report]] for row in self.rows] if self.report in DAY_OF else []


@dataclass
class Loss:
    claim_type: str
    key: tuple[str, ...]
    day: date
    order: tuple[Any, ...]
    fnsku: str
    asin: str
    msku: str
    country: str
    lost: int
    open: int
    caveats: set[str] = field(default_factory=set)


@dataclass
class Settlement:
    day: date
    rank: int  # finds 0, stock 1, cash 2, a disposal by the seller 3
    id: str
    fnsku: str
    asin: str
    countries: set[str]  # where it settles first
    area: set[str] | None  # where it may settle at all; None: everywhere
    left: int
    kind: str
    reach: int | None  # days after it that a loss may lie in the second pass; None: none

    @property
    def order(self) -> tuple[Any, ...]:
        return (self.day, self.rank, self.id)


@dataclass(frozen=True)
class Expected:
    claim_type: str
    fingerprint: str
    status: str
    day: date
    opens_on: date
    closes_on: date
    quantity: int
    value: Decimal | None
    basis: str
    caveats: frozenset[str]


def findings(files: list[File], as_of: date, *, marketplace: str = "US", currency: str = "USD") -> list[Expected]:
    """Everything that the four rules find in these files on that day."""
    return World(files, as_of, marketplace, currency).findings()


def kind_of(reason: str) -> str:
    return KINDS.get("".join(letter for letter in reason.casefold() if letter.isalpha()), "unknown")


def area_of(country: str) -> set[str]:
    return EU if country in EU else {country}


class World:
    def __init__(self, files: list[File], as_of: date, marketplace: str, currency: str) -> None:
        self.files, self.as_of, self.marketplace, self.currency = files, as_of, marketplace, currency
        self.ledger = [r for r in self.rows("ledger") if not r["store"]]
        self.adjustments = [r for r in self.ledger if r["event_type"] == "Adjustments"]
        self.payments = self.rows("reimbursements")

    def rows(self, report: str) -> list[Row]:
        """Rows up to the as-of date; what stands n times in one file and m times in another counts max(n, m) times."""
        files = sorted((f for f in self.files if f.report == report), key=lambda f: f.name)
        most: Counter[tuple[Any, ...]] = Counter()
        copies: dict[tuple[Any, ...], list[tuple[date, str, Row]]] = defaultdict(list)
        for file in files:
            seen: Counter[tuple[Any, ...]] = Counter()
            last = max(file.days, default=date.min)
            for row in file.rows:
                same = tuple((k, v) for k, v in sorted(row.items()) if k not in (*CHANGES_LATER, *PLACE))
                seen[same] += 1
                copies[(*same, seen[same])].append((last, file.name, {**row, "file_last": last, "file": file.name}))
            most |= seen
        kept = []
        for same, count in most.items():
            kept += [max(copies[(*same, n)], key=lambda copy: copy[:2])[2] for n in range(1, count + 1)]
        if report == "shipments":  # updated in place: the latest state of each shipped item
            latest = {
                (r["amazon_order_id"], r["shipment_id"], r["shipment_item_id"]): r
                for r in sorted(kept, key=lambda r: (r["file_last"], r["file"]))
            }
            kept = list(latest.values())
        day = DAY_OF.get(report)
        return [row for row in kept if day is None or row[day] <= self.as_of]

    # -- the rules in their order -------------------------------------------------------------------------------------

    def findings(self) -> list[Expected]:
        lost, damaged, inbound = self.warehouse_lost(), self.warehouse_damaged(), self.inbound_lost()
        stock = self.stock_payments()
        own = {kind: [s for s in stock if s.kind == kind] for kind in STOCK_KINDS}
        self.settle_warehouse_lost(lost, own["lost_warehouse"])
        self.settle_warehouse_damaged(damaged, own["damaged_warehouse"])
        settle(inbound, own["lost_inbound"], between=None, second=False)
        for losses in (lost, damaged):
            settle(losses, stock, between=None)
        settle(inbound, stock, between=None, second=False)
        returns, values = self.return_not_received()
        return [
            *self.written(lost + damaged + inbound, {}),
            *self.written(returns, values),
        ]

    def warehouse_lost(self) -> list[Loss]:
        return [self.warehouse("warehouse_lost", r) for r in self.adjusted(("M", "5"), sign=-1)]

    def warehouse_damaged(self) -> list[Loss]:
        return [self.warehouse("warehouse_damaged", r) for r in self.adjusted(("E",), sign=-1)]

    def adjusted(self, reasons: tuple[str, ...], *, sign: int, disposition: str = "SELLABLE") -> list[Row]:
        return [
            r
            for r in self.adjustments
            if r["reason"] in reasons and r["quantity"] * sign > 0 and r["disposition"] == disposition
        ]

    def warehouse(self, claim_type: str, row: Row) -> Loss:
        units = -row["quantity"]
        loss = Loss(
            claim_type,
            (row["reference_id"], row["fnsku"], row["fulfillment_center"], row["date"].isoformat()),
            row["date"],
            (row["date"], row["reference_id"], row["fulfillment_center"], row["msku"], row["quantity"]),
            row["fnsku"],
            row["asin"],
            row["msku"],
            row["country"],
            units,
            units,
        )
        loss_counts = (row["reconciled_quantity"], row["unreconciled_quantity"])
        loss.counts = (0, None)  # type: ignore[attr-defined]
        if None not in loss_counts:
            if self.as_of >= row["file_last"]:
                loss.open = abs(loss_counts[1])
                loss.counts = (abs(loss_counts[0]), loss.open)  # type: ignore[attr-defined]
            else:
                loss.caveats.add("reconciled_later")
        return loss

    def find(self, row: Row, kind: str, reach: int | None = 30) -> Settlement:
        return Settlement(
            row["date"],
            0,
            row["reference_id"],
            row["fnsku"],
            row["asin"],
            {row["country"]},
            area_of(row["country"]),
            row["quantity"],
            kind,
            reach,
        )

    def stock_payments(self) -> list[Settlement]:
        """R that may settle a loss of stock: names no order and no other reimbursement."""
        settlements = []
        for row in self.payments:
            kind = kind_of(row["reason"])
            if row["amazon_order_id"] or row["original_reimbursement_id"]:
                continue
            if kind not in (*STOCK_KINDS, "general", "unknown"):
                continue
            for rank, column in ((1, "quantity_reimbursed_inventory"), (2, "quantity_reimbursed_cash")):
                if row[column] > 0:
                    settlements.append(
                        Settlement(
                            row["approval_date"],
                            rank,
                            row["reimbursement_id"],
                            row["fnsku"],
                            row["asin"],
                            COUNTRIES_OF.get(row["currency_unit"], set()),
                            None,
                            row[column],
                            kind,
                            10,
                        )
                    )
        return sorted(settlements, key=lambda s: s.order)

    def settle_warehouse_lost(self, losses: list[Loss], paid: list[Settlement]) -> None:
        found = [self.find(r, r["reason"]) for r in self.adjusted(("F", "N"), sign=1) if not is_amazon_found(r)]
        corrected = [self.find(r, "correction") for r in self.adjusted(("M", "5"), sign=1)]
        self.cancel_by_stock([s for s in found if s.kind == "N"])
        settlements = [*found, *corrected, *paid]
        self.take_as_used(losses, settlements)
        settle(losses, settlements, between=lambda: self.cancel_by_moved_out(found))
        by_asin = [self.find(r, "F") for r in self.adjusted(("F",), sign=1) if is_amazon_found(r)]
        settle(losses, by_asin, between=None, on="asin")

    def cancel_by_stock(self, given: list[Settlement]) -> None:
        """Stock given as a reimbursement shows as R and as N: R settles, the N unit goes."""
        for row in sorted(self.payments, key=lambda r: (r["approval_date"], r["reimbursement_id"])):
            for _ in range(max(row["quantity_reimbursed_inventory"], 0)):
                for n in sorted(given, key=lambda s: s.order):
                    if n.left and n.fnsku == row["fnsku"] and abs(n.day - row["approval_date"]) <= 45 * DAY:
                        n.left -= 1
                        break

    def take_as_used(self, losses: list[Loss], settlements: list[Settlement]) -> None:
        """What Amazon's own count says is reconciled has used up settlements already."""
        for loss in sorted(losses, key=lambda loss: loss.order):
            reconciled = loss.counts[0]  # type: ignore[attr-defined]
            for own in (True, False):
                for s in sorted(settlements, key=lambda s: s.order):
                    if s.fnsku != loss.fnsku or not may_settle(s, loss) or own != (loss.country in s.countries):
                        continue
                    back = 30 if s.rank == 0 else 10
                    if s.day >= loss.day - back * DAY:
                        taken = min(reconciled, s.left)
                        reconciled -= taken
                        s.left -= taken

    def cancel_by_moved_out(self, found: list[Settlement]) -> None:
        for row in sorted(self.adjusted(("O",), sign=-1), key=lambda r: (r["date"], r["reference_id"])):
            for _ in range(-row["quantity"]):
                for s in sorted(found, key=lambda s: s.order):
                    if (
                        s.left
                        and s.fnsku == row["fnsku"]
                        and row["country"] in s.countries
                        and row["date"] - 30 * DAY <= s.day <= row["date"]
                    ):
                        s.left -= 1
                        break

    def settle_warehouse_damaged(self, losses: list[Loss], paid: list[Settlement]) -> None:
        corrected = [self.find(r, "correction") for r in self.adjusted(("E",), sign=1)]
        settlements = [*self.put_back(), *corrected, *self.disposed(), *paid]
        self.take_as_used(losses, settlements)
        settle(losses, settlements, between=None)

    def put_back(self) -> list[Settlement]:
        """P to SELLABLE with a Q out of WAREHOUSE_DAMAGED of the same FNSKU and FC on that day or the day before."""
        taken_out = self.adjusted(("Q",), sign=-1, disposition="WAREHOUSE_DAMAGED")
        arrived = [self.find(r, "put_back", reach=None) for r in self.adjusted(("P",), sign=1)]
        rows = self.adjusted(("P",), sign=1)
        back = [0] * len(rows)
        for out in sorted(taken_out, key=lambda r: (r["date"], r["reference_id"])):
            for _ in range(-out["quantity"]):
                for gap in (0, 1):
                    near = [
                        n
                        for n, row in enumerate(rows)
                        if (row["fnsku"], row["fulfillment_center"]) == (out["fnsku"], out["fulfillment_center"])
                        and row["date"] == out["date"] + gap * DAY
                        and back[n] < row["quantity"]
                    ]
                    if near:
                        back[min(near, key=lambda n: arrived[n].order)] += 1
                        break
        for settlement, units in zip(arrived, back, strict=True):
            settlement.left = units
        return [s for s in arrived if s.left]

    def disposed(self) -> list[Settlement]:
        """What the seller had disposed of is not eligible; which country it lay in nobody says."""
        return [
            Settlement(
                r["request_date"],
                3,
                r["order_id"],
                r["fnsku"],
                "",
                set(),
                None,
                r["disposed_quantity"],
                "disposed",
                None,
            )
            for r in self.rows("removal_orders")
            if r["disposition"] != "Sellable" and r["last_updated_date"] <= self.as_of
        ]

    def inbound_lost(self) -> list[Loss]:
        received: Counter[tuple[str, str]] = Counter()
        first: dict[str, date] = {}
        where: dict[str, str] = {}
        for row in sorted(self.ledger, key=lambda r: r["date"]):
            if row["event_type"] == "Receipts":
                received[row["reference_id"], row["fnsku"]] += row["quantity"]
                first.setdefault(row["reference_id"], row["date"])
                where.setdefault(row["reference_id"], row["country"])
        closed = {r["shipment_id"] for r in self.rows("inbound_shipments") if r["status"] == "CLOSED"}
        sent: dict[tuple[str, str], list[Any]] = {}
        for row in self.rows("inbound_items"):
            item = sent.setdefault((row["shipment_id"], row["fnsku"]), [0, 0, row["msku"]])
            item[0] += row["shipped"]
            item[1] += row["received"]
        short: dict[tuple[str, str], int] = {}
        surplus: Counter[tuple[str, str]] = Counter()
        for key in {*sent, *received}:
            if key[0] not in closed:
                continue
            shipped, counted, _ = sent.get(key, (0, 0, ""))
            missing = shipped - max(counted, received[key])
            if missing > 0:
                short[key] = missing
            else:
                surplus[key[0], self.asin_of(key[1])] -= missing
        losses = []
        for (shipment, fnsku), missing in sorted(short.items()):
            if shipment not in first:
                continue
            covered = min(missing, surplus[shipment, self.asin_of(fnsku)]) if self.asin_of(fnsku) else 0
            surplus[shipment, self.asin_of(fnsku)] -= covered
            day = first[shipment]
            losses.append(
                Loss(
                    "inbound_lost",
                    (shipment, fnsku),
                    day,
                    (day, shipment, "", sent[shipment, fnsku][2], -missing),
                    fnsku,
                    self.asin_of(fnsku),
                    sent[shipment, fnsku][2],
                    where[shipment],
                    missing,
                    missing - covered,
                )
            )
        return losses

    def asin_of(self, fnsku: str) -> str:
        return next((r["asin"] for r in self.ledger if r["fnsku"] == fnsku and r["asin"]), "")

    # -- orders -------------------------------------------------------------------------------------------------------

    def return_not_received(self) -> tuple[list[Loss], dict[tuple[str, ...], Decimal]]:
        fba = {r["amazon_order_id"] for r in self.rows("shipments")} | {r["order_id"] for r in self.rows("returns")}
        money = self.rows("finances")
        fba |= {r["order_id"] for r in money if r["kind"].startswith("FBA") and r["part"] == "fee"}
        losses: list[Loss] = []
        values: dict[tuple[str, ...], Decimal] = {}
        for order in sorted({r["order_id"] for r in money if r["event"] == "refund"} & fba):
            units: list[tuple[date, str]] = []  # one entry for each refunded unit: the day and the SKU
            for sku in sorted({r["sku"] for r in money if r["order_id"] == order and r["event"] == "refund"}):
                days, worth = self.refunded(order, sku)
                units += [(day, sku) for day in days]
                for day in set(days):
                    values[order, sku, day.isoformat()] = worth
            losses += self.missing_units(order, sorted(units))
        return losses, values

    def refunded(self, order: str, sku: str) -> tuple[list[date], Fraction]:
        """The day of each refunded unit of an item, and what one of them is worth."""
        mine = [r for r in self.rows("finances") if (r["order_id"], r["sku"]) == (order, sku)]
        charges = [r for r in mine if r["event"] == "shipment"]
        principal = sum((r["amount"] for r in charges if r["kind"] == "Principal"), Decimal(0))
        shipped = sum({r["entry"]: r["quantity"] or 0 for r in charges}.values())
        if not principal:
            sold = [r for r in self.rows("shipments") if (r["amazon_order_id"], r["sku"]) == (order, sku)]
            principal = sum((r["item_price"] for r in sold), Decimal(0))
            shipped = sum(r["quantity_shipped"] for r in sold)
        if not principal or not shipped:
            return [], Fraction(0)
        refunds = [r for r in mine if r["event"] == "refund"]
        price = Fraction(principal) / shipped
        days: list[date] = []
        for day in sorted({r["posted_on"] for r in refunds}):
            so_far = [r for r in refunds if r["posted_on"] <= day]
            back = -sum((r["amount"] for r in so_far if r["kind"] == "Principal"), Decimal(0))
            stated = {r["entry"]: r["quantity"] for r in so_far if r["quantity"]}
            limit = min(shipped, sum(stated.values())) if stated else shipped
            while len(days) < limit and back >= (len(days) + 1 - Fraction(1, 10)) * price:
                days.append(day)
        if not days:
            return [], Fraction(0)
        back = -sum((r["amount"] for r in refunds if r["kind"] == "Principal"), Decimal(0))
        promotion = sum((r["amount"] for r in refunds if r["part"] == "promotion"), Decimal(0))
        commission = sum((r["amount"] for r in refunds if r["kind"] in ("Commission", "RefundCommission")), Decimal(0))
        return days, Fraction(min(back, principal) - promotion - commission) / len(days)

    def missing_units(self, order: str, units: list[tuple[date, str]]) -> list[Loss]:
        """Give the order's return rows to its units, then what R paid: wrong items and damage first, then nothing."""
        rows = sorted(
            (r for r in self.rows("returns") if r["order_id"] == order),
            key=lambda r: (r["return_date"], r["license_plate_number"] or "", r["sku"]),
        )
        came = [row for row in rows for _ in range(row["quantity"])]
        got: dict[int, Row] = {}
        asins = {sku: {r["asin"] for r in self.ledger if r["msku"] == sku} for _, sku in units}

        def same_sku(sku: str, row: Row) -> bool:
            return bool(row["sku"] == sku)

        def same_asin(sku: str, row: Row) -> bool:
            return row["asin"] in asins[sku]

        def anything(_: str, __: Row) -> bool:
            return True

        for fits in (same_sku, same_asin, anything):
            for n, (_, sku) in enumerate(units):
                row = next((row for row in came if fits(sku, row)), None) if n not in got else None
                if row is not None:
                    got[n] = row
                    came.remove(row)
        ours = set().union(*asins.values()) | {
            a
            for s in {r["sku"] for r in self.rows("shipments") if r["amazon_order_id"] == order}
            for a in {r["asin"] for r in self.ledger if r["msku"] == s}
        }
        paid = sum(
            r["quantity_reimbursed_cash"] + r["quantity_reimbursed_inventory"]
            for r in self.payments
            if r["amazon_order_id"] == order
            and not r["original_reimbursement_id"]
            and kind_of(r["reason"]) not in ("fee", "reversal")
        )
        wrong = [n for n, row in got.items() if ours and row["asin"] not in ours and not is_regraded(row["sku"])]
        damaged = [
            n
            for n, row in got.items()
            if n not in wrong
            and row["detailed_disposition"] in ("DAMAGED", "WAREHOUSE_DAMAGED", "CARRIER_DAMAGED")
            and row["status"] not in ("Reimbursed", "Repackaged Successfully")
        ]
        missing = [n for n in range(len(units)) if n not in got]
        paid = max(0, paid - len(wrong) - len(damaged))
        losses: dict[tuple[str, ...], Loss] = {}
        for n in missing:
            day, sku = units[n]
            key = (order, sku, day.isoformat())
            loss = losses.setdefault(
                key, Loss("return_not_received", key, day, (day, order, "", sku), "", "", sku, "", 0, 0)
            )
            loss.lost += 1
            loss.open += 1 if paid <= 0 else 0
            paid -= 1
        return list(losses.values())

    # -- what is written ----------------------------------------------------------------------------------------------

    def written(self, losses: list[Loss], values: dict[tuple[str, ...], Any]) -> Iterator[Expected]:
        grouped: dict[tuple[str, tuple[str, ...]], list[Loss]] = defaultdict(list)
        for loss in losses:
            grouped[loss.claim_type, loss.key].append(loss)
        for (claim_type, key), rows in grouped.items():
            quantity = sum(loss.open for loss in rows)
            late = self.coverage(claim_type, rows[0].day)
            if not quantity or late is None:
                continue
            unit, basis, caveats = self.value(rows[0], values.get(key))
            if unit is not None:
                unit = min(unit, Fraction(5000))
            opens_on, closes_on = window(GROUP_OF[claim_type], rows[0].day, self.as_of)
            yield Expected(
                claim_type,
                fingerprint(claim_type, self.marketplace, key),
                "upcoming" if self.as_of < opens_on else "lapsed" if self.as_of > closes_on else "claimable",
                rows[0].day,
                opens_on,
                closes_on,
                quantity,
                None if unit is None else cents(unit * quantity),
                basis,
                frozenset(caveats | late | set().union(*(loss.caveats for loss in rows))),
            )

    def value(self, loss: Loss, refunded: Any) -> tuple[Fraction | None, str, set[str]]:
        if loss.claim_type == "return_not_received":
            return Fraction(refunded), "refunded_amount", set()
        bases = [self.cost, self.recent]
        if loss.day < VALUE_CHANGE:
            bases = [self.sales_price, self.recent, self.cost]
        for basis in bases:
            worth = basis(loss)
            if worth is not None:
                return worth
        return None, "unknown", set()

    def cost(self, loss: Loss) -> tuple[Fraction, str, set[str]] | None:
        known = [
            r
            for r in self.rows("costs")
            if r["msku"] == loss.msku and r["from_on"] <= loss.day and r["currency"] == self.currency
        ]
        if not known:
            return None
        row = max(known, key=lambda r: r["from_on"])
        return Fraction(row["unit_cost"]), "manufacturing_cost", set() if row["source"] else {"cost_without_source"}

    def recent(self, loss: Loss) -> tuple[Fraction, str, set[str]] | None:
        since = max(VALUE_CHANGE, loss.day - 365 * DAY)
        rows = [
            r
            for r in self.payments
            if r["fnsku"] == loss.fnsku
            and r["quantity_reimbursed_cash"] > 0
            and kind_of(r["reason"]) in STOCK_KINDS
            and not r["original_reimbursement_id"]
            and r["approval_date"] >= since
            and r["currency_unit"] == self.currency
        ]
        rows.sort(key=lambda r: (r["approval_date"], r["reimbursement_id"]))
        if not rows:
            return None
        return median(Fraction(r["amount_per_unit"]) for r in rows[-5:]), "recent_reimbursement", set()

    def sales_price(self, loss: Loss) -> tuple[Fraction, str, set[str]] | None:
        sold = [
            r
            for r in self.rows("shipments")
            if r["sku"] == loss.msku
            and loss.day - 90 * DAY <= r["shipment_date"] <= loss.day
            and r["quantity_shipped"] > 0
            and r["currency"] == self.currency
        ]
        if not sold:
            return None
        price = median(Fraction(r["item_price"]) / r["quantity_shipped"] for r in sold)
        for kinds in (("Commission",), ("FBAPerUnitFulfillmentFee", "FBAWeightBasedFee", "FBAPerOrderFulfillmentFee")):
            fees = []
            for order in sorted({r["amazon_order_id"] for r in sold}):
                mine = [
                    r
                    for r in self.rows("finances")
                    if (r["order_id"], r["sku"], r["event"]) == (order, loss.msku, "shipment")
                ]
                units = sum({r["entry"]: r["quantity"] or 0 for r in mine}.values())
                charged = [-Fraction(r["amount"]) for r in mine if r["kind"] in kinds]
                if units and charged:
                    fees.append(sum(charged) / units)
            price -= median(fees) if fees else 0
        return price, "sales_price_less_fees", set()

    def coverage(self, claim_type: str, day: date) -> set[str] | None:
        """No caveat, the caveat, or None: nothing may be said about a loss of that day."""
        needs = {"reimbursements": day - 30 * DAY}
        if claim_type == "return_not_received":
            needs["returns"] = day - 45 * DAY
        else:
            needs["ledger"] = day
        if claim_type == "warehouse_damaged":
            needs["removal_orders"] = day
        caveats: set[str] = set()
        for report, since in needs.items():
            covered = {d for start, end in self.spans(report) for d in days_of(start, end)}
            missing = [d for d in days_of(since, self.as_of) if d not in covered]
            if not missing:
                continue
            # The last days that lack are counted from the report's own last day, be the loss younger than that or not.
            lack = self.as_of - max((d for d in covered if d <= self.as_of), default=date.min)
            if missing != list(days_of(missing[0], self.as_of)) or lack > 31 * DAY:
                return None
            caveats.add("partial_coverage")
        return caveats

    def spans(self, report: str) -> list[tuple[date, date]]:
        spans = []
        for file in self.files:
            if file.report != report:
                continue
            if file.window:
                spans.append(file.window)
            elif file.days:
                spans.append((min(file.days), min(max(file.days) + 7 * DAY, self.as_of)))
        joined: list[tuple[date, date]] = []
        for start, end in sorted(spans):
            if joined and start - joined[-1][1] <= 7 * DAY:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined


def is_amazon_found(row: Row) -> bool:
    return row["reason"] == "F" and row["msku"].startswith("Amazon.Found")


def is_regraded(sku: str) -> bool:
    return sku.startswith(("amzn.gr.", "Amazon.Found"))


def may_settle(settlement: Settlement, loss: Loss) -> bool:
    return settlement.area is None or loss.country in settlement.area


def settle(
    losses: list[Loss], settlements: list[Settlement], *, between: Any, on: str = "fnsku", second: bool = True
) -> None:
    """Two passes: what lies on or before each settlement, then what lies a few days after what is left of it."""
    for s in sorted(settlements, key=lambda s: s.order):
        take(s, losses, until=s.day, on=on)
    if between:
        between()
    if second:
        finds_first = sorted(settlements, key=lambda s: (s.rank != 0, s.order))
        for s in finds_first:
            if s.reach is not None:
                take(s, losses, until=s.day + s.reach * DAY, on=on)


def take(s: Settlement, losses: list[Loss], *, until: date, on: str) -> None:
    for own in (True, False):
        for loss in sorted(losses, key=lambda loss: loss.order):
            if getattr(loss, on) != getattr(s, on) or not getattr(s, on):
                continue
            if loss.day > until or own != (loss.country in s.countries) or not may_settle(s, loss):
                continue
            units = min(s.left, loss.open)
            s.left -= units
            loss.open -= units


def window(group: str, day: date, as_of: date) -> tuple[date, date]:
    """Walk day by day over the days of filing that the version in force allows."""
    versions = WINDOWS[group]
    allowed = []
    filing = day
    for _ in range(800):
        wait, last = next((wait, last) for since, wait, last in reversed(versions) if since <= filing)
        latest = months_later(day, 18) if last == "18 months" else day + last * DAY
        if day + wait * DAY <= filing <= latest:
            allowed.append(filing)
        filing += DAY
    runs: list[list[date]] = []
    for filing in allowed:
        if runs and filing - runs[-1][-1] == DAY:
            runs[-1].append(filing)
        else:
            runs.append([filing])
    chosen = next((run for run in runs if run[0] <= as_of <= run[-1]), None)
    chosen = chosen or next((run for run in runs if run[0] > as_of), None) or runs[-1]
    return chosen[0], chosen[-1]


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def days_of(start: date, end: date) -> Iterator[date]:
    while start <= end:
        yield start
        start += DAY


def median(values: Iterable[Fraction]) -> Fraction:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def cents(amount: Fraction) -> Decimal:
    doubled = amount * 200
    whole = doubled.numerator // doubled.denominator
    return (Decimal((whole + 1) // 2) / 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def fingerprint(claim_type: str, marketplace: str, key: tuple[str, ...]) -> str:
    return hashlib.sha256("\x1f".join((claim_type, marketplace, *key)).encode()).hexdigest()[:32]
