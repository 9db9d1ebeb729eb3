"""Invoices: what is billed when, credited, numbered, queried, paid and made void."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import db
from billing import moves
from billing.invoices import NoTerms, make_invoices
from claims import clients
from claims.access import Actor
from errors import InvalidInput, Moved, NotAllowed, NotFound
from models import (
    AgencySettings,
    BilledUnit,
    Client,
    HistoryEntry,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Reimbursement,
    Role,
)
from tests.billing.paying import IN_WEEK, SUNDAY, bill, billed_cast, filed, lines_of, paid
from tests.factories import NOW, Cast, make_discrepancy

D = Decimal
WEEK = timedelta(days=7)
LATER = NOW + WEEK


def set_terms(cast: Cast, **terms: Any) -> None:
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, **terms)


def fees(cast: Cast) -> list[tuple[str, str]]:
    """What stands on all invoices that are not void: recovered and fee of each line."""
    with db.reading() as session:
        found = (
            select(InvoiceLine)
            .join(InvoiceLine.invoice)
            .where(Invoice.client_id == cast.client_id, Invoice.status != InvoiceStatus.VOID)
            .order_by(InvoiceLine.id)
        )
        return [(f"{line.recovered:.2f}", f"{line.fee:.2f}") for line in session.scalars(found)]


def stored(invoice_id: int) -> Invoice:
    with db.reading() as session:
        return session.get_one(Invoice, invoice_id)


def sent(cast: Cast, invoice_id: int, now: datetime = NOW) -> Invoice:
    with db.transaction() as session:
        return moves.send(session, invoice_id, actor=cast.bill, now=now)


def test_an_invoice_takes_what_was_approved_up_to_its_sunday_a_line_each(database: str) -> None:
    cast = billed_cast()
    set_terms(cast, tax_rate=D("0.19"))
    with db.transaction() as session:
        claim, never_filed = filed(session, cast), filed(session, cast, submitted_at=None)
        paid(session, claim, "24.68", on=date(2026, 9, 1), units=2)  # approved long ago, seen only now
        paid(session, claim, "12.34", on=SUNDAY)
        paid(session, claim, "99.00", on=SUNDAY + timedelta(days=1))
        paid(session, never_filed, "50.00")
    made = bill(cast)
    assert (len(made.invoices), made.lines, made.waiting) == (1, 2, 0)
    invoice = stored(made.invoices[0].id)
    assert (invoice.status, invoice.number, invoice.currency) == (InvoiceStatus.DRAFT, None, "USD")
    assert (invoice.week_from, invoice.week_to) == (date(2026, 11, 16), SUNDAY)
    assert (invoice.recovered, invoice.fee, invoice.tax, invoice.total) == (D("37.02"), D("7.41"), D("1.41"), D("8.82"))
    lines = lines_of(invoice.id)
    assert [(line.approved_on, line.cash_units, line.rate, line.fee) for line in lines] == [
        (date(2026, 9, 1), 2, D("0.2"), D("4.94")),
        (SUNDAY, 1, D("0.2"), D("2.47")),
    ]
    assert invoice.terms["client"]["address"] == "1 Quay\nPort"
    assert invoice.terms["tax_rate"] == "0.19"
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(BilledUnit)) == 3


def test_a_line_has_the_rate_of_its_own_day(sqlite_database: str) -> None:
    cast = billed_cast()
    set_terms(cast, commission_rate=D("0.5"), rate_from=date(2026, 11, 23))
    set_terms(cast, commission_rate=D("0.25"), rate_from=IN_WEEK)
    set_terms(cast, commission_rate=D("0.10"), rate_from=date(2026, 1, 1))
    with db.transaction() as session:
        claim = filed(session, cast)
        paid(session, claim, "10.00", on=IN_WEEK - timedelta(days=1))
        paid(session, claim, "10.00", on=IN_WEEK)
    bill(cast)
    assert fees(cast) == [("10.00", "1.00"), ("10.00", "2.50")]


def test_running_again_adds_nothing_and_new_payments_join_the_draft(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim = filed(session, cast)
        paid(session, claim, "10.00")
    first = bill(cast)
    assert bill(cast).invoices == ()
    with db.transaction() as session:
        paid(session, filed(session, cast), "5.00")
    second = bill(cast)
    assert (second.lines, second.invoices[0].id) == (1, first.invoices[0].id)
    assert stored(first.invoices[0].id).total == D("3.00")
    with db.reading() as session:
        told = session.scalars(select(HistoryEntry).where(HistoryEntry.invoice_id == first.invoices[0].id)).all()
    assert [(entry.action, entry.to_status, entry.note) for entry in told] == [
        ("invoice_made", "draft", "1 line"),
        ("invoice_lines_added", "draft", "1 line"),
    ]


def test_what_comes_after_the_sending_waits_for_the_next_weeks_invoice(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim = filed(session, cast)
        paid(session, claim, "10.00")
    first = bill(cast).invoices[0]
    sent(cast, first.id)
    with db.transaction() as session:
        paid(session, claim, "5.00", on=date(2026, 9, 1))
    made = bill(cast)
    assert (made.invoices, made.waiting) == ((), 1)
    later = bill(cast, until=SUNDAY + WEEK, now=LATER)
    assert later.invoices[0].week_to == SUNDAY + WEEK
    assert fees(cast) == [("10.00", "2.00"), ("5.00", "1.00")]


def test_each_currency_has_an_invoice_of_its_own(sqlite_database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim = filed(session, cast)
        paid(session, claim, "10.00")
        paid(session, claim, "10.00", currency="CAD")
        paid(session, claim, "1001", currency="JPY")
    assert [(each.currency, str(each.total)) for each in bill(cast).invoices] == [
        ("CAD", "2.00"),
        ("JPY", "200"),
        ("USD", "2.00"),
    ]


def test_money_without_units_is_billed_once(sqlite_database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        paid(session, filed(session, cast), "3.33", units=0)
    assert bill(cast).lines == 1
    assert bill(cast).lines == 0


def test_money_without_units_is_billed_for_each_claim_that_it_was_spread_over(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim, other, third = filed(session, cast), filed(session, cast), filed(session, cast)
        top_up = paid(session, claim, "3.00", units=0)
        paid(session, other, "2.00", units=0, line=top_up.line)
    assert bill(cast).lines == 2
    with db.transaction() as session:  # a person gives a part of the same line to one more
        paid(session, third, "1.00", units=0, line=session.get_one(Reimbursement, top_up.reimbursement_line_id))
    assert bill(cast).lines == 1
    assert bill(cast).lines == 0
    assert fees(cast) == [("3.00", "0.60"), ("2.00", "0.40"), ("1.00", "0.20")]


def test_the_database_refuses_a_unit_twice(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim, other = filed(session, cast), filed(session, cast)
        payment = paid(session, claim, "30.00", units=3)
        paid(session, other, "20.00", units=2, line=payment.line, first_unit=3)  # overlaps with unit 3
    with pytest.raises(IntegrityError):
        bill(cast)
    assert fees(cast) == []


@pytest.mark.usefixtures("sqlite_database")
class TestStock:
    def test_units_given_back_bear_no_fee_by_default_and_are_named_once(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            paid(session, claim, "0", units=0, stock=2)
        assert (bill(cast).invoices, bill(cast).free) == ((), 1)  # nothing to bill: named with the next line
        with db.transaction() as session:
            paid(session, claim, "10.00")
        invoice = bill(cast).invoices[0]
        assert fees(cast) == [("10.00", "2.00")]
        assert [(note["why"], note["stock_units"]) for note in invoice.terms["without_fee"]] == [
            ("stock_without_fee", 2)
        ]
        set_terms(cast, fee_on_stock=True)  # a term that changes later bills nothing that was told to be free
        assert bill(cast).lines == 0

    def test_they_bear_one_of_their_value_where_the_terms_say_so(self) -> None:
        cast = billed_cast()
        set_terms(cast, fee_on_stock=True)
        with db.transaction() as session:
            claim = filed(session, cast)
            given = paid(session, claim, "0", units=0, stock=3, currency=None)
            paid(session, claim, "12.34", units=1, stock=1)
        bill(cast)
        assert fees(cast) == [("37.02", "7.40"), ("24.68", "4.94")]
        with db.transaction() as session:
            paid(session, claim, "0", units=0, stock=-1, reverses=given, currency=None)
        bill(cast)
        assert fees(cast)[2:] == [("-12.34", "-2.47")]

    def test_an_unknown_value_makes_no_line_but_is_named(self) -> None:
        cast = billed_cast()
        set_terms(cast, fee_on_stock=True)
        with db.transaction() as session:
            claim = filed(session, cast, value=None, currency=None)
            paid(session, claim, "0", units=0, stock=1, currency=None)
            paid(session, claim, "10.00", stock=1)
        invoice = bill(cast).invoices[0]
        assert fees(cast) == [("10.00", "2.00")]
        assert [note["why"] for note in invoice.terms["without_fee"]] == ["value_not_known", "value_not_known"]


@pytest.mark.usefixtures("sqlite_database")
class TestReversals:
    def test_a_fee_that_falls_away_is_credited_on_the_next_invoice(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            payment = paid(session, claim, "10.01", units=3)
        sent(cast, bill(cast).invoices[0].id)
        set_terms(cast, commission_rate=D("0.5"))  # the credit is of the fee that was billed
        with db.transaction() as session:
            for amount in ("-3.33", "-3.34", "-3.34"):
                paid(session, claim, amount, units=-1, reverses=payment, on=date(2026, 11, 24))
        made = bill(cast, until=SUNDAY + WEEK, now=LATER)
        assert fees(cast) == [("10.01", "2.00"), ("-3.33", "-0.67"), ("-3.34", "-0.66"), ("-3.34", "-0.67")]
        assert stored(made.invoices[0].id).total == D("-2.00")
        assert moves.named(sent(cast, made.invoices[0].id, LATER)) == "Credit note 00002"

    def test_what_was_never_billed_nets_with_its_payment_on_one_invoice(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            payment = paid(session, claim, "10.00")
            paid(session, claim, "-10.00", units=-1, reverses=payment)
        invoice = bill(cast).invoices[0]
        assert fees(cast) == [("10.00", "2.00"), ("-10.00", "-2.00")]
        assert invoice.total == 0

    def test_a_reversal_waits_for_its_payment(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            payment = paid(session, claim, "10.00", on=date(2026, 11, 24))
            paid(session, claim, "-10.00", units=-1, reverses=payment)
        assert bill(cast).lines == 0
        assert bill(cast, until=SUNDAY + WEEK, now=LATER).lines == 2

    def test_a_fee_that_stays_is_named_and_counted(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            payment = paid(session, claim, "10.01", units=2)
        bill(cast)
        set_terms(cast, keeps_fee_reversed=True, keeps_fee_reversed_with_unit=True)
        with db.transaction() as session:
            paid(session, claim, "-5.00", units=-1, reverses=payment)
            paid(session, claim, "1.00")
        invoice = bill(cast).invoices[0]
        assert [(note["why"], note["kept"]) for note in invoice.terms["without_fee"]] == [
            ("fee_stays", ["5.00", "1.00"])
        ]
        set_terms(cast, keeps_fee_reversed=False)
        with db.transaction() as session:
            paid(session, claim, "-5.01", units=-1, reverses=payment)
        bill(cast)
        assert fees(cast) == [("10.01", "2.00"), ("1.00", "0.20"), ("-5.01", "-1.00")]

    @pytest.mark.parametrize(
        ("units", "stock", "is_missing", "is_credited"),
        [
            pytest.param(-1, 1, True, True, id="given in the same line"),
            pytest.param(0, 1, True, False, id="a line without signs"),
            pytest.param(-1, 0, True, False, id="missing by the audit"),
            pytest.param(-1, 0, False, True, id="not told"),
        ],
    )
    def test_terms_that_differ_go_by_whether_the_unit_came_back(
        self, units: int, stock: int, is_missing: bool, is_credited: bool
    ) -> None:
        cast = billed_cast()
        set_terms(cast, keeps_fee_reversed=True)
        with db.transaction() as session:
            claim = filed(session, cast)
            payment = paid(session, claim, "10.00")
            taken = paid(session, claim, "-10.00", units=-1, reverses=payment)
            taken.line.cash_units, taken.line.stock_units = units, stock
            if is_missing:
                make_discrepancy(
                    session,
                    cast.account_id,
                    claim_type="reimbursement_reversed",
                    reference_kind="reimbursement",
                    reference_id=taken.line.reimbursement_id,
                )
        bill(cast)
        assert (len(fees(cast)) == 2) is is_credited

    def test_a_reversal_of_what_bore_no_fee_credits_none(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            claim = filed(session, cast)
            given = paid(session, claim, "0", units=0, stock=1)
            paid(session, claim, "0", units=0, stock=-1, reverses=given)
            paid(session, claim, "1.00")
        invoice = bill(cast).invoices[0]
        assert [note["why"] for note in invoice.terms["without_fee"]] == ["stock_without_fee", "nothing_billed"]
        assert fees(cast) == [("1.00", "0.20")]

    def test_money_taken_back_from_nobody_knows_which_payment_is_credited_by_its_own_day(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            paid(session, filed(session, cast), "-7.77", units=-1)
        bill(cast)
        assert fees(cast) == [("-7.77", "-1.55")]


@pytest.mark.usefixtures("sqlite_database")
class TestTerms:
    def test_without_an_address_there_is_no_invoice_and_nothing_is_lost(self) -> None:
        cast = billed_cast()
        with db.transaction() as session:
            session.get_one(Client, cast.client_id).address = " "
        assert bill(cast).lines == 0  # nothing to bill, nothing to say
        with db.transaction() as session:
            paid(session, filed(session, cast), "10.00")
        with pytest.raises(NoTerms, match="Acme has no address"):
            bill(cast)
        set_terms(cast, address="1 Quay")
        assert bill(cast).lines == 1

    @pytest.mark.parametrize(
        ("until", "said"),
        [
            (SUNDAY + 2 * WEEK, "lies ahead"),
            (SUNDAY - timedelta(days=1), "is no Sunday"),
        ],
    )
    def test_a_week_that_cannot_be_billed_is_told_in_words(self, until: date, said: str) -> None:
        cast = billed_cast()
        with pytest.raises(InvalidInput, match=said):
            bill(cast, until=until)

    def test_a_week_that_runs_is_begun_and_sent_when_it_is_over_by_the_clients_own_calendar(self) -> None:
        cast = billed_cast()
        monday = datetime(2026, 11, 23, 7, 30, tzinfo=NOW.tzinfo)  # Sunday night in Los Angeles
        with db.transaction() as session:
            paid(session, filed(session, cast), "10.00")
        made = bill(cast, now=monday)
        assert made.lines == 1
        with pytest.raises(InvalidInput, match="ends on 22 Nov 2026"):
            sent(cast, made.invoices[0].id, now=monday)
        set_terms(cast, time_zone="Europe/Berlin")
        assert sent(cast, made.invoices[0].id, now=monday).number is not None


@pytest.mark.usefixtures("sqlite_database")
class TestMoves:
    @pytest.fixture
    def cast(self) -> Cast:
        return billed_cast()

    @pytest.fixture
    def invoice_id(self, cast: Cast) -> int:
        with db.transaction() as session:
            claim = filed(session, cast)
            paid(session, claim, "10.00")
            paid(session, claim, "20.00")
        return bill(cast).invoices[0].id

    def move(self, what: Callable[..., Any], *args: Any, who: Actor, now: datetime = NOW, **more: Any) -> Any:
        with db.transaction() as session:
            return what(session, *args, actor=who, now=now, **more)

    def test_the_way_from_draft_to_paid(self, cast: Cast, invoice_id: int) -> None:
        with db.transaction() as session:
            clients.set_agency(session, actor=cast.adam, invoice_prefix="RC-")
        invoice = self.move(moves.send, invoice_id, who=cast.bill, by_hand=True)
        assert (invoice.number, invoice.query_until) == ("RC-00001", date(2026, 11, 30))
        line = lines_of(invoice_id)[0]
        self.move(moves.query_line, line.id, "Was this ours?", who=cast.carl)
        assert stored(invoice_id).status is InvoiceStatus.QUERIED
        assert self.move(moves.finalize_due, who=cast.bill, now=NOW + 3 * WEEK) == []
        self.move(moves.answer_query, line.id, "Yes, case 1.", who=cast.bill)
        assert stored(invoice_id).status is InvoiceStatus.SENT
        assert self.move(moves.finalize_due, who=cast.bill, now=NOW + WEEK) == []  # the last day is theirs
        assert self.move(moves.finalize_due, who=cast.bill, now=NOW + WEEK + timedelta(days=1)) == [invoice_id]
        self.move(moves.mark_paid, invoice_id, who=cast.bill, now=NOW + 2 * WEEK)
        with db.reading() as session:
            told = session.scalars(select(HistoryEntry).where(HistoryEntry.invoice_id == invoice_id)).all()
        assert [(entry.action, entry.to_status) for entry in told] == [
            ("invoice_made", "draft"),
            ("invoice_sent_by_hand", "sent"),
            ("invoice_line_queried", "queried"),
            ("invoice_query_answered", None),
            ("invoice_sent", "sent"),
            ("invoice_final", "final"),
            ("invoice_paid", "paid"),
        ]

    def test_a_query_answered_late_makes_it_final(self, cast: Cast, invoice_id: int) -> None:
        sent(cast, invoice_id)
        first, second = lines_of(invoice_id)
        for line in (first, second):
            self.move(moves.query_line, line.id, "Why?", who=cast.carl)
        self.move(moves.answer_query, first.id, "So.", who=cast.bill, now=NOW + 2 * WEEK)
        assert stored(invoice_id).status is InvoiceStatus.QUERIED
        self.move(moves.answer_query, second.id, "So.", who=cast.bill, now=NOW + 2 * WEEK)
        assert stored(invoice_id).status is InvoiceStatus.FINAL

    def test_what_cannot_be_queried_is_told_in_words(self, cast: Cast, invoice_id: int) -> None:
        line = lines_of(invoice_id)[0]
        with pytest.raises(NotFound):  # a draft does not exist for the client
            self.move(moves.query_line, line.id, "Why?", who=cast.carl)
        sent(cast, invoice_id)
        with pytest.raises(InvalidInput, match="words are missing"):
            self.move(moves.query_line, line.id, "  ", who=cast.carl)
        with pytest.raises(Moved, match="until 30 Nov 2026"):
            self.move(moves.query_line, line.id, "Why?", who=cast.carl, now=NOW + 2 * WEEK)
        self.move(moves.query_line, line.id, "Why?", who=cast.carl)
        with pytest.raises(Moved, match="queried already"):
            self.move(moves.query_line, line.id, "Why?", who=cast.carl)
        with pytest.raises(Moved, match="no open query"):
            self.move(moves.answer_query, lines_of(invoice_id)[1].id, "So.", who=cast.bill)

    def test_who_may_not(self, cast: Cast, invoice_id: int) -> None:
        line = lines_of(invoice_id)[0]
        with pytest.raises(NotAllowed):
            bill(cast, actor=cast.ann)
        for who in (cast.ann, cast.carl):
            for what in (moves.send, moves.mark_paid):
                with pytest.raises(NotAllowed):
                    self.move(what, invoice_id, who=who)
            with pytest.raises(NotAllowed):
                self.move(moves.void, invoice_id, note="x", who=who)
            with pytest.raises(NotAllowed):
                self.move(moves.answer_query, line.id, "x", who=who)
        sent(cast, invoice_id)
        with pytest.raises(NotAllowed):
            self.move(moves.query_line, line.id, "x", who=cast.ann)
        stranger = Actor(cast.carl.user_id, "Eve", Role.CLIENT, cast.other_client_id, cast.carl.through)
        with pytest.raises(NotFound):
            self.move(moves.query_line, line.id, "x", who=stranger)
        with pytest.raises(NotFound):
            self.move(moves.query_line, 999, "x", who=stranger)

    def test_a_void_invoice_keeps_its_number_and_frees_what_it_billed(self, cast: Cast, invoice_id: int) -> None:
        sent(cast, invoice_id)
        self.move(moves.void, invoice_id, note="Wrong rate", who=cast.bill)
        assert (stored(invoice_id).number, len(lines_of(invoice_id))) == ("00001", 2)
        again = bill(cast).invoices[0]
        assert (again.id != invoice_id, again.total) == (True, D("6.00"))
        assert sent(cast, again.id).number == "00002"
        with pytest.raises(Moved, match="cannot become"):
            self.move(moves.void, invoice_id, note="Again", who=cast.bill)

    def test_a_draft_made_void_leaves_no_gap_in_the_numbers(self, cast: Cast, invoice_id: int) -> None:
        with pytest.raises(InvalidInput):
            self.move(moves.void, invoice_id, note=" ", who=cast.bill)
        self.move(moves.void, invoice_id, note="Terms changed", who=cast.bill)
        assert sent(cast, bill(cast).invoices[0].id).number == "00001"

    def test_a_paid_invoice_is_final_first_and_stays_as_it_is(self, cast: Cast, invoice_id: int) -> None:
        with pytest.raises(Moved, match="is draft and cannot become paid"):
            self.move(moves.mark_paid, invoice_id, who=cast.bill)
        sent(cast, invoice_id)
        self.move(moves.mark_paid, invoice_id, who=cast.bill)
        assert (stored(invoice_id).final_at, stored(invoice_id).paid_at) == (NOW, NOW)
        for what, more in ((moves.void, {"note": "x"}), (moves.send, {}), (moves.mark_paid, {})):
            with pytest.raises(Moved):
                self.move(what, invoice_id, who=cast.bill, **more)

    def test_a_clock_that_went_back_is_told_in_words(self, cast: Cast, invoice_id: int) -> None:
        with pytest.raises(InvalidInput, match="week of invoice 1 ends on 22 Nov 2026"):
            sent(cast, invoice_id, NOW - WEEK)
        sent(cast, invoice_id, LATER)
        with db.transaction() as session:
            paid(session, filed(session, cast), "1.00")
        self.move(moves.void, invoice_id, note="x", who=cast.bill)
        again = bill(cast).invoices[0]
        with pytest.raises(InvalidInput, match="the clock went back"):
            sent(cast, again.id, NOW)
        assert stored(again.id).number is None


def test_two_senders_at_once_never_take_the_same_number_nor_leave_a_gap(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        claim = filed(session, cast)
        for currency in ("USD", "CAD", "EUR", "GBP", "MXN", "SEK"):
            paid(session, claim, "10.00", currency=currency)
    ids = [each.id for each in bill(cast).invoices]
    together, failed = Barrier(len(ids)), []

    def send(invoice_id: int) -> None:
        together.wait()
        try:
            sent(cast, invoice_id)
        except Exception as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [Thread(target=send, args=(invoice_id,)) for invoice_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with db.reading() as session:
        numbers = session.scalars(select(Invoice.number)).all()
        assert sorted(numbers) == [f"{n:05}" for n in range(1, len(ids) + 1)]
        assert session.get_one(AgencySettings, 1).last_invoice_number == len(ids)


def test_the_same_draft_is_sent_once_and_two_runs_bill_once(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        paid(session, filed(session, cast), "10.00")
    said: list[str] = []

    def together(what: Callable[[], Any]) -> None:
        barrier = Barrier(2)

        def run() -> None:
            barrier.wait()
            try:
                what()
            except Moved as error:
                said.append(str(error))

        threads = [Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    together(lambda: bill(cast))
    assert fees(cast) == [("10.00", "2.00")]
    with db.reading() as session:
        invoice_id = session.scalars(select(Invoice.id)).one()
    said.clear()
    together(lambda: sent(cast, invoice_id))
    assert len(said) == 1
    assert stored(invoice_id).number == "00001"


def test_a_step_that_fails_leaves_nothing_behind(database: str) -> None:
    cast = billed_cast()
    with db.transaction() as session:
        paid(session, filed(session, cast), "10.00")

    def die(session: Session) -> None:
        make_invoices(session, cast.client_id, SUNDAY, actor=cast.bill, now=NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError), db.transaction() as session:
        die(session)
    with db.reading() as session:
        assert [session.scalar(select(func.count()).select_from(each)) for each in (Invoice, BilledUnit)] == [0, 0]
    bill(cast)
    assert fees(cast) == [("10.00", "2.00")]
