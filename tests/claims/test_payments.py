"""What was paid becomes rows: sums, moves, history and messages, each once, on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

import db
from claims import by_hand, filing, moves, payments
from claims.access import Actor, system_actor
from claims.paid import Line, Said
from claims.payments import Paid, Report
from errors import InvalidInput, Moved, NotAllowed, NotFound
from models import (
    Account,
    Claim,
    ClaimPayment,
    ClaimStatus,
    DiscrepancyStatus,
    HistoryEntry,
    OutboxMessage,
    Reimbursement,
    ReimbursementState,
    Through,
)
from tests.factories import NOW, TODAY, Cast, make_cast, make_claim, make_discrepancy

CASE = "10245671881"
_S = ClaimStatus


def line(key: str = "a", **more: Any) -> Line:
    values: dict[str, Any] = {
        "key": key,
        "reimbursement_id": f"R-{key}",
        "approved_on": TODAY,
        "kind": "lost_warehouse",
        "reason": "Lost_Warehouse",
        "case_id": CASE,
        "fnsku": "X001",
        "msku": "SKU-1",
        "cash_units": 3,
        "amount": Decimal("37.02"),
        "currency": "USD",
    }
    return Line(**(values | more))


def reversal(key: str, of: str, **more: Any) -> Line:
    taken = {"kind": "reversal", "original_id": of, "cash_units": -3, "amount": Decimal("-37.02"), "case_id": None}
    return line(key, **(taken | {"approved_on": TODAY + timedelta(days=5)} | more))


def filed(cast: Cast, **more: Any) -> int:
    """Return the id of a claim of 3 units worth 37.02 USD that was filed a week ago under CASE."""
    values: dict[str, Any] = {
        "status": _S.SUBMITTED,
        "case_id": CASE,
        "submitted_at": NOW - timedelta(days=7),
        "account_id": cast.account_id,
    }
    values |= more
    with db.transaction() as session:
        row = make_discrepancy(session, values["account_id"], status=DiscrepancyStatus.APPROVED, announced_at=NOW)
        return make_claim(session, row, approved_by_id=cast.ann.user_id, **values).id


def record(cast: Cast, *lines: Line, hints: dict[str, dict[str, int]] | None = None) -> Paid:
    with db.transaction() as session:
        return payments.record(session, cast.account_id, Report(lines), hints or {}, now=NOW)


def claim_of(claim_id: int) -> Claim:
    with db.reading() as session:
        options = [selectinload(Claim.payments), selectinload(Claim.history), selectinload(Claim.discrepancies)]
        return session.get_one(Claim, claim_id, options=options)


def line_row(key: str) -> Reimbursement:
    with db.reading() as session:
        return session.scalars(select(Reimbursement).where(Reimbursement.line_key == key)).one()


def news() -> list[dict[str, Any]]:
    with db.reading() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        return [row.payload for row in rows if row.kind == "claim_news"]


def everything() -> list[Any]:
    with db.reading() as session:
        tables = (Claim, ClaimPayment, Reimbursement, HistoryEntry, OutboxMessage)
        return [
            [getattr(row, column.name) for column in table.__table__.columns]
            for table in tables
            for row in session.scalars(select(table).order_by(*table.__mapper__.primary_key))
        ]


def standing(claim_id: int) -> tuple[ClaimStatus, str, int]:
    claim = claim_of(claim_id)
    return claim.status, f"{claim.recovered:.2f}", claim.recovered_quantity


def test_a_line_that_the_reports_of_the_day_lack_is_paid_once_its_case_is_known(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast, case_id="10245671818")
    assert record(cast, line()) == Paid()
    with db.transaction() as session:
        filing.correct_case(session, claim_id, case_id=CASE, actor=cast.ann, now=NOW)
    of_another_case = line("b", case_id="10245679999", fnsku="X999", msku=None)
    assert record(cast, of_another_case) == Paid(matched=1)
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)


@pytest.mark.parametrize("later", ["corrected", "filed"])
def test_what_came_before_its_case_was_known_is_paid_once_it_is(database: str, later: str) -> None:
    cast = make_cast()
    claim_id = filed(cast, case_id="10245671818" if later == "corrected" else None)
    if later == "filed":  # another claim of the product makes the line one that could have been ours
        other, claim_id = claim_id, filed(cast, status=_S.TO_SUBMIT, case_id=None, submitted_at=None)
        with db.transaction() as session:
            session.get_one(Claim, other).case_id = "10245671818"
    assert record(cast, line()) == Paid()
    assert line_row("a").state is ReimbursementState.NOT_OURS
    with db.transaction() as session:
        if later == "corrected":
            filing.correct_case(session, claim_id, case_id=CASE, actor=cast.ann, now=NOW)
        else:
            filing.submit(session, claim_id, case_id=CASE, actor=cast.ann, now=NOW)
    row = line_row("a")
    assert (row.state, row.candidates) == (ReimbursementState.WAITING, [claim_id])
    assert record(cast, line()) == Paid(matched=1)
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)
    row = line_row("a")
    assert (row.state, row.candidates) == (ReimbursementState.MATCHED, [])
    assert record(cast, line()) == Paid()


def test_a_payment_is_booked_with_its_move_its_history_and_its_message(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast, next_action_on=TODAY)
    assert record(cast, line()) == Paid(matched=1)
    claim = claim_of(claim_id)
    assert (claim.status, claim.recovered, claim.recovered_quantity) == (_S.RECOVERED, Decimal("37.02"), 3)
    assert claim.next_action_on is None
    (payment,) = claim.payments
    assert (payment.first_unit, payment.cash_units, payment.matched_by, payment.matched_by_id) == (
        1,
        3,
        "case_id",
        None,
    )
    last = claim.history[-1]
    assert (last.action, last.from_status, last.to_status, last.through) == (
        "recovered",
        "submitted",
        "recovered",
        Through.JOB,
    )
    assert last.note == ("3 units, 37.02 USD: reimbursement R-a, approved 23 Nov 2026, matched by Amazon's case.")
    assert news() == [{"what": "recovered", "payment_id": payment.id}]
    row = line_row("a")
    assert (row.state, row.candidates, row.amount_total, row.first_seen_at) == (
        ReimbursementState.MATCHED,
        [],
        Decimal("37.02"),
        NOW,
    )
    assert claim.discrepancies[0].status is DiscrepancyStatus.APPROVED
    with db.reading() as session:
        assert session.scalar(select(OutboxMessage.id).where(OutboxMessage.kind == "card_update"))


def test_booking_again_adds_nothing(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    filed(cast)
    lines = (line(cash_units=5, amount=Decimal("61.70")), reversal("b", "R-a", cash_units=-1), reversal("c", "R-x"))
    assert record(cast, *lines) == Paid(matched=1, waiting=2, reversed=1)
    before = everything()
    assert record(cast, *lines) == Paid()
    assert everything() == before


def test_a_run_that_dies_leaves_nothing(database: str) -> None:
    cast = make_cast()
    filed(cast)
    before = everything()

    def die() -> None:
        with db.transaction() as session:
            payments.record(session, cast.account_id, Report((line(),)), {}, now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die()
    assert everything() == before


def test_parts_make_it_partly_recovered_and_the_rest_recovered(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    part, rest = line(cash_units=1, amount=Decimal("12.34")), line("b", cash_units=2, amount=Decimal("20.00"))
    record(cast, part)
    assert standing(claim_id) == (_S.PARTLY_RECOVERED, "12.34", 1)
    record(cast, part, rest)
    assert standing(claim_id) == (_S.RECOVERED, "32.34", 3)  # less than it is worth, but all units are paid
    assert [each["what"] for each in news()] == ["partly_recovered", "recovered"]


def test_a_second_part_that_moves_nothing_is_told_all_the_same(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    parts = [line(key, cash_units=1, amount=Decimal("12.34")) for key in "ab"]
    record(cast, *parts)
    assert [entry.action for entry in claim_of(claim_id).history] == ["partly_recovered", "paid"]
    assert len(news()) == 2


def test_stock_makes_up_for_units_without_money(database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(cash_units=0, stock_units=3, amount=Decimal(0)))
    assert standing(claim_id) == (_S.RECOVERED, "0.00", 3)


@pytest.mark.parametrize("status", [_S.NEEDS_INFO, _S.DENIED, _S.APPEALED, _S.CLOSED])
def test_a_claim_is_paid_wherever_it_stands(sqlite_database: str, status: ClaimStatus) -> None:
    cast = make_cast()
    claim_id = filed(cast, status=status, closed_reason="refused" if status is _S.CLOSED else None)
    record(cast, line())
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)
    assert claim_of(claim_id).closed_reason is None


def test_a_claim_that_was_never_filed_recovers_nothing(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast, status=_S.TO_SUBMIT, submitted_at=None, case_id=None)
    assert record(cast, line(case_id=None)) == Paid()
    assert standing(claim_id) == (_S.TO_SUBMIT, "0.00", 0)


def test_another_accounts_claim_of_the_same_case_is_left_alone(sqlite_database: str) -> None:
    cast = make_cast()
    other = filed(cast, account_id=cast.other_account_id)
    assert record(cast, line()) == Paid()
    assert standing(other) == (_S.SUBMITTED, "0.00", 0)


def test_another_currency_stands_beside_what_is_recovered(database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(currency="CAD", amount=Decimal("50.00")))
    claim = claim_of(claim_id)
    assert (claim.recovered, claim.currency, claim.recovered_quantity) == (0, "USD", 3)
    assert (claim.payments[0].amount, claim.payments[0].currency) == (Decimal("50.00"), "CAD")
    assert "The claim is in USD: 50.00 CAD stands beside it." in (claim.history[-1].note or "")


def test_a_claim_of_unknown_value_takes_the_currency_it_is_paid_in(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast, value=None, currency=None)
    record(cast, line(currency="EUR"))
    assert (claim_of(claim_id).currency, claim_of(claim_id).recovered) == ("EUR", Decimal("37.02"))


def test_a_top_up_adds_money_and_no_unit(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line())
    record(cast, line(), line("b", original_id="R-a", case_id=None, amount=Decimal("6.00")))
    assert standing(claim_id) == (_S.RECOVERED, "43.02", 3)
    assert claim_of(claim_id).payments[1].first_unit == 0


def test_a_claim_about_money_is_recovered_when_the_money_is_there(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast, claim_type="reimbursement_underpaid")
    money = {"cash_units": 0}
    record(cast, line(amount=Decimal("37.00"), **money))
    assert claim_of(claim_id).status is _S.PARTLY_RECOVERED
    record(cast, line(amount=Decimal("37.00"), **money), line("b", amount=Decimal("0.02"), **money))
    assert claim_of(claim_id).status is _S.RECOVERED


# Taken back


def test_what_is_taken_back_in_full_makes_it_reversed_and_paid_again_recovered(
    database: str, slack_is_on: None
) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    first, back = line(), reversal("b", "R-a")
    record(cast, first)
    assert record(cast, first, back) == Paid(reversed=1)
    claim = claim_of(claim_id)
    assert standing(claim_id) == (_S.REVERSED, "0.00", 0)
    assert (claim.payments[1].reverses_id, claim.payments[1].amount) == (claim.payments[0].id, Decimal("-37.02"))
    assert claim.next_action_on == date(2026, 11, 23)
    assert [each["what"] for each in news()] == ["recovered", "reversed"]
    again = line("c", approved_on=TODAY + timedelta(days=9))
    record(cast, first, back, again)
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)


def test_paid_and_taken_back_in_one_report_shows_both_moves(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, reversal("b", "R-a"), line())
    assert [entry.to_status for entry in claim_of(claim_id).history] == ["recovered", "reversed"]


def test_a_part_taken_back_leaves_it_partly_recovered(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(), reversal("b", "R-a", cash_units=-1, amount=Decimal("-12.34")))
    assert standing(claim_id) == (_S.PARTLY_RECOVERED, "24.68", 2)
    assert news()[-1]["what"] == "reversed"


def test_all_money_taken_back_without_units_makes_it_reversed(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(), reversal("b", "R-a", cash_units=0))
    assert standing(claim_id) == (_S.REVERSED, "0.00", 3)


def test_what_is_taken_back_of_a_closed_claim_is_counted_and_told(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    part = line(cash_units=1, amount=Decimal("12.34"))
    record(cast, part)
    with db.transaction() as session:
        claim = moves.locked(session, claim_id, cast.ann)
        moves.move(session, claim, _S.CLOSED, actor=cast.ann, now=NOW, reason="refused")
    record(cast, part, reversal("b", "R-a", cash_units=-1, amount=Decimal("-12.34")))
    assert standing(claim_id) == (_S.CLOSED, "0.00", 0)
    assert claim_of(claim_id).history[-1].action == "taken_back"
    assert news()[-1]["what"] == "reversed"


def test_a_reversal_waits_for_its_payment(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    assert record(cast, reversal("b", "R-a")) == Paid(waiting=1)
    assert (line_row("b").state, line_row("b").candidates) == (ReimbursementState.WAITING, [])
    assert news() == []  # nobody can do anything about it
    assert record(cast, reversal("b", "R-a"), line()) == Paid(matched=1, reversed=1)
    assert line_row("b").state is ReimbursementState.MATCHED
    assert standing(claim_id) == (_S.REVERSED, "0.00", 0)


# What waits


def test_what_fits_two_claims_waits_and_is_told_once(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claims = [filed(cast), filed(cast)]
    assert record(cast, line(case_id=None)) == Paid(waiting=1)
    assert record(cast, line(case_id=None)) == Paid()
    row = line_row("a")
    assert (row.state, row.candidates) == (ReimbursementState.WAITING, claims)
    assert news() == [{"what": "waiting", "line_ids": [row.id]}]


def test_without_slack_nothing_is_queued(sqlite_database: str) -> None:
    cast = make_cast()
    filed(cast)
    record(cast, line(), line("b"))
    assert news() == []


def test_a_line_that_changed_is_flagged_and_not_rewritten(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line())
    other = replace(line(), reported=Said(3, 0, Decimal("30.00"), "USD"))
    assert record(cast, other) == Paid(changed=1)
    assert record(cast, other) == Paid()
    row = line_row("a")
    assert (row.amount_total, row.later_says) == (Decimal("37.02"), "3 units, 30.00 USD")
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)
    assert claim_of(claim_id).history[-1].note == "Reimbursement R-a: 3 units, 30.00 USD; booked is 3 units, 37.02 USD."
    assert news()[-1] == {"what": "payment_changed", "line_id": row.id}
    assert record(cast, line()) == Paid()
    assert line_row("a").later_says is None


def test_the_sellers_own_case_is_kept_for_a_person_who_knows_better(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    assert record(cast, line(case_id="999")) == Paid()
    assert line_row("a").state is ReimbursementState.NOT_OURS
    by_person(cast, claim_id, "R-a")
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)


# By hand


def by_person(cast: Cast, claim_id: int, reimbursement: str, actor: Actor | None = None) -> list[ClaimPayment]:
    with db.transaction() as session:
        return by_hand.match(session, claim_id, reimbursement=reimbursement, actor=actor or cast.ann, now=NOW)


def test_a_person_gives_a_waiting_line_to_a_claim(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    first, second = filed(cast), filed(cast)
    record(cast, line(case_id=None))
    (made,) = by_person(cast, second, "R-a")
    assert (made.matched_by, made.matched_by_id) == ("person", cast.ann.user_id)
    assert standing(second) == (_S.RECOVERED, "37.02", 3)
    assert claim_of(second).history[-1].actor_name == "Ann"
    assert (line_row("a").state, line_row("a").candidates) == (ReimbursementState.MATCHED, [])
    with pytest.raises(Moved, match=f"All of reimbursement R-a is taken: claim {second} has it"):
        by_person(cast, first, "R-a")
    assert record(cast, line(case_id=None)) == Paid()


def test_what_is_over_goes_to_a_claim_by_hand_also_beyond_its_units(database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    over = line(cash_units=5, amount=Decimal("61.70"))
    record(cast, over)
    (made,) = by_person(cast, claim_id, str(line_row("a").id))
    assert (made.first_unit, made.cash_units, made.amount) == (4, 2, Decimal("24.68"))
    assert standing(claim_id) == (_S.RECOVERED, "61.70", 5)
    assert record(cast, over) == Paid()


def test_a_reversal_that_names_nothing_is_taken_back_by_hand(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(), reversal("b", "", original_id=None))
    assert line_row("b").candidates == [claim_id]
    (made,) = by_person(cast, claim_id, "R-b")
    assert made.amount == Decimal("-37.02")
    assert standing(claim_id) == (_S.REVERSED, "0.00", 0)


def test_the_rest_of_a_top_up_follows_the_rest_of_its_payment_by_hand(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id, other = filed(cast), filed(cast, case_id="10245671882")
    top_up = line("b", original_id="R-a", cash_units=0, amount=Decimal("5.00"), approved_on=TODAY + timedelta(days=1))
    record(cast, line(cash_units=5), top_up)
    assert (line_row("a").state, line_row("b").state) == (ReimbursementState.WAITING, ReimbursementState.WAITING)
    by_person(cast, other, "R-a")
    with pytest.raises(Moved, match=f"Claim {claim_id} has its part of reimbursement R-b"):
        by_person(cast, claim_id, "R-b")
    (made,) = by_person(cast, other, "R-b")
    assert (made.amount, line_row("b").state) == (Decimal("2.00"), ReimbursementState.MATCHED)
    with pytest.raises(Moved, match="All of reimbursement R-b is taken"):
        by_person(cast, claim_id, "R-b")


def test_a_reversal_is_given_to_no_claim_that_got_something_else(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(), reversal("b", "R-none"), reversal("c", "", original_id=None, currency="EUR", case_id=CASE))
    for named, what in (("R-b", "what reimbursement R-none gave"), ("R-c", "what was paid")):
        with pytest.raises(Moved, match=f"takes back {what}, and claim {claim_id} has nothing left of it"):
            by_person(cast, claim_id, named)
    assert standing(claim_id) == (_S.RECOVERED, "37.02", 3)


def test_what_cannot_be_matched_is_said_in_words(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id, other = filed(cast), filed(cast, account_id=cast.other_account_id)
    unfiled = filed(cast, status=_S.TO_SUBMIT, submitted_at=None, case_id=None)
    record(cast, line(case_id=None, kind="general"), line("b", case_id=None, kind="general", reimbursement_id="R-a"))
    record(cast, reversal("c", "R-none"))
    with pytest.raises(NotFound, match="No payment R-z of this account"):
        by_person(cast, claim_id, "R-z")
    with pytest.raises(NotFound, match="No payment R-a of this account"):
        by_person(cast, other, "R-a")
    with pytest.raises(InvalidInput, match=r"R-a has 2 lines: 1 \(X001, 3 units, 37.02 USD\); 2 "):
        by_person(cast, claim_id, "R-a")
    with pytest.raises(Moved, match="takes back what reimbursement R-none gave, and claim"):
        by_person(cast, claim_id, "R-c")
    with pytest.raises(Moved, match="was not filed"):
        by_person(cast, unfiled, "R-a")
    with pytest.raises(NotFound, match="There is no claim 99"):
        by_person(cast, 99, "R-a")


def test_the_other_account_of_the_client_is_named(sqlite_database: str) -> None:
    cast = make_cast()
    filed(cast), filed(cast)
    record(cast, line(case_id=None))
    with db.transaction() as session:
        client_id = session.get_one(Account, cast.account_id).client_id
        sibling = Account(client_id=client_id, name="Sibling", marketplace="US", created_at=NOW)
        session.add(sibling)
        session.flush()
        account_id = sibling.id
    claim_id = filed(cast, account_id=account_id)
    with pytest.raises(NotFound, match=r"was paid to account .*; claim .* is of Sibling"):
        by_person(cast, claim_id, "R-a")


def test_not_ours_takes_it_off_the_list_and_stays_so(database: str) -> None:
    cast = make_cast()
    claims = [filed(cast), filed(cast)]
    record(cast, line(case_id=None))
    row_id = line_row("a").id
    with db.transaction() as session:
        by_hand.not_ours(session, row_id, actor=cast.bea, now=NOW)
    assert line_row("a").state is ReimbursementState.NOT_OURS
    assert record(cast, line(case_id=None)) == Paid()
    for claim_id in claims:
        assert claim_of(claim_id).history[-1].action == "payment_not_ours"
    with pytest.raises(Moved, match="it is not ours"), db.transaction() as session:
        by_hand.not_ours(session, row_id, actor=cast.bea, now=NOW)


def test_what_is_left_over_can_be_not_ours(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(cash_units=5))
    with db.transaction() as session:
        by_hand.not_ours(session, line_row("a").id, actor=cast.ann, now=NOW)
    assert line_row("a").state is ReimbursementState.MATCHED
    assert record(cast, line(cash_units=5)) == Paid()
    assert claim_of(claim_id).recovered_quantity == 3


def test_who_may_not_match(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    filed(cast)
    record(cast, line(case_id=None))
    for actor in (cast.bill, cast.carl):
        with pytest.raises(NotAllowed):
            by_person(cast, claim_id, "R-a", actor)
        with pytest.raises(NotAllowed), db.transaction() as session:
            by_hand.not_ours(session, 1, actor=actor, now=NOW)
        with pytest.raises(NotAllowed), db.reading() as session:
            by_hand.waiting_lines(session, actor)


def test_the_list_shows_candidates_and_what_is_left(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(cash_units=5), reversal("b", "R-none"))
    with db.reading() as session:
        over, later = by_hand.waiting_lines(session, cast.ann)
    assert ([claim.id for claim in over.candidates], over.units_left) == ([claim_id], 2)
    assert later.waits_for_its_payment


def test_the_program_itself_matches_nothing_by_hand(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = filed(cast)
    record(cast, line(case_id=None, kind="general"))
    with pytest.raises(NotAllowed, match="needs a person"):
        by_person(cast, claim_id, "R-a", system_actor())


def test_of_two_people_who_match_one_line_at_once_one_books_it(database: str) -> None:
    cast = make_cast()
    claims = [filed(cast), filed(cast)]
    record(cast, line(case_id=None))
    begin, told = threading.Barrier(2), []

    def press(claim_id: int) -> None:
        begin.wait()
        try:
            by_person(cast, claim_id, "R-a")
        except Moved as moved:
            told.append(str(moved))

    people = [threading.Thread(target=press, args=(claim_id,)) for claim_id in claims]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(told) == 1
    assert sorted(standing(claim_id)[2] for claim_id in claims) == [0, 3]


def test_a_person_and_the_daily_run_at_once_book_each_unit_once(database: str) -> None:
    cast = make_cast()
    claim_id, other = filed(cast), filed(cast, case_id="20000000002")
    over = line(cash_units=5, amount=Decimal("61.70"))
    record(cast, over)
    with db.transaction() as session:
        session.get_one(Claim, other).case_id = CASE  # so that the daily run gives it the two units that wait
    begin, told = threading.Barrier(2), []

    def tell(work: Callable[[], object]) -> None:
        begin.wait()
        try:
            work()
        except Moved as moved:
            told.append(str(moved))

    both = [
        threading.Thread(target=tell, args=(lambda: by_person(cast, claim_id, "R-a"),)),
        threading.Thread(target=tell, args=(lambda: record(cast, over),)),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    with db.reading() as session:
        payments_ = session.scalars(select(ClaimPayment).order_by(ClaimPayment.first_unit)).all()
    assert [(payment.first_unit, payment.cash_units) for payment in payments_] == [(1, 3), (4, 2)]
    assert len(told) <= 1
