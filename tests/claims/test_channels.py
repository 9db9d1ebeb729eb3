"""What is the staff's is never posted where a client reads, nor one client's week in another's channel."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import db
from claims import clients
from errors import InvalidInput
from models import Client
from tests.factories import NOW, Cast, make_cast


def _set(cast: Cast, client_id: int | None = None, **changes: Any) -> None:
    with db.transaction() as session:
        clients.set_client(session, client_id or cast.client_id, actor=cast.adam, now=NOW, **changes)


def _set_agency(cast: Cast, **changes: Any) -> None:
    with db.transaction() as session:
        clients.set_agency(session, actor=cast.adam, **changes)


@pytest.mark.parametrize("taken", ["C0OURS", "C0DIGEST", "C0DEFAULT", "C0BOLT", "C0BOLTCARDS", "#c0bolt", "C0CARDS"])
def test_a_client_gets_no_channel_in_which_others_are_told_of(
    sqlite_database: str, settings_of_the_test: Callable[..., None], taken: str
) -> None:
    settings_of_the_test(SLACK_REVIEW_CHANNEL="C0DEFAULT")
    cast = make_cast()
    _set_agency(cast, review_channel="C0OURS", digest_channel="C0DIGEST")
    _set(cast, cast.other_client_id, review_channel="C0BOLTCARDS", client_channel="C0BOLT")
    _set(cast, review_channel="C0CARDS")
    with pytest.raises(InvalidInput) as refused:
        _set(cast, client_channel=taken)
    assert refused.value.field == "client_channel"
    with pytest.raises(InvalidInput), db.transaction() as session:
        clients.add_client(
            session,
            name="New",
            email="new@seller.example",
            commission_rate=Decimal("0.20"),
            review_channel="C0CARDS",
            client_channel=taken,
            actor=cast.adam,
            now=NOW,
        )
    _set(cast, client_channel="C0ACME")
    _set(cast, client_channel="C0ACME", name="Acme & Sons")


@pytest.mark.parametrize("where", ["review_channel", "digest_channel"])
def test_the_staff_get_no_channel_that_a_client_reads(sqlite_database: str, where: str) -> None:
    cast = make_cast()
    _set(cast, client_channel="C0ACME")
    with pytest.raises(InvalidInput, match="This is the channel of Acme") as refused:
        _set_agency(cast, **{where: "#C0acme"})
    assert refused.value.field == where
    with pytest.raises(InvalidInput, match="This is the channel of Acme") as refused:
        _set(cast, cast.other_client_id, review_channel="C0ACME")
    assert refused.value.field == "review_channel"
    with db.reading() as session:
        assert session.get_one(Client, cast.other_client_id).review_channel is None


def test_clients_may_share_a_channel_of_the_staff(sqlite_database: str) -> None:
    cast = make_cast()
    _set_agency(cast, review_channel="C0OURS", digest_channel="C0OURS")
    for client_id in (cast.client_id, cast.other_client_id):
        _set(cast, client_id, review_channel="C0OURS")
