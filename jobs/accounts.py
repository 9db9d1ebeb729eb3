"""Which accounts are looked at each day."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from claims.moves import OPEN_AT_AMAZON
from models import Account, AccountStatus, Claim, Client, ClientStatus

# A paused client gets no new claims, but what is open is followed to its end: `claims.findings` minds the difference.
_WATCHED = (ClientStatus.ONBOARDING, ClientStatus.ACTIVE, ClientStatus.PAUSED)


def active_accounts(session: Session) -> Sequence[Account]:
    """Return the accounts to look at, each with its client; of a client who left, while a claim is with Amazon."""
    clients = select(Client.id).where(Client.status.in_(_WATCHED))
    with_amazon = select(Claim.account_id).where(Claim.status.in_(OPEN_AT_AMAZON))
    is_watched = or_(Account.client_id.in_(clients), Account.id.in_(with_amazon))
    statement = select(Account).where(Account.status == AccountStatus.ACTIVE, is_watched)
    return session.scalars(statement.options(selectinload(Account.client)).order_by(Account.id)).all()
