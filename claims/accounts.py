"""Seller accounts: adding them, connecting them, and the states they go through."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from claims import clients, history, secrets
from claims.access import Actor, Permission, system_actor
from claims.fields import checked_name, checked_text, clean, told_as_taken
from detection.marketplaces import marketplaces
from errors import InvalidInput, Moved, NotFound
from models import Account, AccountStatus, Client, ClientStatus

_LONGEST_SELLER_ID = 64
_MAY_BECOME = {
    AccountStatus.ACTIVE: {AccountStatus.PAUSED, AccountStatus.CANCELLED, AccountStatus.DISCONNECTED},
    AccountStatus.PAUSED: {AccountStatus.ACTIVE, AccountStatus.CANCELLED, AccountStatus.DISCONNECTED},
    AccountStatus.DISCONNECTED: {AccountStatus.ACTIVE, AccountStatus.CANCELLED},
    AccountStatus.CANCELLED: set[AccountStatus](),
}


def add_account(
    session: Session,
    *,
    client_id: int,
    name: str,
    marketplace: str,
    seller_id: str | None = None,
    refresh_token: str | None = None,
    actor: Actor,
    now: datetime,
) -> Account:
    """Add an account to a client; `refresh_token` is kept encrypted. Raises NotAllowed, NotFound and InvalidInput."""
    actor.require(Permission.MANAGE)
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound(f"There is no client {client_id}.")
    if client.status is ClientStatus.CANCELLED:
        raise Moved(f"{client.name} is cancelled: no account can be added.")
    account = Account(
        client_id=client.id,
        name=_free_name(session, client, name),
        marketplace=_marketplace(marketplace),
        seller_id=checked_text(seller_id, longest=_LONGEST_SELLER_ID, field="seller_id"),
        status=AccountStatus.ACTIVE,
        created_at=now,
    )
    session.add(account)
    with told_as_taken(f"{client.name} already has an account {account.name}.", field="name"):
        session.flush()
    if token := clean(refresh_token):
        account.refresh_token = secrets.encrypted(token, table="accounts", row_id=account.id, field="refresh_token")
    moved = (None, account.status.value)
    session.add(history.entry(actor=actor, now=now, action="added", account_id=account.id, moved=moved))
    return account


def move_account(session: Session, account_id: int, *, to: AccountStatus, actor: Actor, now: datetime) -> Account:
    """Pause, resume, cancel or disconnect an account; a disconnected one keeps no token.

    Raises NotAllowed, NotFound, and Moved where that cannot follow.
    """
    actor.require(Permission.MANAGE)
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound(f"There is no account {account_id}.", todo="See `flask accounts list`.")
    if to not in _MAY_BECOME[account.status]:
        raise Moved(f"Account {account.id} is {account.status.value} and cannot become {to.value}.")
    before, account.status = account.status, to
    if to is AccountStatus.DISCONNECTED:
        account.refresh_token = None
    moved = (before.value, to.value)
    session.add(history.entry(actor=actor, now=now, action=to.value, account_id=account.id, moved=moved))
    return account


def first_import(session: Session, account_id: int, now: datetime) -> None:
    """Note that reports of the account were imported: a client who was onboarding is active from now on."""
    account = session.get_one(Account, account_id, options=[selectinload(Account.client)], populate_existing=True)
    clients.become_active(session, account.client, actor=system_actor(), now=now)


def _free_name(session: Session, client: Client, text: str) -> str:
    name = checked_name(text)
    alike = func.lower(Account.name) == name.lower()
    if session.scalar(select(Account.id).where(Account.client_id == client.id, alike)) is not None:
        raise InvalidInput(f"{client.name} already has an account {name}.", field="name", todo="Choose another name.")
    return name


def _marketplace(text: str) -> str:
    code = text.strip().upper()
    known = marketplaces()
    if code not in known:
        raise InvalidInput(
            f"{text} is no marketplace that Recoup knows.",
            field="marketplace",
            todo=f"Choose one of {', '.join(sorted(known))}.",
        )
    return code
