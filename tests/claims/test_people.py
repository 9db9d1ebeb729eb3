"""Clients, accounts, people and secrets: who may change them, what is refused, what is kept how."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from claims import accounts, clients, commission, passwords, secrets, users
from claims.access import Actor, system_actor
from errors import InvalidInput, Moved, NotAllowed, NotFound
from models import Account, AccountStatus, Client, ClientStatus, HistoryEntry, Role, User
from tests.factories import NOW, make_cast

RATE = Decimal("0.20")
PASSWORD = "Correct horse battery 1"


def _add_client(session: Session, actor: Actor, **more: Any) -> Client:
    given = {"name": "New", "email": "new@seller.example", "commission_rate": RATE} | more
    return clients.add_client(session, actor=actor, now=NOW, **given)


MANAGED: list[Callable[[Session, Actor], object]] = [
    _add_client,
    lambda session, actor: clients.set_client(session, 1, actor=actor, now=NOW, address="x"),
    lambda session, actor: clients.move_client(session, 1, to=ClientStatus.PAUSED, actor=actor, now=NOW),
    lambda session, actor: clients.set_agency(session, name="Us", review_channel=None, actor=actor),
    lambda session, actor: accounts.add_account(session, client_id=1, name="A", marketplace="US", actor=actor, now=NOW),
    lambda session, actor: accounts.move_account(session, 1, to=AccountStatus.PAUSED, actor=actor, now=NOW),
    lambda session, actor: users.add_user(session, email="z@a.example", role=Role.ADMIN, actor=actor, now=NOW),
    lambda session, actor: users.set_user(session, 1, actor=actor, name="Z"),
]


@pytest.mark.parametrize("change", MANAGED)
@pytest.mark.parametrize("who", ["ann", "bill", "carl"])
def test_only_an_admin_manages(sqlite_database: str, change: Callable[[Session, Actor], object], who: str) -> None:
    cast = make_cast()
    with pytest.raises(NotAllowed), db.transaction() as session:
        change(session, getattr(cast, who))
    with db.transaction() as session:
        change(session, cast.adam)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "acme"),
        ("name", "x" * 201),
        ("email", "nobody"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("commission_rate", Decimal("20")),
        ("commission_rate", Decimal("-0.1")),
        ("commission_rate", Decimal("0.1234567")),
        ("commission_rate", Decimal("NaN")),
        ("tax_rate", Decimal("1.01")),
        ("billing_email", "nobody"),
        ("days_to_query", -1),
        ("wait_days", -1),
        ("wait_days", 121),
        ("claim_types_off", ["lost_somewhere"]),
        ("approval", "nobody"),
        ("currency", "XXX"),
        ("time_zone", "Mars/Olympus"),
        ("min_value", Decimal("-1")),
        ("case_manager_id", 4),
        ("case_manager_id", 999),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(sqlite_database: str, field: str, value: Any) -> None:
    cast = make_cast()
    with pytest.raises(InvalidInput) as refused, db.transaction() as session:
        _add_client(session, cast.adam, **{field: value})
    assert refused.value.field == field
    with db.reading() as session:
        assert session.scalars(select(Client.name).order_by(Client.id)).all() == ["Acme", "Bolt"]


def test_a_client_changes_only_where_told(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        made = _add_client(session, cast.adam, name=" Two  words ", currency="eur", min_value=Decimal("5"))
        clients.set_client(session, made.id, actor=cast.adam, now=NOW, case_manager_id=cast.ann.user_id)
        clients.set_client(session, made.id, actor=cast.adam, now=NOW, min_value=None)
    assert (made.name, made.currency, made.min_value, made.case_manager_id) == (
        "Two words",
        "EUR",
        None,
        cast.ann.user_id,
    )
    with db.reading() as session:
        told = session.scalars(select(HistoryEntry).where(HistoryEntry.client_id == made.id)).all()
    assert [(entry.action, entry.note) for entry in told] == [
        ("added", None),
        ("changed", "case manager"),
        ("changed", "least value none"),
    ]


def test_a_commission_holds_from_a_day_of_the_clients_calendar(sqlite_database: str) -> None:
    cast = make_cast()
    late = NOW.replace(hour=20)  # the 24th in Tokyo
    with db.transaction() as session:
        made = clients.add_client(
            session,
            name="Tokyo",
            email="o@t.example",
            commission_rate=RATE,
            actor=cast.adam,
            now=late,
            time_zone="Asia/Tokyo",
        )
    changes: list[dict[str, Any]] = [
        {"commission_rate": Decimal("0.25"), "rate_from": date(2027, 1, 1)},
        {"commission_rate": Decimal("0.22")},
        {"commission_rate": Decimal("0.22"), "rate_from": date(2026, 12, 1)},  # holds already
    ]
    for given in changes:
        with db.transaction() as session:
            clients.set_client(session, made.id, actor=cast.adam, now=late, **given)
    with db.reading() as session:
        rates = commission.rates_of(session, made.id)
        notes = session.scalars(select(HistoryEntry.note).where(HistoryEntry.client_id == made.id)).all()
    assert [(rate.valid_from, rate.rate) for rate in rates] == [
        (date(2026, 11, 24), Decimal("0.22")),
        (date(2027, 1, 1), Decimal("0.25")),
    ]
    assert notes == [None, "commission rate 25 % from 1 Jan 2027", "commission rate 22 % from 24 Nov 2026"]
    days = [date(2026, 1, 1), date(2026, 11, 24), date(2026, 12, 31), date(2027, 1, 1), date(2028, 1, 1)]
    assert [str(commission.rate_on(rates, day)) for day in days] == ["0.22", "0.22", "0.22", "0.25", "0.25"]


def test_a_day_without_a_rate_is_refused(sqlite_database: str) -> None:
    cast = make_cast()
    with pytest.raises(InvalidInput, match="no rate") as refused, db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, rate_from=date(2027, 1, 1))
    assert refused.value.field == "rate_from"


def test_the_first_import_makes_a_client_active_once(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        client = _add_client(session, cast.adam)
        account = accounts.add_account(
            session, client_id=client.id, name="A", marketplace="US", actor=cast.adam, now=NOW
        )
        assert client.status is ClientStatus.ONBOARDING
    for _ in range(2):
        with db.transaction() as session:
            accounts.first_import(session, account.id, NOW)
    with db.reading() as session:
        assert session.get_one(Client, client.id).status is ClientStatus.ACTIVE
        moves = session.scalars(select(HistoryEntry.to_status).where(HistoryEntry.client_id == client.id)).all()
    assert moves == ["onboarding", "active"]


def test_an_import_does_not_wake_a_paused_client(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        clients.move_client(session, cast.client_id, to=ClientStatus.PAUSED, actor=cast.adam, now=NOW)
    with db.transaction() as session:
        accounts.first_import(session, cast.account_id, NOW)
    with db.reading() as session:
        assert session.get_one(Client, cast.client_id).status is ClientStatus.PAUSED


def test_what_was_cancelled_stays_so(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        clients.move_client(session, cast.client_id, to=ClientStatus.CANCELLED, actor=cast.adam, now=NOW)
        accounts.move_account(session, cast.account_id, to=AccountStatus.CANCELLED, actor=cast.adam, now=NOW)
    with pytest.raises(Moved, match="Acme is cancelled"), db.transaction() as session:
        clients.move_client(session, cast.client_id, to=ClientStatus.ACTIVE, actor=cast.adam, now=NOW)
    with pytest.raises(Moved, match="is cancelled"), db.transaction() as session:
        accounts.move_account(session, cast.account_id, to=AccountStatus.ACTIVE, actor=cast.adam, now=NOW)


def test_a_token_is_encrypted_for_its_row_and_forgotten_when_disconnected(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        account = accounts.add_account(
            session,
            client_id=cast.client_id,
            name="Connected",
            marketplace="us",
            refresh_token="Atzr|secret",
            actor=cast.adam,
            now=NOW,
        )
    stored = account.refresh_token or ""
    assert (account.marketplace, "secret" in stored) == ("US", False)
    place = {"table": "accounts", "row_id": account.id, "field": "refresh_token"}
    assert secrets.decrypted(stored, **place) == "Atzr|secret"
    with pytest.raises(secrets.SecretUnreadable, match="another row"):
        secrets.decrypted(stored, **(place | {"row_id": account.id + 1}))
    with db.transaction() as session:
        accounts.move_account(session, account.id, to=AccountStatus.DISCONNECTED, actor=cast.adam, now=NOW)
    with db.reading() as session:
        assert session.get_one(Account, account.id).refresh_token is None


def test_old_keys_still_read_and_the_first_one_writes(settings_of_the_test: Callable[..., None]) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    place = {"table": "accounts", "row_id": 1, "field": "refresh_token"}
    settings_of_the_test(ENCRYPTION_KEYS=old)
    stored = secrets.encrypted("s", **place)
    settings_of_the_test(ENCRYPTION_KEYS=f"{new},{old}")
    assert secrets.decrypted(stored, **place) == "s"
    settings_of_the_test(ENCRYPTION_KEYS=new)
    with pytest.raises(secrets.SecretUnreadable, match="ENCRYPTION_KEYS"):
        secrets.decrypted(stored, **place)


@pytest.mark.parametrize("marketplace", ["XX", ""])
def test_an_unknown_marketplace_is_refused(sqlite_database: str, marketplace: str) -> None:
    cast = make_cast()
    with pytest.raises(InvalidInput, match="no marketplace"), db.transaction() as session:
        accounts.add_account(
            session, client_id=cast.client_id, name="A", marketplace=marketplace, actor=cast.adam, now=NOW
        )
    with pytest.raises(NotFound), db.transaction() as session:
        accounts.add_account(session, client_id=999, name="A", marketplace="US", actor=cast.adam, now=NOW)


@pytest.mark.parametrize(
    "more",
    [
        {"email": "ANN@agency.example"},
        {"slack_user_id": "U0ANN"},
        {"slack_user_id": "ann"},
        {"role": Role.CLIENT},
        {"role": Role.CLIENT, "client_id": 999},
        {"client_id": 1},
        {"password": "short 1"},
        {"password": "only small letters".replace(" ", "")},
    ],
)
def test_people_who_cannot_be_are_refused(sqlite_database: str, more: dict[str, Any]) -> None:
    cast = make_cast()
    given = {"email": "zoe@agency.example", "role": Role.CASE_MANAGER} | more
    with pytest.raises(InvalidInput), db.transaction() as session:
        users.add_user(session, actor=cast.adam, now=NOW, **given)


def test_the_first_admin_comes_from_the_command_line_and_the_last_stays(sqlite_database: str) -> None:
    with db.transaction() as session:
        admin = users.add_user(
            session, email="Root@a.example", role=Role.ADMIN, password=PASSWORD, actor=system_actor(), now=NOW
        )
    assert (admin.email, passwords.verify(admin.password_hash, PASSWORD)) == ("root@a.example", True)
    for change in ({"is_active": False}, {"role": Role.BILLING}):
        with pytest.raises(InvalidInput, match="last admin"), db.transaction() as session:
            users.set_user(session, admin.id, actor=system_actor(), **change)
    with db.reading() as session:
        assert session.get_one(User, admin.id).is_active


def test_passwords_are_hashed_and_checked() -> None:
    kept = passwords.hashed(PASSWORD)
    assert PASSWORD not in kept
    assert passwords.verify(kept, PASSWORD)
    assert not passwords.verify(kept, PASSWORD.lower())
    assert not passwords.verify(None, PASSWORD)
    assert not passwords.verify("not a hash", PASSWORD)
    assert not passwords.needs_rehash(kept)
