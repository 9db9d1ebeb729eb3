"""Small worlds of report rows, drawn at random but with every kind of row that the four rules read."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.detection.oracle import DAY_OF, File, Row

CENTERS = {"US": "ABE8", "DE": "LEJ1", "FR": "ORY1", "GB": "LTN4", "CA": "YYZ1"}
ASINS = {"X001": "B01", "X002": "B01", "X003": "B03", "X00F": "B01"}
MSKUS = {"X001": "SKU-1", "X002": "SKU-2", "X003": "SKU-3", "X00F": "Amazon.Found.B01"}
STOCK_REASONS = (
    "Lost_Warehouse",
    "Lost:Warehouse",
    "Damaged_Warehouse",
    "Lost_Inbound",
    "Damaged_Inbound",
    "Removal_Order_Lost",
)
OTHER_REASONS = ("GeneralAdjustment", "Somebody's new word", "CustomerReturn", "FeeCorrection")

_FNSKUS = st.sampled_from(["X001", "X001", "X001", "X001", "X002", "X003"])
_COUNTRIES = st.sampled_from(["US", "US", "DE", "FR", "GB", "CA"])
_UNITS = st.integers(1, 4)


def adjustment(day: date, reason: str, quantity: int, **other: Any) -> Row:
    """A ledger row of stock adjusted; sellable, in the United States, unless told otherwise."""
    return ledger(day, "Adjustments", quantity, reason=reason, **other)


def ledger(day: date, event_type: str, quantity: int, **other: Any) -> Row:
    fnsku = other.get("fnsku", "X001")
    country = other.get("country", "US")
    row = {
        "date": day,
        "fnsku": fnsku,
        "asin": ASINS[fnsku],
        "msku": MSKUS[fnsku],
        "title": f"Title of {fnsku}",
        "event_type": event_type,
        "reference_id": "",
        "quantity": quantity,
        "fulfillment_center": CENTERS[country],
        "disposition": "SELLABLE",
        "reason": "",
        "country": country,
        "reconciled_quantity": None,
        "unreconciled_quantity": None,
        "store": "",
    }
    return row | other


def payment(day: date, number: str, reason: str, cash: int = 0, stock: int = 0, **other: Any) -> Row:
    """A row of the reimbursements report, 10.00 for each unit in cash."""
    fnsku = other.get("fnsku", "X001")
    each = other.pop("each", Decimal("10.00"))
    row = {
        "approval_date": day,
        "reimbursement_id": number,
        "case_id": "",
        "amazon_order_id": "",
        "reason": reason,
        "sku": MSKUS[fnsku],
        "fnsku": fnsku,
        "asin": ASINS[fnsku],
        "product_name": f"Title of {fnsku}",
        "condition": "NewItem",
        "currency_unit": "USD",
        "amount_per_unit": each,
        "amount_total": each * cash,
        "quantity_reimbursed_cash": cash,
        "quantity_reimbursed_inventory": stock,
        "quantity_reimbursed_total": cash + stock,
        "original_reimbursement_id": "",
        "original_reimbursement_type": "",
    }
    return row | other


def disposal(day: date, number: str, disposed: int, **other: Any) -> Row:
    fnsku = other.get("fnsku", "X001")
    row = {
        "request_date": day,
        "order_id": number,
        "order_type": "Disposal",
        "order_status": "Completed",
        "last_updated_date": day,
        "sku": MSKUS[fnsku],
        "fnsku": fnsku,
        "disposition": "Unsellable",
        "requested_quantity": disposed,
        "cancelled_quantity": 0,
        "disposed_quantity": disposed,
        "shipped_quantity": 0,
        "in_process_quantity": 0,
    }
    return row | other


def came_back(day: date, order: str, fnsku: str, number: str, **other: Any) -> Row:
    row = {
        "return_date": day,
        "order_id": order,
        "sku": MSKUS[fnsku],
        "asin": ASINS[fnsku],
        "fnsku": fnsku,
        "product_name": f"Title of {fnsku}",
        "quantity": 1,
        "fulfillment_center_id": "ABE8",
        "detailed_disposition": "SELLABLE",
        "reason": "UNWANTED_ITEM",
        "status": "Unit returned to inventory",
        "license_plate_number": number,
    }
    return row | other


def sold(day: date, order: str, fnsku: str, units: int, price: Decimal) -> Row:
    return {
        "amazon_order_id": order,
        "shipment_id": f"S{order}",
        "shipment_item_id": f"I{order}{fnsku}",
        "amazon_order_item_id": f"{order}{fnsku}",
        "shipment_date": day,
        "sku": MSKUS[fnsku],
        "quantity_shipped": units,
        "currency": "USD",
        "item_price": price,
    }


def money(  # noqa: PLR0917
    entry: int,
    event: str,
    day: date,
    order: str,
    fnsku: str,
    units: int | None,
    amounts: dict[tuple[str, str], Decimal],
) -> list[Row]:
    """The rows of one item of one event: an amount for each part and kind."""
    return [
        {
            "entry": entry,
            "event": event,
            "posted_on": day,
            "order_id": order,
            "sku": MSKUS[fnsku],
            "order_item_id": f"{order}{fnsku}",
            "quantity": units,
            "part": part,
            "kind": kind,
            "amount": amount,
            "currency": "USD",
            "source": "v0",
        }
        for (part, kind), amount in amounts.items()
    ]


class _Drawer:
    """Draws rows around one first day, with a number for each that no other has."""

    def __init__(self, draw: Any, first: date) -> None:
        self.draw, self.first, self.numbers, self.entries = draw, first, 0, 0

    def day(self, span: int = 75) -> date:
        return self.first + timedelta(days=self.draw(st.integers(0, span)))

    def number(self) -> str:
        """An id that sorts at random: the order of ids decides where dates and kinds do not."""
        self.numbers += 1
        return f"{self.draw(st.integers(0, 9))}-{self.numbers:02}"

    def entry(self) -> int:
        self.entries += 1
        return self.entries

    def one_of(self, *these: Any) -> Any:
        return self.draw(st.sampled_from(these))

    def lost(self, reasons: tuple[str, ...], *, counted: bool) -> Row:
        units = self.draw(_UNITS)
        row = adjustment(
            self.day(),
            self.one_of(*reasons),
            -units,
            fnsku=self.draw(_FNSKUS),
            country=self.draw(_COUNTRIES),
            reference_id=self.one_of("R1", "R2", self.number()),
        )
        if counted and self.draw(st.booleans()):
            open_units = self.draw(st.integers(0, units))
            row |= {"reconciled_quantity": units - open_units, "unreconciled_quantity": open_units}
        return row

    def found(self, reasons: tuple[str, ...]) -> Row:
        return adjustment(
            self.day(),
            self.one_of(*reasons),
            self.draw(_UNITS),
            fnsku=self.draw(_FNSKUS),
            country=self.draw(_COUNTRIES),
            reference_id=self.number(),
        )

    def amazon_found(self) -> Row:
        return self.found(("F",)) | {"fnsku": "X00F", "msku": MSKUS["X00F"], "asin": "B01"}

    def moved_out(self) -> Row:
        return self.found(("O",)) | {"quantity": -self.draw(_UNITS)}

    def noise(self) -> Row:
        reason = self.one_of("6", "H", "J", "3", "M", "E", "Q", "P")
        disposition = "CUSTOMER_DAMAGED" if reason in "MEQP" else "SELLABLE"
        units = self.draw(_UNITS) * (-1 if reason in "ME" else self.one_of(1, -1))
        return self.found((reason,)) | {"quantity": units, "disposition": disposition}

    def put_back(self) -> list[Row]:
        """Mostly a Q with its P of that day or the next; now and then two days later, or one without the other."""
        out = self.found(("Q",))
        units = out["quantity"]
        out |= {"quantity": -units, "disposition": "WAREHOUSE_DAMAGED"}
        back = self.found(("P",)) | {c: out[c] for c in ("fnsku", "asin", "msku", "country", "fulfillment_center")}
        back |= {"date": out["date"] + timedelta(days=self.draw(st.integers(0, 2)))}
        return [
            row for row, there in ((out, self.draw(st.integers(0, 5))), (back, self.draw(st.integers(0, 5)))) if there
        ]

    def payment(self, reasons: tuple[str, ...] = (*STOCK_REASONS, *STOCK_REASONS, *OTHER_REASONS)) -> Row:
        units = self.draw(_UNITS)
        stock = self.one_of(0, 0, units, 1)
        row = payment(
            self.day(),
            self.number(),
            self.one_of(*reasons),
            units - stock if stock < units else 0,
            stock,
            fnsku=self.draw(_FNSKUS),
            each=Decimal(self.draw(st.integers(1, 4000))) / 100,
            currency_unit=self.one_of("USD", "USD", "EUR"),
        )
        odd = self.draw(st.integers(0, 9))
        if odd == 0:
            row |= {"original_reimbursement_id": "1-01", "original_reimbursement_type": "Lost_Warehouse"}
        if odd == 1:
            row |= {"amazon_order_id": self.one_of("111-1", "111-2")}
        return row

    def disposal(self) -> Row:
        fnsku = self.draw(_FNSKUS)
        return disposal(
            self.day(),
            self.number(),
            self.draw(_UNITS),
            fnsku=fnsku,
            disposition=self.one_of("Unsellable", "Unsellable", "Sellable"),
        )

    def inbound(self) -> tuple[list[Row], list[Row], list[Row]]:
        """One shipment: its state, its items, and what the ledger says came."""
        shipment = f"FBA{self.number()}"
        state = {
            "shipment_id": shipment,
            "status": self.one_of("CLOSED", "CLOSED", "CLOSED", "RECEIVING"),
            "destination": "ABE8",
        }
        items, receipts = [], []
        for fnsku in self.draw(
            st.lists(st.sampled_from(["X001", "X002", "X003"]), min_size=1, max_size=3, unique=True)
        ):
            sent = self.draw(st.integers(1, 6))
            items.append(
                {
                    "shipment_id": shipment,
                    "msku": MSKUS[fnsku],
                    "fnsku": fnsku,
                    "shipped": sent,
                    "received": self.draw(st.integers(0, sent)),
                }
            )
            for _ in range(self.draw(st.integers(0, 2))):
                units = self.draw(st.integers(1, sent))
                receipts.append(ledger(self.day(), "Receipts", units, fnsku=fnsku, reference_id=shipment))
        return [state], items, receipts


@st.composite
def stock_worlds(draw: Any, first: date = date(2026, 5, 1), fewest: int = 1, most: int = 9) -> list[File]:
    """Files that rules 1, 2 and 4 judge: losses, what settles them, and rows that are none of it."""
    d = _Drawer(draw, first)
    has_removals = draw(st.booleans())
    makers = {
        "lost": lambda: [d.lost(("M", "5"), counted=True)],
        "found": lambda: [d.found(("F", "N", "M", "5"))],
        "damaged": lambda: [d.lost(("E",), counted=False)],
        "put_back": d.put_back,
        "moved_out": lambda: [d.moved_out()],
        "amazon_found": lambda: [d.amazon_found()],
        "undamaged": lambda: [d.found(("E",))],
        "noise": lambda: [d.noise()],
    }
    weighted = ["lost"] * 5 + ["found"] * 4 + ["damaged"] * 3 + ["put_back"] * 2 + [*makers]
    events = [
        row
        for maker in draw(st.lists(st.sampled_from(weighted), min_size=fewest, max_size=most))
        for row in makers[maker]()
    ]
    payments = [d.payment() for _ in range(draw(st.integers(0, 4)))]
    removals = [d.disposal() for _ in range(draw(st.integers(0, 2)))] if has_removals else []
    states, items = [], []
    for _ in range(draw(st.integers(0, 2))):
        state, some, receipts = d.inbound()
        states += state
        items += some
        events += receipts
    files = [
        File("ledger", "ledger.txt", events),
        File("reimbursements", "paid.txt", payments),
        File("removal_orders", "removals.txt", removals),
    ]
    if states:
        files += [File("inbound_shipments", "shipments.json", states), File("inbound_items", "items.json", items)]
    if draw(st.booleans()):
        files.append(File("costs", "costs.csv", draw(_costs(first))))
    if draw(st.booleans()):
        files.append(
            File(
                "shipments",
                "sold.txt",
                [
                    sold(d.day(), d.number(), draw(_FNSKUS), draw(_UNITS), Decimal(draw(st.integers(100, 5000))) / 100)
                    for _ in range(draw(st.integers(1, 3)))
                ],
            )
        )
    return files


@st.composite
def _costs(draw: Any, first: date) -> list[Row]:
    return [
        {
            "msku": MSKUS[fnsku],
            "unit_cost": Decimal(draw(st.integers(1, 999999))) / 1000,
            "currency": "USD",
            "from_on": first + timedelta(days=30 * months),
            "source": draw(st.sampled_from(["INV-1", ""])),
        }
        for fnsku in ("X001", "X002")
        for months in draw(st.lists(st.integers(-2, 2), max_size=2, unique=True))
    ]


@st.composite
def order_worlds(draw: Any, first: date = date(2026, 5, 1)) -> list[File]:
    """Files that rule 8 judges: what was sold, refunded, sent back and paid for, of two orders with two items each."""
    d = _Drawer(draw, first)
    shipped, events, returns, payments = [], [], [], []
    for order in ("111-1", "111-2"):
        for fnsku in ("X001", "X003"):
            some_shipped, some_events = _order_item(d, order, fnsku)
            shipped += some_shipped
            events += some_events
        worn = ("SELLABLE", "CUSTOMER_DAMAGED", "DAMAGED")
        returns += [
            came_back(
                d.day(60),
                order,
                d.one_of("X001", "X002", "X003"),
                f"LPN{d.number()}",
                detailed_disposition=d.one_of(*worn),
            )
            for _ in range(draw(st.integers(0, 3)))
        ]
        reasons = ("CustomerReturn", "CustomerServiceIssue", "FeeCorrection", "Lost_Warehouse")
        payments += [d.payment(reasons) | {"amazon_order_id": order} for _ in range(draw(st.integers(0, 2)))]
    known = [ledger(first, "Receipts", 50, fnsku=fnsku, reference_id="FBA0") for fnsku in ("X001", "X002", "X003")]
    return [
        File("ledger", "ledger.txt", known),
        File("shipments", "sold.txt", shipped),
        File("finances", "money.json", [row | {"amount": row["amount"].quantize(Decimal("0.01"))} for row in events]),
        File("returns", "returns.txt", returns),
        File("reimbursements", "paid.txt", payments),
    ]


def _order_item(d: _Drawer, order: str, fnsku: str) -> tuple[list[Row], list[Row]]:
    """What was shipped of an item, and its events: the charge unless the finances lack it, and up to three refunds."""
    units = d.one_of(0, 1, 2, 3)
    if not units:
        return [], []
    price, day = Decimal(d.draw(st.integers(100, 3000))) / 100, d.day(20)
    events = []
    has_charge = d.one_of(True, True, True, False)
    if has_charge:
        amounts = {("charge", "Principal"): price * units, ("fee", "Commission"): -price * units * Decimal("0.15")}
        if d.one_of(True, False):
            amounts["fee", "FBAPerUnitFulfillmentFee"] = Decimal("-3.00") * units
        events += money(d.entry(), "shipment", day, order, fnsku, units, amounts)
    shipped = [sold(day, order, fnsku, units, price * units)] if not has_charge or d.one_of(True, False) else []
    for _ in range(d.one_of(0, 1, 1, 2, 3)):
        part = Decimal(d.one_of("1", "1", "1", "0.9", "0.89", "0.5", "2"))
        amounts = {("charge", "Principal"): -price * part}
        if d.one_of(True, False):
            amounts["fee", "Commission"] = price * part * Decimal("0.15")
            amounts["fee", "RefundCommission"] = -price * part * Decimal("0.03")
        if d.one_of(True, False):
            amounts["promotion", "PromotionMetaDataDefinitionValue"] = Decimal("0.50")
        refunded_on = day + timedelta(days=d.draw(st.integers(1, 30)))
        events += money(d.entry(), "refund", refunded_on, order, fnsku, d.one_of(None, None, 1, 1, 2), amounts)
    return shipped, events


def covering(files: list[File], first: date, last: date) -> list[File]:
    """The same files, each known to cover all those days."""
    return [File(file.report, file.name, file.rows, (first, last)) if file.report in DAY_OF else file for file in files]


def side_by_side(worlds: list[list[File]]) -> list[File]:
    """Several worlds in one set of files. They share no product, order, shipment or id, so none changes another."""
    together: dict[str, File] = {}
    for n, world in enumerate(worlds):
        for file in world:
            there = together.setdefault(file.report, File(file.report, file.name, []))
            there.rows += [_apart(row, n) for row in file.rows]
    return list(together.values())


def _apart(row: Row, n: int) -> Row:
    apart = {
        column: f"{row[column]}.{n}"
        for column in (
            "fnsku",
            "asin",
            "msku",
            "sku",
            "reference_id",
            "order_id",
            "amazon_order_id",
            "shipment_id",
            "shipment_item_id",
            "reimbursement_id",
            "original_reimbursement_id",
            "license_plate_number",
        )
        if row.get(column)
    }
    return row | apart | ({"entry": row["entry"] + 1000 * n} if "entry" in row else {})


@st.composite
def halves(draw: Any, files: list[File]) -> list[File]:
    """The same files, some delivered as two that overlap: none holds all rows, and some rows stand in both."""
    split: list[File] = []
    for file in files:
        if len(file.rows) < 2 or draw(st.booleans()):
            split.append(file)
            continue
        first, last = draw(st.integers(1, len(file.rows))), draw(st.integers(0, len(file.rows) - 1))
        first, last = max(first, last), min(first, last)
        name, _, ending = file.name.rpartition(".")
        for part, rows in (("2", file.rows[:first]), ("1", file.rows[last:])):
            split.append(File(file.report, f"{name}-{part}.{ending}", rows, file.window))
    return split
