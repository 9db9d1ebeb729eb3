"""The words people read, in every door: cards, pages, mails, tables. Codes go in, plain sentences come out."""

from datetime import date
from decimal import Decimal

from money import Money

NOT_KNOWN = "not known"

# What was lost: its name, and one line that explains it.
CLAIM_TYPES = {
    "warehouse_lost": ("Lost in the warehouse", "Amazon misplaced units and did not find or pay for them"),
    "warehouse_damaged": ("Damaged in the warehouse", "Amazon damaged units and did not pay for them"),
    "disposed_without_order": (
        "Disposed without an order",
        "sellable units were destroyed or donated and nobody had asked",
    ),
    "inbound_lost": ("Short on arrival", "fewer units were booked in than were sent"),
    "inbound_damaged": ("Damaged on arrival", "units arrived damaged with Amazon's carrier or at its dock"),
    "return_wrong_item": ("Wrong item came back", "the buyer was refunded and another product came back"),
    "return_damaged_by_amazon": (
        "Return damaged by Amazon",
        "the unit came back and Amazon or its carrier damaged it",
    ),
    "return_not_received": ("Refunded, never returned", "the buyer has the money and the unit"),
    "replacement_not_returned": ("Replaced, never returned", "the buyer has two units"),
    "return_not_restocked": ("Returned, not restocked", "a sellable return never reached the stock"),
    "removal_lost": ("Lost on the way back to you", "units left Amazon and did not arrive"),
    "refund_overpaid": ("Refunded too much", "more went back than was paid"),
    "referral_fee_not_returned": ("Referral fee kept", "Amazon kept more of its fee than its rule allows"),
    "fulfilment_fee_overcharged": ("Fulfilment fee too high", "billed by a wrong size or weight"),
    "storage_fee_overcharged": ("Storage fee too high", "billed by a wrong volume"),
    "reimbursement_underpaid": ("Paid below cost", "Amazon paid less than the documented cost"),
    "return_underpaid": ("Return paid too low", "Amazon paid less than was refunded"),
    "reimbursement_reversed": ("Payment taken back", "Amazon took money back without giving the unit back"),
}

DISCREPANCY_STATUSES = {
    "upcoming": "Upcoming",
    "open": "To decide",
    "approved": "Approved",
    "rejected": "Rejected",
    "snoozed": "Snoozed",
    "settled": "Settled",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed",
}

CLAIM_STATUSES = {
    "to_submit": "To file",
    "submitted": "Filed",
    "needs_info": "Amazon asks",
    "denied": "Refused",
    "appealed": "Appealed",
    "partly_recovered": "Partly recovered",
    "recovered": "Recovered",
    "reversed": "Taken back",
    "closed": "Closed",
}

INVOICE_STATUSES = {
    "draft": "Draft",
    "sent": "Sent",
    "queried": "Queried",
    "final": "Final",
    "paid": "Paid",
    "void": "Void",
}

# Why something was settled, withdrawn or closed: read after the status, "Settled: paid by Amazon itself".
STATUS_REASONS = {
    "found": "found again",
    "put_back": "put back into stock",
    "received": "booked in after all",
    "returned": "the units came back",
    "paid_by_amazon": "paid by Amazon itself",
    "reconciled_by_amazon": "reconciled by Amazon",
    "charged_again": "the buyer was charged again",
    "disposed_by_seller": "the seller had the units disposed of",
    "surplus": "the shipment has more of another item",
    "in_work_by_seller": "the seller has a case on it",
    "not_shown": "the reports no longer show the loss",
    "not_lost": "nothing was lost",
    "undone": "undone",
    "lapsed": "not filed in time",
    "refused": "refused by Amazon",
    "withdrawn": "withdrawn",
    "client_left": "the client left",
    "switched_off": "this kind of loss is switched off for the client",
    "first_import": "its first reports were read",
    "other": "another reason",
}

REJECT_REASONS = {
    "not_ours": "Not our client's units",
    "found": "The units were found",
    "already_claimed": "Already claimed",
    "already_paid": "Already paid",
    "wrong_quantity": "The quantity is wrong",
    "too_small": "Too small to pursue",
    "policy": "Amazon's policy excludes it",
    "other": "Another reason (say which)",
}

# Where the value comes from: its name, and why that figure.
VALUE_BASES = {
    "manufacturing_cost": ("Manufacturing cost", "the unit cost in the seller's own file on the day of the loss"),
    "recent_reimbursement": (
        "Recent reimbursements",
        "the median of what Amazon last paid in cash for a unit of this product",
    ),
    "sales_price_less_fees": (
        "Sales price less fees",
        "the median price of recent sales, less Amazon's usual fees per unit",
    ),
    "refunded_amount": ("Refunded amount", "what the buyer got back, less the commission that Amazon gave back"),
    "amount_difference": ("Difference", "what was paid against what was due"),
    "amount_reversed": ("Amount taken back", "what Amazon took back, per unit"),
    "unknown": ("Value not known", "no cost, sale or reimbursement in the input tells the value"),
}

# What a person has to check before approving: its name, and what is open about it.
CAVEATS = {
    "partial_coverage": (
        "The newest reports are missing",
        "The last days are not covered by the reports at hand: Amazon may have found or paid for the units meanwhile.",
    ),
    "reconciled_later": (
        "Amazon's own count is newer",
        "The ledger was downloaded after the day looked at, so its reconciled counts could not be used.",
    ),
    "cost_without_source": (
        "The cost has no invoice",
        "The seller's cost file names no invoice for this cost. Amazon asks for one.",
    ),
    "in_research": (
        "Amazon is still looking for units",
        "Amazon's inventory report shows units of this product in research: they may turn up.",
    ),
    "ledger_incomplete": (
        "The ledger is not complete",
        "Amazon's summary of the ledger shows other totals than its detail for this product.",
    ),
}

EVIDENCE_ROLES = {
    "loss": "The loss",
    "find": "Found again",
    "put_back": "Put back into stock",
    "correction": "Corrected by Amazon",
    "reimbursement": "Paid by Amazon",
    "disposal": "Disposed of for the seller",
    "transfer": "On the way between warehouses",
    "receipt": "Booked in",
    "shipment": "The shipment",
    "charge": "What the buyer paid",
    "charged_again": "Charged again",
    "refund": "The refund",
    "return": "The return",
    "cost": "The unit cost",
    "value": "Tells the value",
    "cap": "Limits the value",
}

REPORTS = {
    "GET_LEDGER_DETAIL_VIEW_DATA": "Inventory ledger",
    "GET_FBA_REIMBURSEMENTS_DATA": "Reimbursements",
    "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA": "Customer returns",
    "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL": "Fulfilled shipments",
    "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA": "Removal orders",
    "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA": "Removal shipments",
    "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA": "Replacements",
    "FinancialEvents": "Financial events",
    "transactions": "Transactions",
    "ShipmentData": "Inbound shipments",
    "ItemData": "Inbound items",
    "costs": "The seller's costs",
    "products": "The seller's measurements",
    "received": "The seller's receipts",
}

# Where reports came from.
IMPORT_SOURCES = {"files": "Files given by hand", "amazon": "Fetched from Amazon"}

REFERENCE_KINDS = {
    "ledger": "Ledger reference",
    "shipment": "Shipment",
    "order": "Order",
    "removal_order": "Removal order",
    "sku_month": "SKU and month",
    "reimbursement": "Reimbursement",
}

# What a client is asked for.
REQUEST_KINDS = {
    "confirm_shipment": "Confirm a shipment",
    "send_invoice": "Send a supplier's invoice",
    "proof_of_delivery": "Send the proof of delivery",
    "other": "Something else",
}

# The same as the client reads it.
REQUESTS_TO_CLIENTS = {
    "confirm_shipment": "Confirm a shipment",
    "send_invoice": "Send your supplier's invoice",
    "proof_of_delivery": "Send the proof of delivery",
    "other": "Answer a question",
}

REQUEST_STATUSES = {"asked": "Waits for the client", "answered": "Answered", "closed": "Closed"}

APPROVAL_SIDES = {"agency": "the agency", "client": "the client"}

# Whose approval a client's losses need.
APPROVERS = {"agency": "the agency", "client": "the client", "both": "the agency and the client"}

DOCUMENT_KINDS = {"invoice": "supplier's invoice", "proof_of_delivery": "proof of delivery", "other": "other"}

THROUGH = {
    "slack": "in Slack",
    "admin": "in the back office",
    "portal": "in the portal",
    "cli": "on the command line",
    "job": "by itself",
}

ACTIONS = {
    "found": "Found in the reports",
    "opened": "Can be claimed from now on",
    "approved": "Approved",
    "approved_for_one_side": "Approved by one side",
    "approval_dropped": "Its approval fell away: it changed",
    "rejected": "Rejected",
    "undone": "Undone",
    "caveat_added": "To be checked first",
    "caveat_cleared": "Checked and cleared",
    "caveat_dropped": "No longer to be checked",
    "quantity_changed": "Quantity changed",
    "value_changed": "Value changed",
    "changed_since_decision": "Changed since the decision",
    "as_decided_again": "As it was decided again",
    "updated": "Brought up to date",
    "settled": "Settled",
    "lapsed": "Lapsed",
    "withdrawn": "Withdrawn",
    "reopened": "Opened again",
    "filed_in_time": "Filed in time after all",
    "created": "Claim made",
    "submitted": "Filed with Amazon",
    "needs_info": "Amazon asks",
    "answered": "Amazon's question answered",
    "denied": "Refused by Amazon",
    "appealed": "Appealed",
    "partly_recovered": "Partly recovered",
    "recovered": "Recovered",
    "reversed": "Taken back by Amazon",
    "closed": "Closed",
    "replied": "Amazon replied",
    "noted": "Note",
    "assigned": "Assigned",
    "case_corrected": "Case ID corrected",
    "document_added": "Document added",
    "request_asked": "The client was asked",
    "request_answered": "The client answered",
    "request_answered_for": "Answered for the client",
    "request_closed": "Request closed",
    "added": "Added",
    "changed": "Changed",
    "active": "Made active",
    "paused": "Paused",
    "cancelled": "Cancelled",
    "disconnected": "Disconnected",
    "invoice_made": "Draft made",
    "invoice_lines_added": "Lines added",
    "invoice_sent": "Sent",
    "invoice_sent_by_hand": "Sent by hand",
    "invoice_line_queried": "A line was queried",
    "invoice_query_answered": "Query answered",
    "invoice_final": "Final",
    "invoice_paid": "Paid",
    "invoice_void": "Made void",
    "paid": "Paid by Amazon",
    "taken_back": "Taken back by Amazon in part",
    "payment_changed": "A later report says otherwise",
    "payment_not_ours": "A payment is not for this claim",
    "units_found": "Units were found",
}

# What tied a payment to a claim: read after "matched by".
MATCHED_BY = {
    "case_id": "Amazon's case",
    "order_id": "the order",
    "shipment_id": "the shipment",
    "units": "product, reason, quantity and date",
    "original": "the payment it adds to",
    "reversal": "the payment it takes back",
    "person": "a person",
}


# What a message tells: read after "E-mail" or "Slack".
MESSAGE_KINDS = {
    "discrepancy_card": "Card to decide",
    "cards_overflow": "More findings, without cards",
    "card_update": "Card brought up to date",
    "link_user": "User looked up",
    "claim_news": "News of a claim",
    "request_mail": "Request to the client",
    "invoice_mail": "Invoice",
    "weekly_mail": "Week for the client",
    "weekly_digest": "Week for the client's channel",
    "staff_digest": "Week for the staff",
}

MESSAGE_STATES = {
    "pending": "Waiting",
    "sending": "Being sent",
    "sent": "Sent",
    "failed": "Not sent",
    "unsure": "May have arrived",
}

MEDIA = {"slack": "Slack", "mail": "E-mail"}


def claim_type_name(code: str) -> str:
    """Return what was lost, in a few words: "Lost in the warehouse"."""
    return CLAIM_TYPES[code][0] if code in CLAIM_TYPES else _plain(code)


def claim_type_line(code: str) -> str:
    """Return one line on what happened, lower case at its start; empty where there is none."""
    return CLAIM_TYPES[code][1] if code in CLAIM_TYPES else ""


def status_name(status: str, reason: str | None = None) -> str:
    """Return a discrepancy's state, with the reason where a state needs one: "Settled: found again"."""
    return _with_reason(DISCREPANCY_STATUSES.get(status, _plain(status)), status, reason)


def claim_status_name(status: str, reason: str | None = None) -> str:
    """Return a claim's state, with the reason where it was closed: "Closed: undone"."""
    return _with_reason(CLAIM_STATUSES.get(status, _plain(status)), status, reason)


def invoice_status_name(status: str) -> str:
    """Return where an invoice stands."""
    return INVOICE_STATUSES.get(status, _plain(status))


def status_reason_name(code: str) -> str:
    """Return why something was settled, withdrawn or closed, lower case at its start."""
    return STATUS_REASONS.get(code) or _plain(code).lower()


def reject_reason_name(code: str) -> str:
    """Return why a person rejected a discrepancy."""
    return REJECT_REASONS.get(code, _plain(code))


def value_basis_name(code: str) -> str:
    """Return what the value rests on, in a few words."""
    return VALUE_BASES[code][0] if code in VALUE_BASES else _plain(code)


def value_basis_line(code: str) -> str:
    """Return why the value is that figure, lower case at its start; empty where there is none."""
    return VALUE_BASES[code][1] if code in VALUE_BASES else ""


def caveat_name(code: str) -> str:
    """Return what has to be checked before approval, in a few words."""
    return CAVEATS[code][0] if code in CAVEATS else _plain(code)


def caveat_line(code: str) -> str:
    """Return a sentence on what is open; empty where there is none."""
    return CAVEATS[code][1] if code in CAVEATS else ""


def evidence_role_name(code: str) -> str:
    """Return what a line of evidence shows."""
    return EVIDENCE_ROLES.get(code, _plain(code))


def report_name(report_type: str) -> str:
    """Return a report's name as Seller Central's people say it."""
    return REPORTS.get(report_type, report_type)


def import_source_name(code: str) -> str:
    """Return where an import came from."""
    return IMPORT_SOURCES.get(code, _plain(code))


def reference_name(kind: str) -> str:
    """Return what a discrepancy's reference is: "Ledger reference"."""
    return REFERENCE_KINDS.get(kind, _plain(kind))


def through_name(door: str) -> str:
    """Return the door a move came through, as the end of a sentence: "in Slack"."""
    return THROUGH.get(door, _plain(door).lower())


def action_name(code: str) -> str:
    """Return what a history entry did."""
    return ACTIONS.get(code, _plain(code))


def document_kind_name(code: str) -> str:
    """Return what an uploaded file is, in the middle of a sentence."""
    return DOCUMENT_KINDS.get(code, _plain(code).lower())


def request_kind_name(code: str) -> str:
    """Return what a client is asked for, in a few words."""
    return REQUEST_KINDS.get(code, _plain(code))


def request_to_client(code: str) -> str:
    """Return what a client is asked for, as they read it."""
    return REQUESTS_TO_CLIENTS.get(code, _plain(code))


def request_status_name(code: str) -> str:
    """Return where a request stands, as staff read it."""
    return REQUEST_STATUSES.get(code, _plain(code))


def approval_side_name(code: str) -> str:
    """Return who approves, in the middle of a sentence."""
    return APPROVAL_SIDES.get(code, code)


def matched_by_name(code: str) -> str:
    """Return what tied a payment to a claim: "Amazon's case"."""
    return MATCHED_BY.get(code, _plain(code).lower())


def message_kind_name(code: str) -> str:
    """Return what a message tells, in a few words."""
    return MESSAGE_KINDS.get(code, _plain(code))


def message_state_name(code: str) -> str:
    """Return where a message stands."""
    return MESSAGE_STATES.get(code, _plain(code))


def medium_name(code: str) -> str:
    """Return what carries a message."""
    return MEDIA.get(code, _plain(code))


def policy_name(policy: str, *, is_confirmed: bool) -> str:
    """Return a policy version in words: "US rules from 23 Oct 2024, confirmed"."""
    group, _, since = policy.partition("/")
    try:
        held = f"{group.upper()} rules from {day(date.fromisoformat(since))}"
    except ValueError:
        held = f"{group.upper()} rules"
    return f"{held}, {'confirmed' if is_confirmed else 'not confirmed by Amazon'}"


def money(amount: Decimal | None, currency: str | None) -> str:
    """Return an amount with its currency, grouped: "1,234.50 USD"; an unknown one is "not known", never 0."""
    return NOT_KNOWN if amount is None or currency is None else str(Money(amount, currency))


def percent(rate: Decimal) -> str:
    """Return a rate as people say it: 0.20 is "20 %"."""
    text = f"{rate * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def units(quantity: int) -> str:
    """Return a number of units: "1 unit", "1,200 units"."""
    return f"{quantity:,} {'unit' if quantity == 1 else 'units'}"


def day(on: date) -> str:
    """Return a calendar day: "20 Nov 2026"."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def days_left(on: date, today: date) -> str:
    """Return how far away a day is: "in 9 days", "tomorrow", "today", "yesterday", "3 days ago"."""
    days = (on - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return near.get(days) or (f"in {days:,} days" if days > 0 else f"{-days:,} days ago")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _with_reason(name: str, status: str, reason: str | None) -> str:
    if not reason or status not in {"settled", "withdrawn", "closed"}:
        return name
    return f"{name}: {status_reason_name(reason)}"


def _plain(code: str) -> str:
    return code.replace("_", " ").strip().capitalize()
