"""Which accounts are looked at each day."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models import Account, AccountStatus, Client, ClientStatus

# A paused client gets no new claims, but what is open is followed to its end: `claims.findings` minds the difference.
_WATCHED = (ClientStatus.ONBOARDING, ClientStatus.ACTIVE, ClientStatus.PAUSED)


def active_accounts(session: Session) -> Sequence[Account]:
    """Return the accounts to look at, each with its client."""
    clients = select(Client.id).where(Client.status.in_(_WATCHED))
    statement = select(Account).where(Account.status == AccountStatus.ACTIVE, Account.client_id.in_(clients))
    return session.scalars(statement.options(selectinload(Account.client)).order_by(Account.id)).all()
