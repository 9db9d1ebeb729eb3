"""Which line of the reimbursements report pays which claim. Pure: what the books have and the lines in, payments out.

Lines are taken by their day of approval, on a day those that name a case first, then those that name an order. What is
booked stays booked, and each line is judged by what was known of earlier days, so that reports that come day by day
make the same books as all of them at once. What Amazon paid before a claim was filed, or under a case that is none of
ours, is never counted as recovered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from claims.paid import (
    BY_CASE,
    BY_ORDER,
    BY_ORIGINAL,
    BY_SHIPMENT,
    BY_UNITS,
    Booked,
    Books,
    Filed,
    Line,
    Payment,
    PaymentKey,
    Plan,
    Waiting,
    portion,
    shares_of,
)
from claims.reversals import taken_back
from models import ReimbursementState

# How long after the filing a payment that names neither case nor order may still be for it.
REACH = timedelta(days=90)

_STOCK = frozenset({"lost_warehouse", "damaged_warehouse", "lost_inbound", "damaged_inbound", "removal_lost"})
_OF_ORDERS = frozenset({"customer_return", "customer_service", "lost_outbound", "damaged_outbound"})
#: reasons that may stand for any loss; by themselves they prove nothing
_VAGUE = frozenset({"general", "unknown"})
# By which kinds of reasons (detection/policy/reasons.toml) Amazon pays a claim type.
KINDS: Mapping[str, frozenset[str]] = {
    "warehouse_lost": frozenset({"lost_warehouse"}),
    "warehouse_damaged": frozenset({"damaged_warehouse"}),
    "disposed_without_order": frozenset({"lost_warehouse", "damaged_warehouse"}),
    "inbound_lost": frozenset({"lost_inbound"}),
    "inbound_damaged": frozenset({"damaged_inbound", "lost_inbound"}),
    "removal_lost": frozenset({"removal_lost"}),
    "reimbursement_underpaid": _STOCK,
    "reimbursement_reversed": _STOCK | _OF_ORDERS,
    "referral_fee_not_returned": frozenset({"fee"}),
    "fulfilment_fee_overcharged": frozenset({"fee"}),
    "storage_fee_overcharged": frozenset({"fee"}),
}

Hints = Mapping[str, Mapping[str, int]]


def kinds_of(claim_type: str) -> frozenset[str]:
    """Return the kinds of reasons by which Amazon pays a claim type; those about an order where no other is known."""
    return KINDS.get(claim_type, _OF_ORDERS)


def match(
    books: Books, lines: Iterable[Line], *, hints: Hints | None = None, seen: frozenset[str] = frozenset()
) -> Plan:
    """Return what is to be booked besides what the books have.

    lines: those of the reports, in any order; one that the books have counts as they have it. hints: by line key, how
    many of its units the rules of detection spent on which loss (fingerprint); without any, only lines that name a case
    or an order, and those that fit one claim alone, are given to a claim. seen: ids of reimbursements that the reports
    have, whether or not they are among `lines`.
    """
    known = {line.key: line for line in lines} | dict(books.lines)
    matcher = _Matcher(books, known, hints or {}, seen | {line.reimbursement_id for line in known.values()})
    days = _days(known.values())
    for line in sorted(known.values(), key=lambda line: _turn(line, days[line.key], matcher.cases)):
        matcher.take(line)
    matcher.take_late()
    return matcher.plan()


def _days(lines: Iterable[Line]) -> dict[str, date]:
    """Return the day of each line by key; what takes a reimbursement back comes after it, whatever its date says."""
    days = {line.key: line.approved_on for line in lines}
    last: dict[str, date] = {}
    for line in lines:
        last[line.reimbursement_id] = max(line.approved_on, last.get(line.reimbursement_id, date.min))
    for line in lines:
        if line.takes_back and line.original_id in last:
            days[line.key] = max(line.approved_on, last[line.original_id])
    return days


def _turn(line: Line, on: date, cases: Mapping[str, object]) -> tuple[object, ...]:
    names = 0 if line.case_id in cases else 1 if line.order_id else 2
    return on, line.takes_back, bool(line.original_id), names, line.reimbursement_id, line.key


@dataclass
class _Matcher:
    """The books while lines are taken one by one.

    `left` has the units that may still be paid of each claim. What is booked counts in it from the start, also where it
    was approved later; what was taken back counts only from its day on.
    """

    books: Books
    lines: Mapping[str, Line]
    hints: Hints
    seen: frozenset[str]
    left: dict[int, int] = field(init=False)
    paid: list[Payment] = field(default_factory=list)
    back: dict[PaymentKey, int] = field(default_factory=dict)
    new: list[Payment] = field(default_factory=list)
    waiting: dict[str, tuple[int, ...]] = field(default_factory=dict)
    not_ours: list[str] = field(default_factory=list)
    late: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.claims = {claim.id: claim for claim in self.books.claims}
        self.oldest_first = sorted(self.books.claims, key=lambda claim: (claim.filed_on, claim.id))
        self.cases = {case: [c for c in self.oldest_first if c.case_id == case] for case in self._case_ids()}
        self.by_fnsku = _indexed((fnsku, claim) for claim in self.oldest_first for fnsku in claim.fnskus)
        self.by_reference = _indexed(
            (reference, claim)
            for claim in self.oldest_first
            for reference in claim.orders | claim.shipments | claim.reimbursements
        )
        self.left = {claim.id: claim.units for claim in self.books.claims}
        for booked in self.books.booked.values():
            for payment in booked.payments:
                if payment.reverses is None:
                    self._count(payment)
                else:
                    self._count_back(payment)

    def plan(self) -> Plan:
        """Return what came of it."""
        waiting = tuple(Waiting(key, candidates) for key, candidates in self.waiting.items())
        return Plan(tuple(self.new), waiting, tuple(self.not_ours))

    def take(self, line: Line) -> None:
        """Decide about one line, at its turn."""
        booked = self.books.booked.get(line.key)
        for payment in booked.payments if booked else ():
            if payment.reverses is not None:
                self.left[payment.claim_id] -= payment.units
        if line.takes_back:
            if booked is None or booked.state is ReimbursementState.WAITING:
                self._take_back(line, booked)
        elif booked is None:
            self._take_new(line)
        elif booked.state is ReimbursementState.WAITING:
            self._take_again(line, booked)

    def take_late(self) -> None:
        """Book what could not be at its turn: the payment that it names is dated later, or it waits for that."""
        done = None
        while self.late and done != (len(self.new), len(self.waiting)):
            done = len(self.new), len(self.waiting)
            late, self.late = self.late, []
            for line in late:
                if line.takes_back:
                    self._take_back(line, self.books.booked.get(line.key))
                else:
                    self._top_up(line)
        for line in self.late:
            if line.takes_back and self._may_come(line):
                self._wait(line, ())

    # What pays

    def _take_new(self, line: Line) -> None:
        if not line.units and not line.amount:
            return
        if line.original_id:
            self._top_up(line)
        elif line.case_id in self.cases:
            self._take_by_case(line, None)
        elif line.case_id:
            if self._fitting(line):
                self.not_ours.append(line.key)
        elif line.order_id:
            self._take_by_reference(line)
        else:
            self._take_by_units(line)

    def _take_again(self, line: Line, booked: Booked) -> None:
        """Look again at what waits: the payment that it adds to may be known now, or another claim of its case."""
        if line.original_id:
            if not booked.payments:
                self._top_up(line)
        elif line.case_id in self.cases:
            self._take_by_case(line, booked)

    def _take_by_case(self, line: Line, booked: Booked | None) -> None:
        """Give it to the claims of its case: of the product that it names, the oldest first, a unit each."""
        ours = self.cases[line.case_id or ""]
        fitting = [claim for claim in ours if _is_product(line, claim)] or (ours if len(ours) == 1 else [])
        taken = sum(payment.units for payment in booked.payments) if booked else 0
        if not fitting or (not line.units and len(fitting) > 1):
            self._wait(line, fitting or ours)
        elif not line.units:
            if booked is None or not booked.payments:
                self._pay_money(line, fitting[0], BY_CASE)
        elif self._pay(line, fitting, BY_CASE, taken) < line.units:
            self._wait(line, fitting)

    def _take_by_reference(self, line: Line) -> None:
        """Give it to the claims of the order, or shipment, that it names."""
        fitting = self._fitting(line)
        if not fitting:
            return
        by = BY_SHIPMENT if line.order_id in fitting[0].shipments else BY_ORDER
        if not line.units and len(fitting) == 1:
            self._pay_money(line, fitting[0], by)
        elif not line.units or self._pay(line, fitting, by, 0) < line.units:
            self._wait(line, fitting)

    def _take_by_units(self, line: Line) -> None:
        """Give it to the claim that product, reason, quantity and day single out; where several do, a person says."""
        fitting = [claim for claim in self._fitting(line) if self.left[claim.id] > 0]
        if not fitting:
            return
        settled = self.hints.get(line.key, {})
        if line.kind in _VAGUE:
            self._wait(line, fitting)
        elif settled:
            self._take_as_settled(line, fitting, settled)
        else:
            best = self._best_by_quantity(line, fitting)
            if best:
                self._pay(line, best, BY_UNITS, 0)
            else:
                self._wait(line, fitting)

    def _take_as_settled(self, line: Line, fitting: Sequence[Filed], settled: Mapping[str, int]) -> None:
        """Give it to the claims whose losses the rules say it settled; what it settled besides was never claimed."""
        taken = 0
        for claim in fitting:
            its = sum(settled.get(fingerprint, 0) for fingerprint, _ in claim.losses)
            taken = self._pay(line, [claim], BY_UNITS, taken, most=its)
        unspent = line.units - sum(settled.values())
        if not taken or unspent > 0:
            self._wait(line, fitting)

    def _best_by_quantity(self, line: Line, fitting: Sequence[Filed]) -> Sequence[Filed]:
        """Return the one claim whose open units it pays exactly, else the one that has more, else all it pays whole."""
        for better in (
            [claim for claim in fitting if self.left[claim.id] == line.units],
            [claim for claim in fitting if self.left[claim.id] > line.units],
        ):
            if better:
                return better if len(better) == 1 else ()
        return fitting if sum(self.left[claim.id] for claim in fitting) == line.units else ()

    def _top_up(self, line: Line) -> None:
        """Add money to the claim that asks about the reimbursement it names, else to those which that has paid.

        A line of our case is for claims of that case, whichever the reimbursement has paid.
        """
        of_original = self._payments_of(line)
        paid, of_case = self._claims_of(of_original), self.cases.get(line.case_id or "", [])
        of_case = [claim for claim in of_case if _is_product(line, claim)] or ([] if paid else of_case)
        asked = [
            claim
            for claim in self.by_reference.get(line.original_id or "", ())
            if line.original_id in claim.reimbursements and (claim.filed_on <= line.approved_on or claim in of_case)
        ]
        asked = [claim for claim in asked if claim in of_case] or asked
        if len(asked) == 1:
            self.waiting.pop(line.key, None)
            self._pay_money(line, asked[0], BY_CASE if asked[0] in of_case else BY_ORIGINAL)
        elif paid and (not of_case or any(claim in of_case for claim in paid)):
            self.waiting.pop(line.key, None)
            self._pay_alike(line, of_original)
        elif asked or of_case:
            ours = asked or of_case
            if len(ours) == 1:
                self._pay_money(line, ours[0], BY_CASE)
            else:
                self._wait(line, ours)
                self.late.append(line)  # what it adds to may be dated after it, and tell whose it is
        else:
            if waiting := self._candidates_of_original(line):
                self._wait(line, waiting)
            self.late.append(line)

    def _pay_alike(self, line: Line, of_original: Sequence[Payment]) -> None:
        """Spread money over the claims that a reimbursement paid, by what each got of it."""
        whole = self.lines[of_original[0].line_key]
        shares = shares_of(line, of_original, whole.units)
        for claim_id, part in shares.items():
            self._pay_money(line, self.claims[claim_id], BY_ORIGINAL, part)
        if sum(shares.values()) != line.amount and self._is_waiting(whole.key):
            self._wait(line, self._claims_of(of_original))

    def _pay(self, line: Line, claims: Sequence[Filed], by: str, taken: int, *, most: int | None = None) -> int:
        """Give units of a line, after the first `taken`, to claims in their order; return how many are given now."""
        end = line.units if most is None else min(taken + most, line.units)
        for claim in claims:
            units = min(end - taken, max(self.left[claim.id], 0))
            if units > 0:
                cash, stock, amount = portion(line, taken + 1, units)
                self._book(Payment(claim.id, line.key, taken + 1, cash, stock, amount, line.currency, by))
                taken += units
        return taken

    def _pay_money(self, line: Line, claim: Filed, by: str, amount: Decimal | None = None) -> None:
        money = line.amount if amount is None else amount
        self._book(Payment(claim.id, line.key, 0, 0, 0, money, line.currency, by))

    def _book(self, payment: Payment) -> None:
        self.new.append(payment)
        self._count(payment)

    def _count(self, payment: Payment) -> None:
        self.paid.append(payment)
        self.left[payment.claim_id] -= payment.units

    # What takes back

    def _take_back(self, line: Line, booked: Booked | None) -> None:
        """Take units or money back from the claims that got them, the first units first."""
        if booked and booked.payments:
            return
        if line.original_id:
            sources = self._payments_of(line)
        else:
            sources = self._payments_like(line)
            if sources and not self._is_named(line):
                self._wait(line, self._claims_of(sources))
                return
        if sources:
            self.waiting.pop(line.key, None)
            reversals = taken_back(line, sources, self.back, self.lines)
            for reversal in reversals:
                self.new.append(reversal)
                self._count_back(reversal)
                self.left[reversal.claim_id] -= reversal.units
            if not reversals:
                self._wait(line, self._claims_of(sources))
        else:
            self.late.append(line)

    def _count_back(self, reversal: Payment) -> None:
        if reversal.reverses is not None:
            self.back[reversal.reverses] = self.back.get(reversal.reverses, 0) - reversal.units

    # Who may be meant

    def _payments_of(self, line: Line) -> list[Payment]:
        """Return what the reimbursement that a line names has paid: of its product, where that tells lines apart."""
        of_it = [p for p in self.paid if self.lines[p.line_key].reimbursement_id == line.original_id]
        of_product = [p for p in of_it if _is_same_product(line, self.lines[p.line_key])]
        return self._in_order(of_product or of_it)

    def _payments_like(self, line: Line) -> list[Payment]:
        """Return the payments that a line may take back which names none: of its product, and order or case."""
        alike = [
            payment
            for payment in self.paid
            if payment.units > self.back.get(payment.key, 0)
            and _is_same_product(line, self.lines[payment.line_key])
            and self.lines[payment.line_key].approved_on <= line.approved_on
            and payment.currency == line.currency
        ]
        if self._is_named(line):
            alike = [p for p in alike if self._is_of_same_case_or_order(line, p)]
        return self._in_order(alike)

    def _is_named(self, line: Line) -> bool:
        return line.case_id in self.cases or bool(line.order_id)

    def _is_of_same_case_or_order(self, line: Line, payment: Payment) -> bool:
        paid_by = self.lines[payment.line_key]
        if line.case_id in self.cases:
            return self.claims[payment.claim_id].case_id == line.case_id
        return paid_by.order_id == line.order_id

    def _in_order(self, payments: Iterable[Payment]) -> list[Payment]:
        return sorted(
            payments, key=lambda p: (self.lines[p.line_key].approved_on, p.line_key, p.first_unit, p.claim_id)
        )

    def _may_come(self, line: Line) -> bool:
        """Whether the payment that a line takes back may still appear, or be given to a claim of ours."""
        if line.original_id is None:
            return line.case_id in self.cases
        if any(self._is_waiting(key) and not self.lines[key].takes_back for key in self._keys_of(line.original_id)):
            return True
        if line.original_id in self.seen:
            return False
        return line.case_id in self.cases or any(
            _is_product(line, claim) and claim.filed_on <= line.approved_on for claim in self.oldest_first
        )

    def _is_waiting(self, key: str) -> bool:
        booked = self.books.booked.get(key)
        return key in self.waiting or (booked is not None and booked.state is ReimbursementState.WAITING)

    def _keys_of(self, reimbursement_id: str | None) -> list[str]:
        return [key for key, line in self.lines.items() if line.reimbursement_id == reimbursement_id]

    def _candidates_of_original(self, line: Line) -> list[Filed]:
        ids = [claim_id for key in self._keys_of(line.original_id) for claim_id in self._candidates(key)]
        return [self.claims[claim_id] for claim_id in dict.fromkeys(ids) if claim_id in self.claims]

    def _candidates(self, key: str) -> tuple[int, ...]:
        if key in self.waiting:
            return self.waiting[key]
        return self.books.booked[key].candidates if self._is_waiting(key) else ()

    def _claims_of(self, payments: Iterable[Payment]) -> list[Filed]:
        return [self.claims[claim_id] for claim_id in dict.fromkeys(payment.claim_id for payment in payments)]

    def _fitting(self, line: Line) -> list[Filed]:
        """Return the claims that a line may be for which names none of our cases, the oldest first."""
        if line.order_id:
            named = [claim for claim in self.by_reference.get(line.order_id, ()) if self._may_be_for(line, claim)]
            return [claim for claim in named if _is_product(line, claim)] or (named if len(named) == 1 else [])
        if not line.units:
            return []
        return [
            claim
            for claim in self.by_fnsku.get(line.fnsku or "", ())
            if self._may_be_for(line, claim) and line.approved_on <= claim.filed_on + REACH and not claim.is_closed
        ]

    def _may_be_for(self, line: Line, claim: Filed) -> bool:
        """Whether it is filed by then and for such a reason: what Amazon approved before, it paid by itself."""
        return claim.filed_on <= line.approved_on and line.kind in claim.kinds | _VAGUE

    def _wait(self, line: Line, claims: Sequence[Filed]) -> None:
        self.waiting[line.key] = tuple(claim.id for claim in claims)

    def _case_ids(self) -> set[str]:
        return {claim.case_id for claim in self.books.claims if claim.case_id}


def _indexed(pairs: Iterable[tuple[str, Filed]]) -> dict[str, list[Filed]]:
    index: dict[str, list[Filed]] = {}
    for name, claim in pairs:
        index.setdefault(name, []).append(claim)
    return index


def _is_product(line: Line, claim: Filed) -> bool:
    """Whether the line names the product of a claim, or none."""
    if not line.fnsku and not line.msku:
        return True
    return line.fnsku in claim.fnskus or line.msku in claim.mskus


def _is_same_product(line: Line, other: Line) -> bool:
    if not line.fnsku and not line.msku:
        return True
    return (bool(line.fnsku) and line.fnsku == other.fnsku) or (bool(line.msku) and line.msku == other.msku)
