"""What a sale and a refund are made of: price, tax, fees, promotion."""

from sandbox.records import Amount, MoneyItem, OrderLine


def charged(line: OrderLine) -> MoneyItem:
    """Return the money of a sale."""
    amounts = [
        Amount("charge", "Principal", line.principal),
        Amount("charge", "Tax", line.tax),
        Amount("fee", "Commission", -line.commission),
        Amount("fee", "FBAPerUnitFulfillmentFee", -line.product.fee * line.quantity),
        Amount("withheld", "MarketplaceFacilitatorTax-Principal", -line.tax),
    ]
    if line.discount:
        amounts.append(Amount("promotion", "Principal", -line.discount))
    return MoneyItem(line.product.msku, line.item_id, line.quantity, tuple(amounts))


def refunded(line: OrderLine, cents: int, units: int) -> MoneyItem:
    """Return the money of a refund of `cents` of the price, said to be for `units`; the rest goes in proportion."""
    tax = line.tax * cents // line.principal
    commission = line.commission * cents // line.principal
    kept = min(500, commission * 20 // 100)
    amounts = [
        Amount("charge", "Principal", -cents),
        Amount("charge", "Tax", -tax),
        Amount("fee", "Commission", commission),
        Amount("fee", "RefundCommission", -kept),
        Amount("withheld", "MarketplaceFacilitatorTax-Principal", tax),
    ]
    if line.discount:
        amounts.append(Amount("promotion", "Principal", line.discount * cents // line.principal))
    return MoneyItem(line.product.msku, line.item_id, units, tuple(amounts))
