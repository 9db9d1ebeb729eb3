"""Lists, pages and sums hold the rows of whoever asks, in a fixed number of queries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

import db
from claims import queries
from claims.queries import Deadline, StateTotal
from errors import NotFound
from models import ClaimStatus, Client, Discrepancy, DiscrepancyStatus
from tests.factories import Cast, make_cast, make_claim, make_discrepancy


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*given: object) -> None:
        if given[2] != "BEGIN":
            statements.append(str(given[2]))

    event.listen(db.engine(), "before_cursor_execute", note)
    yield statements
    event.remove(db.engine(), "before_cursor_execute", note)


def _some(cast: Cast, account_id: int, number: int) -> list[int]:
    with db.transaction() as session:
        made = [make_discrepancy(session, account_id, caveats=["in_research"]) for _ in range(number)]
        for row in made[::2]:
            make_claim(session, row, approved_by_id=cast.ann.user_id or 0)
        return [row.id for row in made]


@pytest.mark.parametrize("number", [3, 40])
def test_a_list_of_any_length_takes_two_queries(sqlite_database: str, number: int) -> None:
    cast = make_cast()
    _some(cast, cast.account_id, number)
    with db.reading() as session, _counted() as statements:
        rows = session.scalars(queries.discrepancy_list(cast.ann)).all()
        shown = [(row.account.client.name, row.account.name, row.caveats[0].code) for row in rows]
        assert len(shown) == number
        assert len(statements) == 2
        claims = session.scalars(queries.claim_list(cast.ann)).all()
        assert all(claim.account.client.name == "Acme" and claim.discrepancies for claim in claims)
        assert len(statements) == 4


def test_lists_narrow_by_account_client_and_status(sqlite_database: str) -> None:
    cast = make_cast()
    mine, other = _some(cast, cast.account_id, 3), _some(cast, cast.other_account_id, 2)
    with db.transaction() as session:
        session.get_one(Discrepancy, mine[0]).status = DiscrepancyStatus.SETTLED

    def ids(**narrowed: object) -> set[int]:
        with db.reading() as session:
            return {row.id for row in session.scalars(queries.discrepancy_list(cast.ann, **narrowed))}  # type: ignore[arg-type]

    assert ids() == {*mine, *other}
    assert ids(account_id=cast.other_account_id) == set(other)
    assert ids(client_id=cast.client_id) == set(mine)
    assert ids(client_id=cast.client_id, status=DiscrepancyStatus.OPEN) == set(mine[1:])
    assert ids(status=DiscrepancyStatus.LAPSED) == set()
    with db.reading() as session:
        closed = queries.claim_list(cast.ann, status=ClaimStatus.CLOSED)
        assert session.scalars(closed).all() == []


@pytest.mark.parametrize("load", [queries.load_discrepancy, queries.load_claim, queries.load_account])
def test_another_clients_row_is_not_found(sqlite_database: str, load: Callable[..., object]) -> None:
    cast = make_cast()
    _some(cast, cast.other_account_id, 2)
    row_id = cast.other_account_id if load is queries.load_account else 1
    with db.reading() as session:
        assert load(session, row_id, cast.ann)
        with pytest.raises(NotFound) as foreign:
            load(session, row_id, cast.carl)
        with pytest.raises(NotFound) as missing:
            load(session, 999, cast.carl)
    assert str(foreign.value).replace(str(row_id), "999") == str(missing.value)


def test_a_clients_person_sees_their_own_rows_in_lists_and_sums(sqlite_database: str) -> None:
    cast = make_cast()
    mine, _ = _some(cast, cast.account_id, 3), _some(cast, cast.other_account_id, 2)
    with db.reading() as session:
        assert [row.id for row in session.scalars(queries.discrepancy_list(cast.carl))] == mine
        assert {row.account_id for row in session.scalars(queries.claim_list(cast.carl))} == {cast.account_id}
        summary = queries.status_summary(session, cast.carl)
        assert [total.count for total in summary.discrepancies] == [3]
        assert {deadline.client for deadline in summary.deadlines} == {"Acme"}


def test_a_page_is_loaded_whole(sqlite_database: str) -> None:
    cast = make_cast()
    (made, *_) = _some(cast, cast.account_id, 1)
    with db.reading() as session:
        row = queries.load_discrepancy(session, made, cast.ann)
        claim = queries.load_claim(session, row.claims[0].id, cast.ann)
    assert (row.account.client.name, row.evidence[0].line > 0, row.history, row.decided_by) == ("Acme", True, [], None)
    assert claim.discrepancies[0].evidence[0].header.startswith("Date")
    assert claim.approved_by.label == "Ann"


def test_status_sums_by_state_and_currency_and_names_the_nearest(database: str) -> None:
    cast = make_cast()
    soon = date(2026, 11, 25)
    with db.transaction() as session:
        make_discrepancy(session, cast.account_id, value=Decimal("99999999999.123456"), closes_on=soon)
        make_discrepancy(session, cast.account_id, value=Decimal("0.10"), quantity=1)
        make_discrepancy(session, cast.account_id, value=None, unit_value=None, currency=None)
        settled = make_discrepancy(session, cast.account_id, status=DiscrepancyStatus.SETTLED, closes_on=soon)
        for days in range(6):
            later = soon + timedelta(days=days + 1)
            make_claim(session, settled, approved_by_id=cast.ann.user_id or 0, closes_on=later)
        make_discrepancy(session, cast.other_account_id, closes_on=soon)
    with db.reading() as session:
        client = session.get_one(Client, cast.client_id)
        summary = queries.status_summary(session, cast.ann, client)
    assert summary.discrepancies == (
        StateTotal("open", None, 1, 3, None),
        StateTotal("open", "USD", 2, 4, Decimal("99999999999.223456")),
        StateTotal("settled", "USD", 1, 3, Decimal("37.02")),
    )
    assert summary.claims == (StateTotal("to_submit", "USD", 6, 18, Decimal("222.12")),)
    assert summary.deadlines[0] == Deadline(
        "discrepancy", 1, "warehouse_lost", "Acme", soon, 3, Decimal("99999999999.123456"), "USD", "US"
    )
    assert [(each.what, each.closes_on.day) for each in summary.deadlines[1:]] == [
        ("claim", 26),
        ("claim", 27),
        ("claim", 28),
        ("claim", 29),
    ]


def test_a_claim_of_unknown_value_stays_apart_in_the_status_once_it_was_paid(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        row = make_discrepancy(session, cast.account_id)
        for value in (Decimal("37.02"), None):
            recovered = {"status": ClaimStatus.RECOVERED, "recovered": Decimal("30.00"), "value": value}
            make_claim(session, row, approved_by_id=cast.ann.user_id, **recovered)
    with db.reading() as session:
        summary = queries.status_summary(session, cast.ann)
    assert summary.claims == (
        StateTotal("recovered", None, 1, 3, None),
        StateTotal("recovered", "USD", 1, 3, Decimal("37.02")),
    )


def test_a_client_is_found_by_name_in_any_case(sqlite_database: str) -> None:
    cast = make_cast()
    with db.reading() as session:
        assert queries.load_client(session, " acme ", cast.ann).id == cast.client_id
        with pytest.raises(NotFound):
            queries.load_client(session, "Bolt", cast.carl)
