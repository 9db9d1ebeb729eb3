"""What a simulated trade consists of: one value for each row that Amazon would write. Amounts are whole cents."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Product:
    """One of the seller's products. `cost` is None where the seller's own file does not know it."""

    msku: str
    fnsku: str
    asin: str
    title: str
    price: int
    cost: int | None
    fee: int
    has_invoice: bool = True

    def cost_of(self, units: int) -> int | None:
        """Return what so many units cost the seller, in cents."""
        return None if self.cost is None else self.cost * units


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One movement of stock. `msku` is the product's own unless Amazon booked it under another."""

    day: date
    product: Product
    event: str
    quantity: int
    fulfillment_center: str
    disposition: str = "SELLABLE"
    reason: str = ""
    reference: str = ""
    reconciled: int | None = None
    unreconciled: int | None = None
    store: str = ""
    msku: str = ""
    fnsku: str = ""


@dataclass(frozen=True, slots=True)
class Reimbursement:
    """One line of the reimbursements report. A reversal has its units below zero."""

    at: datetime
    reimbursement_id: str
    product: Product
    reason: str
    unit_amount: int
    cash: int
    stock: int = 0
    order_id: str = ""
    case_id: str = ""
    original_id: str = ""
    original_type: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order, shipped. `discount` is the promotion's part of the price of all its units."""

    order_id: str
    item_id: str
    shipment_id: str
    shipment_item_id: str
    product: Product
    quantity: int
    fulfillment_center: str
    purchased_at: datetime
    shipped_at: datetime
    tax: int
    discount: int = 0

    @property
    def principal(self) -> int:
        """What the buyer was charged for all units, in cents, before tax and promotion."""
        return self.product.price * self.quantity

    @property
    def commission(self) -> int:
        """Amazon's referral fee on the line, in cents: 15 %."""
        return (self.principal * 15 + 50) // 100


@dataclass(frozen=True, slots=True)
class ReturnedUnit:
    """One unit that came back under an order; `product` is what really came."""

    at: datetime
    order_id: str
    product: Product
    fulfillment_center: str
    disposition: str
    reason: str
    status: str
    plate: str


@dataclass(frozen=True, slots=True)
class Amount:
    """One part of a financial event: `part` is charge, fee, promotion or withheld; the sign is as Amazon writes it."""

    part: str
    kind: str
    cents: int


@dataclass(frozen=True, slots=True)
class MoneyItem:
    """One item of a financial event."""

    msku: str
    item_id: str
    quantity: int
    amounts: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class MoneyEvent:
    """One financial event: `kind` is shipment, refund, adjustment or service_fee; `word` is Amazon's type."""

    kind: str
    at: datetime
    order_id: str = ""
    word: str = ""
    items: tuple[MoneyItem, ...] = ()


@dataclass(frozen=True, slots=True)
class InboundItem:
    """What one shipment to Amazon held of one product: units sent, and units the inbound API calls received."""

    product: Product
    shipped: int
    received: int


@dataclass(frozen=True, slots=True)
class InboundShipment:
    """One shipment to Amazon."""

    shipment_id: str
    status: str
    fulfillment_center: str
    items: tuple[InboundItem, ...]


@dataclass(frozen=True, slots=True)
class RemovalOrder:
    """One line of a removal order."""

    requested_at: datetime
    updated_at: datetime
    order_id: str
    order_type: str
    status: str
    product: Product
    disposition: str
    requested: int
    cancelled: int = 0
    disposed: int = 0
    shipped: int = 0
    in_process: int = 0


@dataclass(frozen=True, slots=True)
class RemovalShipment:
    """One parcel's line of a removal order."""

    shipped_at: datetime
    order: RemovalOrder
    quantity: int
    carrier: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A free replacement sent for an order."""

    at: datetime
    product: Product
    fulfillment_center: str
    original_order_id: str
    replacement_order_id: str
    reason_code: int
