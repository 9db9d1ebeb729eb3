"""What Seller Support writes: polite, long for what it says, and to be pasted back into Recoup."""

_HELLO = "Hello from Selling Partner Support,\n\n"

PAID_IN_FULL = (
    _HELLO + "Thank you for your patience. We reviewed the units that you asked about and "
    "have approved a reimbursement for all of them. You can see it in the Reimbursements report within 5 days.\n\n"
    "Thank you for selling on Amazon."
)
PAID_IN_PART = (
    _HELLO + "We have approved a reimbursement for a part of the units. The investigation "
    "of the remaining units is still open; we will update this case when it has ended."
)
PAID_IN_STOCK = (
    _HELLO + "We located matching units in our network and have returned them to your "
    "inventory. They show in your Inventory Ledger as found, and in the Reimbursements report as inventory."
)
REFUSED = (
    _HELLO + "After a thorough review we found that these units do not qualify for a "
    "reimbursement under the FBA inventory reimbursement policy. We consider this case as resolved."
)
ASKS = (
    _HELLO + "To continue our investigation we need a document that shows your ownership "
    "of the units: an invoice of your supplier from the last 180 days with the product, the quantity and the date. "
    "Please reply to this case with it."
)
APPEALED = (
    _HELLO + "Thank you for bringing this to our attention again. On second review we have "
    "approved a reimbursement for the units of this case."
)
PAID_BACK = (
    _HELLO + "The units that we had reimbursed have since been found and returned to your "
    "inventory. The reimbursement was reversed accordingly."
)
