"""Where things stand in the back office: the addresses that messages and commands give to people."""

from urllib.parse import urlencode

from config import settings


def discrepancy_link(discrepancy_id: int) -> str:
    """Return the address of one discrepancy's page."""
    return _page(f"/admin/discrepancies/{discrepancy_id}/")


def claim_link(claim_id: int) -> str:
    """Return the address of one claim's page."""
    return _page(f"/admin/claims/{claim_id}/")


def to_decide_link(account_id: int | None = None) -> str:
    """Return the address of the list of what is to be decided, of one account or of all."""
    return _page("/admin/discrepancies/", **({"flt_account": str(account_id)} if account_id else {}))


def _page(path: str, **query: str) -> str:
    address = settings().public_url.rstrip("/") + path
    return f"{address}?{urlencode(query)}" if query else address
