"""Where things stand in the back office: the addresses that messages and commands give to people."""

from urllib.parse import urlencode

from config import settings


def discrepancy_link(discrepancy_id: int) -> str:
    """Return the address of one discrepancy's page."""
    return _page(f"/admin/discrepancies/{discrepancy_id}/")


def claim_link(claim_id: int) -> str:
    """Return the address of one claim's page."""
    return _page(f"/admin/claims/{claim_id}/")


def payments_link() -> str:
    """Return the address of the list of payments that a person has to match."""
    return _page("/admin/payments/")


def to_decide_link(account_id: int | None = None) -> str:
    """Return the address of the list of what is to be decided, of one account or of all."""
    return _page("/admin/discrepancies/", **({"flt_account": str(account_id)} if account_id else {}))


def portal_request_link(request_id: int) -> str:
    """Return the address at which a client's people answer a request."""
    return _page(f"/portal/requests/{request_id}/")


def figure_link(figure: str) -> str:
    """Return the list behind a figure of the week (`billing.statement.Figure`), for the staff."""
    path, state = _IN_THE_OFFICE[figure]
    return _page(path, flt_status=state)


def portal_figure_link(figure: str) -> str:
    """Return the list behind a figure of the week, for the client's people."""
    path, state = _IN_THE_PORTAL.get(figure, ("/portal/", ""))
    return _page(path, **({"state": state} if state else {}))


def portal_link() -> str:
    """Return the address of the portal's first page."""
    return _page("/portal/")


def portal_invoice_link(invoice_id: int) -> str:
    """Return the address of one invoice in the portal."""
    return _page(f"/portal/invoices/{invoice_id}/")


def portal_claim_link(claim_id: int) -> str:
    """Return the address of one claim in the portal."""
    return _page(f"/portal/claims/{claim_id}/")


def to_file_link() -> str:
    """Return the address of the list of claims to file."""
    return _page("/admin/claims/", flt_status="to_submit")


def requests_link() -> str:
    """Return the address of the list of what clients are asked for."""
    return _page("/admin/requests/")


def messages_link() -> str:
    """Return the address of the list of messages that a person has to look at."""
    return _page("/admin/messages/")


def today_link() -> str:
    """Return the address of the staff's first page."""
    return _page("/admin/")


_LOSSES, _CLAIMS = "/admin/discrepancies/", "/admin/claims/"
_IN_THE_OFFICE = {
    "found": (_LOSSES, "open"),
    "lapsed": (_LOSSES, "lapsed"),
    "too_late": (_LOSSES, "lapsed"),
    "paid_by_amazon": (_LOSSES, "settled"),
    "to_approve": (_LOSSES, "open"),
    "recovered": (_CLAIMS, "recovered"),
    "billed_now": (_CLAIMS, "recovered"),
    "since_start": (_CLAIMS, "recovered"),
    "taken_back": (_CLAIMS, "reversed"),
    "credited_now": (_CLAIMS, "reversed"),
    "filed": (_CLAIMS, "submitted"),
    "refused": (_CLAIMS, "denied"),
    "to_answer": (_CLAIMS, "to_submit"),
    "under_way": (_CLAIMS, "submitted"),
}
_IN_THE_PORTAL = {
    "recovered": ("/portal/claims/", "recovered"),
    "billed_now": ("/portal/claims/", "recovered"),
    "since_start": ("/portal/claims/", "recovered"),
    "taken_back": ("/portal/claims/", "reversed"),
    "credited_now": ("/portal/claims/", "reversed"),
    "filed": ("/portal/claims/", "under_way"),
    "under_way": ("/portal/claims/", "under_way"),
    "refused": ("/portal/claims/", "refused"),
    "to_answer": ("/portal/requests/", ""),
    "to_approve": ("/portal/approve/", ""),
}


def _page(path: str, **query: str) -> str:
    address = settings().public_url.rstrip("/") + path
    return f"{address}?{urlencode(query)}" if query else address
