"""Who acts, and what they may do (DESIGN section 6). The services ask here; buttons and pages decide nothing."""

import enum
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from errors import NotAllowed, NotFound
from models import Client, ClientStatus, Role, Through, User


class Permission(enum.Enum):
    """A kind of work. The value completes "… may not …"."""

    REVIEW = "decide on discrepancies"
    WORK_CLAIMS = "work on claims"
    ANSWER_REQUESTS = "answer requests"
    DECIDE_OWN = "decide on their own discrepancies"
    SEE_BILLING = "see invoices"
    MANAGE_BILLING = "make and change invoices"
    RESEND = "send messages again"
    MANAGE = "manage clients, accounts, users and settings"


_GRANTED = {
    Role.ADMIN: frozenset(Permission) - {Permission.DECIDE_OWN},
    Role.CASE_MANAGER: frozenset(
        {Permission.REVIEW, Permission.WORK_CLAIMS, Permission.ANSWER_REQUESTS, Permission.RESEND}
    ),
    Role.BILLING: frozenset({Permission.SEE_BILLING, Permission.MANAGE_BILLING}),
    Role.CLIENT: frozenset({Permission.ANSWER_REQUESTS, Permission.DECIDE_OWN}),
}
_ROLE_NAMES = {
    Role.ADMIN: "an admin",
    Role.CASE_MANAGER: "a case manager",
    Role.BILLING: "a person of billing",
    Role.CLIENT: "a client's person",
}


class UnknownSlackUser(NotAllowed):
    """A Slack user whom no user of Recoup's is linked to."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever moves something. `role` is None for the program itself, which may do all that a job does.

    `client_id` is set for a client's person, who sees that client's rows and no other.
    """

    user_id: int | None
    name: str
    role: Role | None
    client_id: int | None
    through: Through

    def may(self, permission: Permission) -> bool:
        """Whether this kind of work is theirs."""
        return self.role is None or permission in _GRANTED[self.role]

    def require(self, permission: Permission) -> None:
        """Raise NotAllowed, in words, unless this kind of work is theirs."""
        if self.role is not None and not self.may(permission):
            raise NotAllowed(
                f"{self.name} may not {permission.value}: {_ROLE_NAMES[self.role]} has no right to.",
                todo="Ask an admin.",
            )

    def sees(self, client_id: int) -> bool:
        """Whether rows of this client exist for them."""
        return self.role is not Role.CLIENT or self.client_id == client_id


def require_access(actor: Actor, client: Client) -> None:
    """Raise NotAllowed for a person of a client who was cancelled: the access ended with the contract."""
    if actor.role is Role.CLIENT and client.status is ClientStatus.CANCELLED:
        raise NotAllowed(
            f"The access of {client.name} has ended.", todo="Write to your agency for what you still need."
        )


def known_as(user: User | None, actor: Actor) -> str:
    """Return the name by which `actor` is told of a person: to a client's people all of the agency are the agency."""
    if actor.role is Role.CLIENT and (user is None or user.client_id != actor.client_id):
        return "your agency"
    return user.label if user else "somebody"


def system_actor(through: Through = Through.JOB) -> Actor:
    """Return the program itself: jobs, and an operator at the command line who named nobody."""
    return Actor(None, "Recoup", None, None, through)


def user_actor(user: User, through: Through) -> Actor:
    """Return a person as an actor. Raises NotAllowed for one whose access was taken away."""
    if not user.is_active:
        raise NotAllowed(f"{user.label} no longer has access.", todo="Ask an admin.")
    return Actor(user.id, user.label, user.role, user.client_id, through)


def actor_by_email(session: Session, email: str, through: Through = Through.CLI) -> Actor:
    """Return the person with this e-mail address, in any spelling of case. Raises NotFound and NotAllowed."""
    user = session.scalar(_with_client.where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(f"There is no user {email.strip()}.", todo="Add one with `flask users add`.")
    return _let_in(user, through)


def actor_by_slack_id(session: Session, slack_user_id: str) -> Actor:
    """Return the person with this Slack id. Raises UnknownSlackUser, and NotAllowed for one without access."""
    user = session.scalar(_with_client.where(User.slack_user_id == slack_user_id))
    if user is None:
        raise UnknownSlackUser(
            "Recoup does not know you yet, so you cannot decide here.",
            todo=f"Ask an admin to add you with the Slack id {slack_user_id}.",
        )
    return _let_in(user, Through.SLACK)


_with_client = select(User).options(joinedload(User.client))


def _let_in(user: User, through: Through) -> Actor:
    actor = user_actor(user, through)
    if user.client:
        require_access(actor, user.client)
    return actor
