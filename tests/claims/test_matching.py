"""Which line pays which claim: the rules one by one, and what must hold whatever comes in whatever order."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.matching import KINDS, REACH, kinds_of, match
from claims.paid import Booked, Books, Filed, Line, Payment, Plan, portion
from claims.words import CLAIM_TYPES
from detection.policy import reimbursement_kinds
from models import ReimbursementState

FILED = date(2026, 10, 1)
CASE = "10245671881"
DAY = timedelta(days=1)


def claim(number: int = 1, **more: Any) -> Filed:
    values = {
        "id": number,
        "case_id": CASE,
        "units": 3,
        "filed_on": FILED,
        "kinds": kinds_of("warehouse_lost"),
        "fnskus": frozenset({"X001"}),
        "mskus": frozenset({"SKU-1"}),
        "losses": ((f"loss{number}", 3),),
    }
    return Filed(**(values | more))


def line(key: str = "a", **more: Any) -> Line:
    values = {
        "key": key,
        "reimbursement_id": f"R{key}",
        "approved_on": FILED + 10 * DAY,
        "kind": "lost_warehouse",
        "fnsku": "X001",
        "msku": "SKU-1",
        "cash_units": 3,
        "amount": Decimal("37.02"),
        "currency": "USD",
    }
    return Line(**(values | more))


def reversal(key: str, of: str | None, **more: Any) -> Line:
    usual = {"kind": "reversal", "original_id": of, "cash_units": -3, "amount": Decimal("-37.02")}
    return line(key, **({"approved_on": FILED + 20 * DAY} | usual | more))


def plan(claims: Sequence[Filed], *lines: Line, **more: Any) -> Plan:
    return match(Books(tuple(claims)), lines, **more)


def paid(found: Plan) -> list[tuple[int, str, int, int, str, str]]:
    return [(p.claim_id, p.line_key, p.first_unit, p.units, str(p.amount), p.matched_by) for p in found.payments]


def waiting(found: Plan) -> dict[str, tuple[int, ...]]:
    return {each.line_key: each.candidates for each in found.waiting}


def booked_after(books: Books, lines: Iterable[Line], found: Plan) -> Books:
    """Return the books with a plan written into them, as the service does."""
    known = {each.key: each for each in lines} | dict(books.lines)
    booked = dict(books.booked)
    waits = waiting(found)
    for payment in found.payments:
        before = booked.get(payment.line_key)
        booked[payment.line_key] = Booked(ReimbursementState.MATCHED, (*(before.payments if before else ()), payment))
    for key, candidates in waits.items():
        before = booked.get(key)
        booked[key] = Booked(ReimbursementState.WAITING, before.payments if before else (), candidates)
    for key in found.not_ours:
        booked[key] = Booked(ReimbursementState.NOT_OURS)
    return Books(books.claims, {key: known[key] for key in booked}, booked)


# By case


def test_a_line_of_our_case_pays_its_claim() -> None:
    found = plan([claim()], line(case_id=CASE))
    assert paid(found) == [(1, "a", 1, 3, "37.02", "case_id")]
    assert found.waiting == ()


def test_a_line_of_our_case_counts_whatever_day_it_has() -> None:
    assert paid(plan([claim()], line(case_id=CASE, approved_on=FILED - 5 * DAY)))
    assert paid(plan([claim()], line(case_id=CASE, approved_on=FILED + 400 * DAY)))


def test_several_claims_of_a_case_are_told_apart_by_product() -> None:
    other = claim(2, fnskus=frozenset({"X002"}), mskus=frozenset({"SKU-2"}))
    found = plan([claim(), other], line(case_id=CASE, fnsku="X002", msku="SKU-2"))
    assert paid(found) == [(2, "a", 1, 3, "37.02", "case_id")]


def test_claims_of_one_product_are_paid_oldest_first_and_the_cents_add_up() -> None:
    older = claim(2, units=1, filed_on=FILED - DAY)
    found = plan([claim(), older], line(case_id=CASE, cash_units=3, amount=Decimal("10.00")))
    assert paid(found) == [(2, "a", 1, 1, "3.33", "case_id"), (1, "a", 2, 2, "6.67", "case_id")]


def test_what_a_case_has_over_its_claims_waits() -> None:
    found = plan([claim()], line(case_id=CASE, cash_units=5, amount=Decimal("50.00")))
    assert paid(found) == [(1, "a", 1, 3, "30.00", "case_id")]
    assert waiting(found) == {"a": (1,)}


def test_a_second_payment_of_a_paid_case_waits() -> None:
    found = plan([claim()], line(case_id=CASE), line("b", case_id=CASE, approved_on=FILED + 11 * DAY))
    assert len(found.payments) == 1
    assert waiting(found) == {"b": (1,)}


def test_a_product_that_no_claim_of_the_case_has_waits_unless_the_case_has_one_claim() -> None:
    strange = line(case_id=CASE, fnsku="X009", msku="SKU-9")
    assert waiting(plan([claim(), claim(2)], strange)) == {"a": (1, 2)}
    assert paid(plan([claim()], strange))


def test_a_part_is_paid_and_later_the_rest() -> None:
    part = line(case_id=CASE, cash_units=1, amount=Decimal("12.34"))
    rest = line("b", case_id=CASE, cash_units=2, amount=Decimal("24.68"), approved_on=FILED + 12 * DAY)
    assert [entry[:4] for entry in paid(plan([claim()], rest, part))] == [(1, "a", 1, 1), (1, "b", 1, 2)]


def test_stock_given_back_counts_as_units_without_money() -> None:
    both = line(case_id=CASE, cash_units=1, stock_units=2, amount=Decimal("12.34"))
    (one,) = plan([claim()], both).payments
    assert (one.cash_units, one.stock_units, one.amount) == (1, 2, Decimal("12.34"))


def test_cash_units_of_a_line_go_before_its_units_in_stock() -> None:
    older = claim(2, units=1, filed_on=FILED - DAY)
    first, second = plan([claim(units=2), older], line(case_id=CASE, cash_units=1, stock_units=2)).payments
    assert (first.claim_id, first.cash_units, first.stock_units, first.amount) == (2, 1, 0, Decimal("37.02"))
    assert (second.claim_id, second.cash_units, second.stock_units, second.amount) == (1, 0, 2, Decimal(0))


def test_money_without_units_goes_to_the_one_claim_of_the_case() -> None:
    money = line(case_id=CASE, cash_units=0, amount=Decimal("5.00"))
    assert paid(plan([claim()], money)) == [(1, "a", 0, 0, "5.00", "case_id")]
    assert waiting(plan([claim(), claim(2)], money)) == {"a": (1, 2)}


def test_another_currency_is_booked_as_it_is() -> None:
    (one,) = plan([claim()], line(case_id=CASE, currency="CAD")).payments
    assert one.currency == "CAD"


# Not ours


@pytest.mark.parametrize("names", [{}, {"order_id": "111-1"}])
def test_a_line_of_another_case_is_the_sellers_own(names: dict[str, Any]) -> None:
    found = plan([claim(orders=frozenset({"111-1"}))], line(case_id="999", **names))
    assert (found.payments, found.waiting, found.not_ours) == ((), (), ("a",))
    assert plan([claim()], line(case_id="999", fnsku="X777", msku=None)).not_ours == ()


@pytest.mark.parametrize("names", [{}, {"order_id": "111-1"}])
def test_what_was_approved_before_the_filing_was_paid_by_amazon_itself(names: dict[str, Any]) -> None:
    ours = claim(orders=frozenset({"111-1"}))
    assert plan([ours], line(approved_on=FILED - DAY, **names)) == Plan()
    assert paid(plan([ours], line(approved_on=FILED, **names)))


# By order or shipment


def test_a_line_that_names_our_order_pays_its_claim() -> None:
    ours = claim(orders=frozenset({"111-1"}), kinds=kinds_of("return_not_received"), fnskus=frozenset(), units=1)
    of_order = {"order_id": "111-1", "kind": "customer_return", "fnsku": "X001", "cash_units": 1}
    assert paid(plan([ours], line(**of_order)))[0][5] == "order_id"
    assert plan([ours], line(**(of_order | {"order_id": "111-2"}))) == Plan()
    assert plan([ours], line(**(of_order | {"kind": "fee"}))) == Plan()


def test_a_line_that_names_our_shipment_pays_its_claim() -> None:
    ours = claim(shipments=frozenset({"FBA1"}), kinds=kinds_of("inbound_lost"))
    assert paid(plan([ours], line(order_id="FBA1", kind="lost_inbound")))[0][5] == "shipment_id"


def test_two_items_of_one_order_are_told_apart_by_sku() -> None:
    of_order: dict[str, Any] = {"orders": frozenset({"111-1"}), "kinds": kinds_of("return_not_received"), "units": 1}
    items = [claim(n, mskus=frozenset({f"SKU-{n}"}), fnskus=frozenset(), **of_order) for n in (1, 2)]
    named = line(order_id="111-1", kind="customer_return", msku="SKU-2", fnsku="X002", cash_units=1)
    assert [entry[0] for entry in paid(plan(items, named))] == [2]


# By product, reason, quantity and day


def test_one_claim_that_fits_is_paid() -> None:
    assert paid(plan([claim()], line())) == [(1, "a", 1, 3, "37.02", "units")]


@pytest.mark.parametrize(
    "differs", [{"fnsku": "X002"}, {"kind": "lost_inbound"}, {"approved_on": FILED + REACH + DAY}, {"cash_units": 0}]
)
def test_a_line_that_does_not_fit_is_left_alone(differs: dict[str, Any]) -> None:
    assert plan([claim()], line(**differs)) == Plan()


def test_the_last_day_of_its_reach_still_counts() -> None:
    assert paid(plan([claim()], line(approved_on=FILED + REACH)))


def test_two_claims_that_fit_equally_wait_for_a_person() -> None:
    found = plan([claim(1), claim(2)], line())
    assert (found.payments, waiting(found)) == ((), {"a": (1, 2)})


def test_the_claim_of_exactly_that_quantity_is_the_better_one() -> None:
    assert paid(plan([claim(1, units=5), claim(2)], line()))[0][0] == 2


def test_a_part_goes_to_the_one_claim_that_has_more() -> None:
    assert paid(plan([claim(1, units=5), claim(2, units=1)], line()))[0][0] == 1


def test_one_line_pays_all_claims_that_it_makes_up_for_exactly() -> None:
    found = plan([claim(1, units=1), claim(2, units=2)], line(amount=Decimal("10.00")))
    assert paid(found) == [(1, "a", 1, 1, "3.33", "units"), (2, "a", 2, 2, "6.67", "units")]


def test_more_units_than_all_claims_have_wait() -> None:
    assert waiting(plan([claim(1, units=1)], line())) == {"a": (1,)}


def test_the_claim_whose_loss_the_rules_settled_with_it_is_preferred() -> None:
    found = plan([claim(1), claim(2)], line(), hints={"a": {"loss2": 3}})
    assert paid(found) == [(2, "a", 1, 3, "37.02", "units")]


def test_a_line_that_settled_a_loss_nobody_claimed_waits() -> None:
    assert waiting(plan([claim(1)], line(), hints={"a": {"other": 3}})) == {"a": (1,)}


def test_units_that_settled_another_loss_are_no_part_of_the_claim() -> None:
    found = plan([claim(1)], line(cash_units=5, amount=Decimal("50.00")), hints={"a": {"loss1": 3, "other": 2}})
    assert paid(found) == [(1, "a", 1, 3, "30.00", "units")]
    assert found.waiting == ()


@pytest.mark.parametrize("kind", ["general", "unknown"])
def test_a_reason_that_says_nothing_waits(kind: str) -> None:
    assert waiting(plan([claim()], line(kind=kind))) == {"a": (1,)}


def test_a_claim_that_was_given_up_is_paid_by_its_case_only() -> None:
    closed = claim(is_closed=True)
    assert plan([closed], line()) == Plan()
    assert paid(plan([closed], line(case_id=CASE)))


def test_a_claim_that_is_paid_takes_no_more() -> None:
    assert len(plan([claim()], line(), line("b", approved_on=FILED + 11 * DAY)).payments) == 1


def test_every_claim_type_has_kinds_that_the_policy_knows() -> None:
    known = set(reimbursement_kinds().values())
    assert set(KINDS) <= set(CLAIM_TYPES)
    for claim_type in CLAIM_TYPES:
        assert kinds_of(claim_type) <= known


# Top-ups


def test_a_top_up_adds_money_to_the_claim_that_the_original_paid() -> None:
    top_up = line("b", original_id="Ra", cash_units=3, amount=Decimal("6.00"), approved_on=FILED + 30 * DAY)
    assert paid(plan([claim()], line(), top_up))[1] == (1, "b", 0, 0, "6.00", "original")


def test_a_top_up_of_a_line_for_several_claims_is_split_as_that_was() -> None:
    claims = [claim(1, units=1), claim(2, units=2)]
    top_up = line("b", original_id="Ra", amount=Decimal("1.00"), approved_on=FILED + 30 * DAY)
    assert [entry[4] for entry in paid(plan(claims, line(case_id=CASE), top_up))[2:]] == ["0.33", "0.67"]


def test_a_top_up_of_what_is_not_ours_is_not_ours() -> None:
    assert plan([claim()], line("b", original_id="Rx")) == Plan()


def test_a_claim_about_a_reimbursement_is_paid_by_the_line_that_names_it() -> None:
    asked = claim(reimbursements=frozenset({"R77"}), kinds=kinds_of("reimbursement_underpaid"))
    assert paid(plan([asked], line(original_id="R77", cash_units=0, amount=Decimal("4.00")))) == [
        (1, "a", 0, 0, "4.00", "original")
    ]


@pytest.mark.parametrize("case", [None, "20000000001"])
def test_a_claim_about_a_payment_of_ours_is_paid_by_the_line_that_names_it(case: str | None) -> None:
    asked = claim(2, case_id="20000000001", reimbursements=frozenset({"Ra"}), kinds=kinds_of("reimbursement_underpaid"))
    more = line("b", case_id=case, original_id="Ra", cash_units=0, amount=Decimal("4.00"), approved_on=FILED + 30 * DAY)
    by = "case_id" if case else "original"
    assert paid(plan([claim(), asked], line(case_id=CASE), more))[1] == (2, "b", 0, 0, "4.00", by)


def test_a_top_up_of_one_case_is_not_for_the_claim_of_another() -> None:
    other = claim(2, case_id="20000000001", fnskus=frozenset({"X001"}))
    more = line("b", case_id="20000000001", original_id="Ra", amount=Decimal("4.00"), approved_on=FILED + 30 * DAY)
    assert paid(plan([claim(), other], line(case_id=CASE), more))[1] == (2, "b", 0, 0, "4.00", "case_id")
    strange = replace(other, fnskus=frozenset({"X002"}), mskus=frozenset())
    assert paid(plan([claim(), strange], line(case_id=CASE), more))[1] == (1, "b", 0, 0, "4.00", "original")


# Reversals


def test_a_reversal_takes_back_what_its_payment_gave() -> None:
    found = plan([claim()], line(), reversal("b", "Ra"))
    back = found.payments[1]
    assert (back.claim_id, back.units, back.amount, back.reverses) == (1, -3, Decimal("-37.02"), ("a", 1, 1))


@pytest.mark.parametrize("sign", [1, -1])
def test_its_sign_does_not_matter(sign: int) -> None:
    back = reversal("b", "Ra", cash_units=3 * sign, amount=Decimal("37.02") * sign)
    assert plan([claim()], line(), back).payments[1].units == -3


def test_a_part_is_taken_back_from_the_first_units() -> None:
    claims = [claim(1, units=1), claim(2, units=2)]
    back = reversal("b", "Ra", cash_units=-2, amount=Decimal("-24.68"))
    found = plan(claims, line(case_id=CASE), back)
    assert [(p.claim_id, p.units, str(p.amount)) for p in found.payments[2:]] == [(1, -1, "-12.34"), (2, -1, "-12.34")]


def test_what_is_taken_back_can_be_paid_again() -> None:
    again = line("c", case_id=CASE, approved_on=FILED + 25 * DAY)
    found = plan([claim()], line(case_id=CASE), reversal("b", "Ra"), again)
    assert [p.units for p in found.payments] == [3, -3, 3]
    assert found.waiting == ()


def test_a_payment_before_the_reversal_is_not_taken_for_the_second() -> None:
    between = line("c", approved_on=FILED + 15 * DAY)
    assert [p.line_key for p in plan([claim()], line(), between, reversal("b", "Ra")).payments] == ["a", "b"]


def test_a_second_reversal_of_the_same_units_waits() -> None:
    found = plan([claim()], line(), reversal("b", "Ra"), reversal("c", "Ra", approved_on=FILED + 21 * DAY))
    assert waiting(found) == {"c": (1,)}


def test_a_reversal_without_units_takes_back_money_alone() -> None:
    found = plan([claim()], line(), reversal("b", "Ra", cash_units=0, amount=Decimal("-2.00")))
    assert paid(found)[1] == (1, "b", 0, 0, "-2.00", "reversal")


def test_a_reversal_waits_for_its_payment_and_is_applied_when_that_appears() -> None:
    books = Books((claim(),))
    back = reversal("b", "Ra")
    first = match(books, [back])
    assert (first.payments, waiting(first)) == ((), {"b": ()})
    second = match(booked_after(books, [back], first), [back, line()])
    assert [p.units for p in second.payments] == [3, -3]


def test_a_reversal_of_what_is_not_ours_is_not_ours() -> None:
    assert plan([claim()], reversal("b", "Rx"), seen=frozenset({"Rx"})) == Plan()
    assert plan([claim()], reversal("b", "Rx", fnsku="X999", msku="SKU-9")) == Plan()


def test_a_reversal_that_names_no_payment_waits_unless_case_or_order_tell() -> None:
    assert waiting(plan([claim()], line(), reversal("b", None))) == {"b": (1,)}
    of_case = plan([claim()], line(), reversal("b", None, case_id=CASE))
    assert [p.units for p in of_case.payments] == [3, -3]


def test_a_reversal_of_a_payment_that_waits_waits_with_it() -> None:
    found = plan([claim(1), claim(2)], line(), reversal("b", "Ra"))
    assert waiting(found) == {"a": (1, 2), "b": ()}


# What is booked stays


def test_what_waits_is_left_to_the_person_also_when_it_fits_later() -> None:
    books = Books((claim(1), claim(2)))
    lines = [line()]
    after = booked_after(books, lines, match(books, lines))
    only_one = replace(after, claims=(claim(1), claim(2, units=9)))
    assert match(only_one, lines) == Plan()


def test_another_claim_of_the_case_takes_what_waits() -> None:
    books = Books((claim(),))
    lines = [line(case_id=CASE, cash_units=5, amount=Decimal("50.00"))]
    after = booked_after(books, lines, match(books, lines))
    found = match(replace(after, claims=(claim(), claim(2))), lines)
    assert paid(found) == [(2, "a", 4, 2, "20.00", "case_id")]
    assert found.waiting == ()


@pytest.mark.parametrize(
    ("cash", "stock", "amount", "ranges"),
    [(3, 0, "10.00", [1, 1, 1]), (2, 3, "0.01", [1, 3, 1]), (0, 4, "1.00", [1, 3]), (7, 0, "0.05", [2, 2, 3])],
)
def test_the_parts_of_a_line_add_up_to_it(cash: int, stock: int, amount: str, ranges: list[int]) -> None:
    whole = line(cash_units=cash, stock_units=stock, amount=Decimal(amount))
    parts, first = [], 1
    for units in ranges:
        parts.append(portion(whole, first, units))
        first += units
    assert [sum(column) for column in zip(*parts, strict=True)] == [cash, stock, Decimal(amount)]


# Laws

CASES = [None, None, CASE, "20000000002", "77777"]
FNSKUS = ["X001", "X002"]

CLAIMS = st.lists(
    st.builds(
        lambda case, fnsku, units, filed, order: claim(
            case_id=case,
            fnskus=frozenset({fnsku}),
            mskus=frozenset({fnsku}),
            units=units,
            filed_on=FILED + filed * DAY,
            orders=frozenset({order} if order else ()),
        ),
        st.sampled_from([CASE, "20000000002"]),
        st.sampled_from(FNSKUS),
        st.integers(1, 4),
        st.integers(0, 5),
        st.sampled_from([None, None, "111-1"]),
    ),
    min_size=1,
    max_size=5,
).map(lambda claims: tuple(replace(each, id=n, losses=((f"loss{n}", each.units),)) for n, each in enumerate(claims, 1)))


def as_amazon_dates_them(lines: list[Line]) -> list[Line]:
    """Number the lines, and date none before the one that it names: Amazon names what is there already."""
    numbered = [replace(each, key=f"{n}", reimbursement_id=f"R{n}") for n, each in enumerate(lines)]
    for _ in numbered:
        on = {each.reimbursement_id: each.approved_on for each in numbered}
        numbered = [
            replace(each, approved_on=max(each.approved_on, on.get(each.original_id or "", each.approved_on)))
            for each in numbered
        ]
    return numbered


LINES = st.lists(
    st.builds(
        lambda case, fnsku, cash, stock, cents, day, order, original, kind: line(
            case_id=case,
            fnsku=fnsku,
            msku=fnsku,
            cash_units=cash,
            stock_units=stock,
            amount=Decimal(cents) / 100 if cash or not stock else Decimal(0),
            approved_on=FILED + day * DAY,
            order_id=order,
            original_id=f"R{original}" if original is not None else None,
            kind=kind,
        ),
        st.sampled_from(CASES),
        st.sampled_from(FNSKUS),
        st.integers(0, 5),
        st.integers(0, 2),
        st.integers(0, 5000),
        st.integers(-2, 12),
        st.sampled_from([None, None, None, "111-1"]),
        st.none() | st.none() | st.integers(0, 7),
        st.sampled_from(["lost_warehouse"] * 4 + ["reversal", "reversal", "general", "fee"]),
    ),
    max_size=8,
).map(as_amazon_dates_them)


def test_money_that_adds_to_a_payment_dated_after_it_is_booked_at_once_and_not_in_the_next_run() -> None:
    claims = [claim(1, units=1), claim(2, units=1)]
    added = line("a", cash_units=0, amount=Decimal("0.01"), original_id="Rb", case_id=CASE, approved_on=FILED)
    found = plan(claims, added, line("b", cash_units=1, case_id=CASE, approved_on=FILED + DAY))
    assert [(key, by) for _, key, _, _, _, by in paid(found)] == [("b", "case_id"), ("a", "original")]
    assert waiting(found) == {}


def test_a_reversal_dated_before_its_payment_comes_after_it() -> None:
    back = reversal("a", "Rb", cash_units=-1, approved_on=FILED)
    payment = line("b", cash_units=2, case_id=CASE, approved_on=FILED + DAY)
    books = Books((claim(units=1),))
    after = booked_after(books, [back, payment], match(books, [back, payment]))
    assert match(after, [back, payment]).payments == ()


def units_by_claim(payments: Iterable[Payment]) -> dict[int, int]:
    units: dict[int, int] = {}
    for payment in payments:
        units[payment.claim_id] = units.get(payment.claim_id, 0) + payment.units
    return units


@given(CLAIMS, LINES, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_rows_and_of_claims_changes_nothing(
    claims: tuple[Filed, ...], lines: list[Line], chance: Any
) -> None:
    wanted = match(Books(claims), lines)
    mixed, mixed_claims = list(lines), list(claims)
    chance.shuffle(mixed)
    chance.shuffle(mixed_claims)
    assert match(Books(tuple(mixed_claims)), mixed) == wanted


@given(CLAIMS, LINES)
@settings(max_examples=150, deadline=None)
def test_booking_again_adds_nothing(claims: tuple[Filed, ...], lines: list[Line]) -> None:
    books = Books(claims)
    after = booked_after(books, lines, match(books, lines))
    again = match(after, lines)
    assert (again.payments, again.not_ours) == ((), ())
    assert booked_after(after, lines, again) == after


@given(CLAIMS, LINES, st.lists(st.integers(-2, 12), max_size=4))
@settings(max_examples=200, deadline=None)
def test_day_by_day_makes_the_same_books_as_all_at_once(
    claims: tuple[Filed, ...], lines: list[Line], days: list[int]
) -> None:
    ids = frozenset(each.reimbursement_id for each in lines)
    at_once = booked_after(Books(claims), lines, match(Books(claims), lines, seen=ids))
    books = Books(claims)
    for day in [*sorted(days), 99]:
        known = [each for each in lines if each.approved_on <= FILED + day * DAY]
        books = booked_after(books, known, match(books, known, seen=ids))
    money = [p for booked in books.booked.values() for p in booked.payments]
    assert sorted(map(repr, money)) == sorted(repr(p) for b in at_once.booked.values() for p in b.payments)


@given(CLAIMS, LINES)
@settings(max_examples=300, deadline=None)
def test_no_unit_is_paid_twice_and_no_cent_is_made(claims: tuple[Filed, ...], lines: list[Line]) -> None:
    found = match(Books(claims), lines)
    by_key = {each.key: each for each in lines}
    for key in {payment.line_key for payment in found.payments}:
        of_line = [payment for payment in found.payments if payment.line_key == key]
        covered = [unit for p in of_line for unit in range(p.first_unit, p.first_unit + abs(p.units))]
        assert len(covered) == len(set(covered))
        assert len(covered) <= by_key[key].units
        money = abs(sum(payment.amount for payment in of_line))
        assert money <= abs(by_key[key].amount)
        if covered and len(covered) == by_key[key].units:
            assert money == abs(by_key[key].amount)
    assert len({payment.key for payment in found.payments}) == len(found.payments)
    for claim_id, units in units_by_claim(found.payments).items():
        assert 0 <= units <= next(each.units for each in claims if each.id == claim_id)


@given(CLAIMS, LINES)
@settings(max_examples=150, deadline=None)
def test_a_case_of_ours_never_loses_money(claims: tuple[Filed, ...], lines: list[Line]) -> None:
    found = match(Books(claims), lines)
    ours = {each.case_id for each in claims}
    waits = waiting(found)
    for each in lines:
        pays = not each.takes_back and (each.units or each.amount) and not each.original_id
        if each.case_id in ours and pays:
            covered = sum(payment.units for payment in found.payments if payment.line_key == each.key)
            assert each.key in waits or covered == each.units


@given(CLAIMS, LINES, st.integers(0, 11))
@settings(max_examples=150, deadline=None)
def test_a_reversal_after_any_prefix_leaves_no_more_than_nothing(
    claims: tuple[Filed, ...], lines: list[Line], day: int
) -> None:
    prefix = [each for each in lines if each.approved_on <= FILED + day * DAY and not each.takes_back]
    books = booked_after(Books(claims), prefix, match(Books(claims), prefix))
    paying = [payment for payment in match(Books(claims), prefix).payments if payment.units]
    back = [
        reversal(
            f"back{n}",
            f"R{payment.line_key}",
            fnsku=None,
            msku=None,
            cash_units=-payment.units,
            amount=-payment.amount,
            approved_on=FILED + (day + 1) * DAY,
        )
        for n, payment in enumerate(paying)
    ]
    found = match(books, [*prefix, *back])
    left = units_by_claim([*(p for b in books.booked.values() for p in b.payments), *found.payments])
    assert all(units == 0 for units in left.values())
