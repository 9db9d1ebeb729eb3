"""Whose eyes read which Slack channel: what is the staff's, or another client's, must never be posted before a client.

Cards, the staff's digest and news go to channels of the staff; only a client's own digest goes to the client's channel.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import settings
from errors import InvalidInput
from models import AgencySettings, Client


def require_own(session: Session, client: Client) -> None:
    """Raise InvalidInput where a client would read what is not theirs; the client's channels are set already."""
    others = list(session.execute(_OF_CLIENTS.where(Client.id.is_distinct_from(client.id))))
    own, review = _same(client.client_channel), _same(client.review_channel)
    if own and own in {_same(theirs) for _, theirs, _ in others}:
        whose = next(name for name, theirs, _ in others if _same(theirs) == own)
        raise InvalidInput(f"This is the channel of {whose}.", field="client_channel", todo="Give each client its own.")
    staffs = {review, *(_same(each) for _, _, each in others), *map(_same, _of_the_agency(session))}
    if own and own in staffs:
        raise InvalidInput(
            "New discrepancies or the staff's digest go to this channel.",
            field="client_channel",
            todo="Give the client a channel of its own.",
        )
    if review:
        require_staffs(session, client.review_channel, field="review_channel")


def require_staffs(session: Session, channel: str | None, *, field: str) -> None:
    """Raise InvalidInput where what is for the staff would be posted in a client's own channel."""
    wanted = _same(channel)
    for name, theirs, _ in session.execute(_OF_CLIENTS) if wanted else ():
        if _same(theirs) == wanted:
            raise InvalidInput(
                f"This is the channel of {name}, who would read what is meant for the staff.",
                field=field,
                todo="Choose a channel that only the staff can read.",
            )


_OF_CLIENTS = select(Client.name, Client.client_channel, Client.review_channel)


def _of_the_agency(session: Session) -> tuple[str | None, ...]:
    agency = session.get(AgencySettings, 1)
    own = (agency.review_channel, agency.digest_channel) if agency else ()
    return *own, settings().slack_review_channel


def _same(channel: str | None) -> str:
    """Return a channel as it can be compared: Slack takes an id, and a name with or without its sign."""
    return (channel or "").strip().removeprefix("#").casefold()
