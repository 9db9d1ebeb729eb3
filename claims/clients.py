"""Clients and the agency itself: adding them, changing them, and the states a client goes through."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims import channels, commission, history, recovery, words
from claims.access import Actor, Permission
from claims.fields import checked_email, checked_name, checked_text, told_as_taken
from errors import InvalidInput, Moved, NotFound
from models import AgencySettings, Approval, Client, ClientStatus, Role, User
from money import CURRENCIES, to_micros

_LONGEST_CHANNEL = 100
_LONGEST_ADDRESS = 1000
_LONGEST_TAX_NUMBER = 64
_LONGEST_PREFIX = 16
_MOST_DAYS_TO_QUERY = 90
_CHANNELS = frozenset({"review_channel", "client_channel", "digest_channel"})
_OF_A_NEW_AGENCY = {
    column.name: column.default.arg
    for column in AgencySettings.__table__.columns
    if column.default is not None and column.default.is_scalar
}
_MAY_BECOME = {
    ClientStatus.ONBOARDING: {ClientStatus.ACTIVE, ClientStatus.PAUSED, ClientStatus.CANCELLED},
    ClientStatus.ACTIVE: {ClientStatus.PAUSED, ClientStatus.CANCELLED},
    ClientStatus.PAUSED: {ClientStatus.ACTIVE, ClientStatus.CANCELLED},
    ClientStatus.CANCELLED: set[ClientStatus](),
}


class ClientDetails(TypedDict, total=False):
    """What may be said about a client.

    case_manager_id: a user who may review; None for nobody. Recovery settings: min_value in `currency`, None announces
    every value; claim_types_off are codes; wait_days go on top of the policy's; channels are Slack's.
    rate_from: the day, by the client's calendar, from which the given commission holds; None for today. tax_rate: a
    fraction of the fee. billing_email: None where bills go to `email`. days_to_query: after the sending of an invoice.
    """

    address: str
    currency: str
    time_zone: str
    case_manager_id: int | None
    min_value: Decimal | None
    claim_types_off: Iterable[str]
    wait_days: int
    approval: Approval
    requests_hold_claims: bool
    review_channel: str | None
    client_channel: str | None
    rate_from: date | None
    billing_email: str | None
    tax_rate: Decimal
    tax_number: str
    days_to_query: int
    fee_on_stock: bool
    fee_on_found: bool
    keeps_fee_reversed: bool
    keeps_fee_reversed_with_unit: bool


class ClientFields(ClientDetails, total=False):
    """What can be changed; a field that is not given stays as it is. commission_rate: a fraction, 0.20 for 20 %."""

    name: str
    email: str
    commission_rate: Decimal


class AgencyFields(TypedDict, total=False):
    """What can be said about the agency. Channels are Slack's; invoice_prefix stands before each invoice's number."""

    name: str
    review_channel: str | None
    digest_channel: str | None
    address: str
    tax_number: str
    time_zone: str
    invoice_prefix: str


def add_client(
    session: Session,
    *,
    name: str,
    email: str,
    commission_rate: Decimal,
    actor: Actor,
    now: datetime,
    **more: Unpack[ClientDetails],
) -> Client:
    """Add a client, who is onboarding until the first import. Raises NotAllowed and InvalidInput."""
    actor.require(Permission.MANAGE)
    client = Client(created_at=now, status=ClientStatus.ONBOARDING)
    given: dict[str, Any] = {"name": name, "email": email, "commission_rate": commission_rate, **more}
    rate, rate_from = _commission(given)
    _set(session, client, given)
    session.add(client)
    with told_as_taken(f"There is already a client {client.name}.", field="name"):
        session.flush()
    channels.require_own(session, client)
    if rate is not None:
        commission.agree(session, client, rate, valid_from=rate_from or _today(client, now))
    moved = (None, client.status.value)
    session.add(history.entry(actor=actor, now=now, action="added", client_id=client.id, moved=moved))
    return client


def set_client(
    session: Session, client_id: int, *, actor: Actor, now: datetime, **changes: Unpack[ClientFields]
) -> Client:
    """Change what is given; what the recovery settings mean for what was found is done at once.

    Raises NotAllowed, NotFound and InvalidInput.
    """
    actor.require(Permission.MANAGE)
    client = _locked(session, client_id)
    given: dict[str, Any] = dict(changes)
    rate, rate_from = _commission(given)
    with told_as_taken("There is already a client of this name.", field="name"):
        names = _set(session, client, given)
        session.flush()
    if names & _CHANNELS:
        channels.require_own(session, client)
    changed = {_told(client, name) for name in names}
    if names & _MOVE_WHAT_WAS_FOUND:
        recovery.apply(session, client, actor=actor, now=now)
    since = rate_from or _today(client, now)
    if rate is not None and commission.agree(session, client, rate, valid_from=since):
        changed.add(f"commission rate {words.percent(rate)} from {words.day(since)}")
    if changed:
        note = ", ".join(sorted(changed))
        session.add(history.entry(actor=actor, now=now, action="changed", client_id=client.id, note=note))
    return client


def move_client(session: Session, client_id: int, *, to: ClientStatus, actor: Actor, now: datetime) -> Client:
    """Pause, resume or cancel a client.

    Of a client who is cancelled what is undecided is withdrawn, and claims that nobody filed are closed; what is with
    Amazon is worked to its end and billed. Raises NotAllowed, NotFound, and Moved where that cannot follow.
    """
    actor.require(Permission.MANAGE)
    client = _locked(session, client_id)
    if to not in _MAY_BECOME[client.status]:
        raise Moved(f"{client.name} is {client.status.value} and cannot become {to.value}.")
    _move(session, client, to, actor=actor, now=now)
    if to is ClientStatus.CANCELLED:
        recovery.apply(session, client, actor=actor, now=now)
    return client


def become_active(session: Session, client: Client, *, actor: Actor, now: datetime) -> None:
    """End the onboarding of a client, who may be in any state; called with each import of one of the accounts."""
    if client.status is ClientStatus.ONBOARDING:
        _move(session, client, ClientStatus.ACTIVE, actor=actor, now=now, reason="first_import")


def agency(session: Session) -> AgencySettings:
    """Return the settings of the agency; those of a new one where nothing was ever set."""
    return session.get(AgencySettings, 1) or AgencySettings(**_OF_A_NEW_AGENCY)


def set_agency(session: Session, *, actor: Actor, **changes: Unpack[AgencyFields]) -> AgencySettings:
    """Change what is given about the agency. Raises NotAllowed and InvalidInput."""
    actor.require(Permission.MANAGE)
    found = agency(session)
    for name, value in changes.items():
        setattr(found, name, _AGENCY_CHECKS[name](value))
        if name in _CHANNELS:
            channels.require_staffs(session, getattr(found, name), field=name)
    session.add(found)
    session.flush()
    return found


def _move(
    session: Session, client: Client, to: ClientStatus, *, actor: Actor, now: datetime, reason: str | None = None
) -> None:
    before, client.status = client.status, to
    moved = (before.value, to.value)
    session.add(history.entry(actor=actor, now=now, action=to.value, client_id=client.id, moved=moved, reason=reason))


def _locked(session: Session, client_id: int) -> Client:
    """Return the client, nobody else's to change until the end of this transaction; what refers to it can be written.

    A daily run holds discrepancies and then writes messages for the client, a change of the settings takes both the
    other way round: a lock that kept messages out would have the two wait for each other.
    """
    found = session.get(Client, client_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise NotFound(f"There is no client {client_id}.")
    return found


def _set(session: Session, client: Client, given: Mapping[str, object]) -> set[str]:
    """Check and set what is given; return the names of what became different."""
    checked = {name: _checked(session, client, name, value) for name, value in given.items()}
    changed = {name for name, value in checked.items() if getattr(client, name) != value}
    for name in changed:
        setattr(client, name, checked[name])
    return changed


def _told(client: Client, name: str) -> str:
    """Return what of a client was changed, as the history says it."""
    if name not in _TOLD_WITH_VALUE:
        return name.removesuffix("_id").replace("_", " ")
    return _TOLD_WITH_VALUE[name](client)


def _checked(session: Session, client: Client, name: str, value: Any) -> Any:
    check = _CHECKS.get(name)
    if name == "name":
        return _free_name(session, client, value)
    if name == "case_manager_id":
        return _case_manager(session, value)
    return check(value) if check else value


def _free_name(session: Session, client: Client, value: str) -> str:
    name = checked_name(value)
    taken = session.scalar(select(Client.id).where(func.lower(Client.name) == name.lower()))
    if taken is not None and taken != client.id:
        raise InvalidInput(f"There is already a client {name}.", field="name", todo="Choose another name.")
    return name


def _case_manager(session: Session, user_id: int | None) -> int | None:
    if user_id is None:
        return None
    user = session.get(User, user_id)
    if user is None or not user.is_active or user.role not in (Role.ADMIN, Role.CASE_MANAGER):
        raise InvalidInput(
            "A case manager is an active user with the role case_manager or admin.", field="case_manager_id"
        )
    return user_id


def _commission(given: dict[str, Any]) -> tuple[Decimal | None, date | None]:
    """Take the commission and its first day out of what is given; both are None where it stays as it is."""
    rate, rate_from = given.pop("commission_rate", None), given.pop("rate_from", None)
    if rate is None and rate_from is not None:
        raise InvalidInput("A day is given, but no rate that holds from it.", field="rate_from")
    return None if rate is None else _rate(rate, field="commission_rate"), rate_from


def _today(client: Client, now: datetime) -> date:
    return now.astimezone(ZoneInfo(client.time_zone)).date()


def _rate(value: Decimal, *, field: str) -> Decimal:
    try:
        to_micros(value)
    except ValueError:
        raise InvalidInput("The rate is no number of at most six places.", field=field) from None
    if value > 1:
        raise InvalidInput(f"The rate {value} is more than 100 %.", field=field, todo="Write 20 % as 0.20.")
    if value < 0:
        raise InvalidInput(f"The rate {value} is below zero.", field=field, todo="Write 20 % as 0.20.")
    return value


def _billing_email(value: str | None) -> str | None:
    return checked_email(value, field="billing_email") if value and value.strip() else None


def _days_to_query(value: int) -> int:
    if not 0 <= value <= _MOST_DAYS_TO_QUERY:
        raise InvalidInput(
            f"A client cannot have {value:,} days to query an invoice.",
            field="days_to_query",
            todo=f"Use 0 to {_MOST_DAYS_TO_QUERY}.",
        )
    return value


def _text(field: str, longest: int) -> Callable[[str | None], str]:
    return lambda value: checked_text(value, longest=longest, field=field) or ""


def _currency(value: str) -> str:
    code = value.strip().upper()
    if code not in CURRENCIES:
        raise InvalidInput(f"{value} is no currency that Amazon pays in.", field="currency", todo="Write USD, EUR, …")
    return code


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise InvalidInput(f"{value} is no time zone.", field="time_zone", todo="Write Europe/Berlin, for example.")
    return value


def _least(value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    try:
        to_micros(value)
    except ValueError:
        raise InvalidInput("The least value is no amount.", field="min_value") from None
    if value < 0:
        raise InvalidInput("The least value is below zero.", field="min_value")
    return value


def _types(codes: Iterable[str]) -> list[str]:
    wanted = set(codes)
    if unknown := wanted - words.CLAIM_TYPES.keys():
        raise InvalidInput(
            f"{', '.join(sorted(unknown))} is no claim type.",
            field="claim_types_off",
            todo=f"Choose among {', '.join(recovery.claim_types())}.",
        )
    return sorted(wanted)


def _approval(value: str) -> Approval:
    if value not in set(Approval):
        raise InvalidInput(f"{value} cannot approve.", field="approval", todo=f"Choose one of {', '.join(Approval)}.")
    return Approval(value)


def _days_to_wait(value: int) -> int:
    if not 0 <= value <= recovery.MOST_DAYS_TO_WAIT:
        raise InvalidInput(
            f"A client cannot wait {value:,} days.", field="wait_days", todo=f"Use 0 to {recovery.MOST_DAYS_TO_WAIT}."
        )
    return value


def _channel(field: str) -> Callable[[str | None], str | None]:
    return lambda value: checked_text(value, longest=_LONGEST_CHANNEL, field=field)


# What is not named here needs no check beyond its type.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "email": checked_email,
    "address": _text("address", _LONGEST_ADDRESS),
    "currency": _currency,
    "time_zone": _time_zone,
    "review_channel": _channel("review_channel"),
    "client_channel": _channel("client_channel"),
    "min_value": _least,
    "claim_types_off": _types,
    "wait_days": _days_to_wait,
    "approval": _approval,
    "billing_email": _billing_email,
    "tax_rate": partial(_rate, field="tax_rate"),
    "tax_number": _text("tax_number", _LONGEST_TAX_NUMBER),
    "days_to_query": _days_to_query,
}
# Settings that say which discrepancies are to be decided, and when.
_MOVE_WHAT_WAS_FOUND = frozenset({"claim_types_off", "wait_days"})
_TOLD_WITH_VALUE: dict[str, Callable[[Client], str]] = {
    "claim_types_off": lambda client: (
        f"left alone: {', '.join(map(words.claim_type_name, client.claim_types_off)) or 'nothing'}"
    ),
    "wait_days": lambda client: f"wait {client.wait_days} days",
    "approval": lambda client: f"approval by {words.APPROVERS[client.approval]}",
    "min_value": lambda client: (
        f"least value {words.money(client.min_value, client.currency) if client.min_value else 'none'}"
    ),
    "requests_hold_claims": lambda client: (
        f"claims {'wait' if client.requests_hold_claims else 'do not wait'} for answers"
    ),
}
_AGENCY_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "review_channel": _channel("review_channel"),
    "digest_channel": _channel("digest_channel"),
    "address": _text("address", _LONGEST_ADDRESS),
    "tax_number": _text("tax_number", _LONGEST_TAX_NUMBER),
    "time_zone": _time_zone,
    "invoice_prefix": _text("invoice_prefix", _LONGEST_PREFIX),
}
