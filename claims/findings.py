"""What a run of the rules found becomes rows: new ones are added, open ones follow, decided ones are flagged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, selectinload

import outbox
from claims import announcing, approvals, evidence, history, moves, recovery, words
from claims.access import Actor, system_actor
from claims.evidence import LineText, Place
from claims.verdicts import (
    DECIDED,
    UNDECIDED,
    Judged,
    end_of,
    found_units,
    is_past,
    judged,
    status_after,
    status_of,
)
from models import (
    Account,
    Caveat,
    Claim,
    ClaimDiscrepancy,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
)

if TYPE_CHECKING:
    from detection.findings import Finding, Outcome

_AT_ONCE = 1000
# After these moves it is not what one side approved while the other was still to.
_MAKES_IT_ANOTHER = ("quantity_changed", "reopened")
_COPIED = (
    "claim_type",
    "marketplace",
    "fnsku",
    "asin",
    "msku",
    "title",
    "reference_kind",
    "reference_id",
    "fulfillment_center",
    "event_date",
    "opens_on",
    "closes_on",
    "quantity",
    "unit_value",
    "value",
    "currency",
    "value_basis",
    "policy",
    "policy_confirmed",
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run changed: numbers of discrepancies, and of claims that nobody filed before time or Amazon was up."""

    new: int
    changed: int
    flagged: int
    settled: int
    withdrawn: int
    lapsed: int
    claims_lapsed: int
    cards: int
    counted: int
    claims_withdrawn: int = 0


@dataclass(slots=True)
class _Run:
    """The rows of one run while they are changed; history is kept back until all rows have their ids.

    `paid` are the units of each loss that Amazon paid because we had claimed them, `claims` the id and state of the
    claim that a discrepancy is part of, unless that is closed.
    """

    session: Session
    client: Client
    now: datetime
    judged: Judged
    paid: Mapping[str, int]
    claims: Mapping[int, tuple[int, ClaimStatus]]
    actor: Actor = field(default_factory=system_actor)
    moves: list[tuple[Discrepancy, HistoryEntry]] = field(default_factory=list)
    flagged: int = 0
    claims_withdrawn: int = 0

    def note(
        self,
        row: Discrepancy,
        action: str,
        *,
        moved: tuple[str | None, str | None] = (None, None),
        reason: str | None = None,
        note: str | None = None,
    ) -> None:
        entry = history.entry(actor=self.actor, now=self.now, action=action, moved=moved, reason=reason, note=note)
        self.moves.append((row, entry))
        row.updated_at = self.now

    def move(self, row: Discrepancy, to: DiscrepancyStatus, action: str, reason: str | None = None) -> None:
        before, row.status, row.status_reason = row.status, to, reason
        self.note(row, action, moved=(before.value, to.value), reason=reason)

    def count(self, action: str) -> int:
        return sum(entry.action == action for _, entry in self.moves)


def record_findings(
    session: Session,
    account_id: int,
    outcome: "Outcome",
    *,
    lines: Mapping[Place, LineText],
    paid: Mapping[str, int] | None = None,
    now: datetime,
) -> Recorded:
    """Write what a run says about an account: rows, evidence, history, and the messages that tell of it.

    What the client's settings leave alone is not kept when it is new, and is withdrawn where it is undecided.
    Rows are found again by fingerprint and keep their ids. A row that the run says nothing about, because reports are
    missing, only lapses with its deadline. `lines` holds the text of what `evidence.missing_lines` asked for, `paid` by
    loss (fingerprint) the units that were paid because we had claimed them: that is as it was decided.
    Can be repeated: the same outcome changes nothing the second time.
    """
    account = session.get_one(Account, account_id, options=[selectinload(Account.client)])
    run = _Run(session, account.client, now, judged(outcome), paid or {}, _claims(session, account_id))
    known = _known(session, account_id, run.judged.findings)
    told_before = {row.fingerprint for row in known.values() if row.announced_at is not None}
    for row in known.values():
        _judge(run, row)
    flagged = [row for row, entry in run.moves if entry.action == "changed_since_decision"]
    _tell_of_finds(run, flagged, outcome)
    new = _new_rows(run, account, known) if _takes_new(account.client) else []
    announced = announcing.choose(account.client, [*known.values(), *new], now)
    session.add_all(new)
    session.flush()
    _write_history(session, run, told_before)
    other_now = {row.id for row, entry in run.moves if entry.action in _MAKES_IT_ANOTHER}
    approvals.forget(session, other_now, actor=run.actor, now=now)
    undecided = (row for row in [*known.values(), *new] if row.status not in DECIDED)
    found = [(row, run.judged.findings[row.fingerprint]) for row in undecided if row.fingerprint in run.judged.findings]
    evidence.replace(session, account_id, found, lines)
    announcing.enqueue(session, account, announced, now)
    return Recorded(
        new=len(new),
        changed=len({row.id for row, entry in run.moves if entry.action.endswith("_changed")}),
        flagged=run.flagged,
        settled=run.count("settled"),
        withdrawn=run.count("withdrawn"),
        lapsed=run.count("lapsed"),
        claims_lapsed=_lapse_claims(session, run, account_id),
        claims_withdrawn=run.claims_withdrawn,
        cards=len(announced.cards),
        counted=len(announced.counted),
    )


def _takes_new(client: Client) -> bool:
    return client.status not in (ClientStatus.PAUSED, ClientStatus.CANCELLED)


def _known(session: Session, account_id: int, findings: Mapping[str, "Finding"]) -> dict[str, Discrepancy]:
    """Return the rows that the run may change, by fingerprint: the undecided, those in work, those found again."""
    in_work = Discrepancy.claims.any(Claim.status.in_({ClaimStatus.TO_SUBMIT} | moves.OPEN_AT_AMAZON))
    lively = or_(Discrepancy.status.in_(UNDECIDED), and_(Discrepancy.status == DiscrepancyStatus.APPROVED, in_work))
    rows = {row.fingerprint: row for row in session.scalars(_locked(account_id).where(lively))}
    for part in _parts(fingerprint for fingerprint in findings if fingerprint not in rows):
        again = session.scalars(_locked(account_id).where(Discrepancy.fingerprint.in_(part)))
        rows.update({row.fingerprint: row for row in again})
    return rows


def _claims(session: Session, account_id: int) -> dict[int, tuple[int, ClaimStatus]]:
    """Return id and state of the claim of each discrepancy that is part of one which is not closed."""
    found = session.execute(
        select(ClaimDiscrepancy.discrepancy_id, Claim.id, Claim.status)
        .join(Claim, Claim.id == ClaimDiscrepancy.claim_id)
        .where(Claim.account_id == account_id, Claim.status != ClaimStatus.CLOSED)
        .order_by(Claim.id)
    )
    return {discrepancy_id: (claim_id, status) for discrepancy_id, claim_id, status in found}


def _locked(account_id: int) -> Select[Discrepancy]:
    mine = select(Discrepancy).where(Discrepancy.account_id == account_id).options(selectinload(Discrepancy.caveats))
    return mine.order_by(Discrepancy.id).with_for_update().execution_options(populate_existing=True)


def _judge(run: _Run, row: Discrepancy) -> None:
    finding = run.judged.findings.get(row.fingerprint)
    ended = end_of(row, run.judged)
    if row.status in DECIDED:
        _judge_decided(run, row, finding, ended)
    elif finding and not recovery.left_alone(run.client, row.claim_type):
        _follow(run, row, finding)
    elif row.status in UNDECIDED:
        _end(run, row, ended)


def _end(run: _Run, row: Discrepancy, ended: tuple[DiscrepancyStatus, str] | None) -> None:
    """End an undecided row that is not found any more, or that the client's settings leave alone."""
    if ended:
        run.move(row, ended[0], ended[0].value, reason=ended[1])
    elif is_past(row, run.judged):
        run.move(row, DiscrepancyStatus.LAPSED, "lapsed")
    elif why := recovery.left_alone(run.client, row.claim_type):
        run.move(row, DiscrepancyStatus.WITHDRAWN, "withdrawn", reason=why)


def _judge_decided(
    run: _Run, row: Discrepancy, finding: "Finding | None", ended: tuple[DiscrepancyStatus, str] | None
) -> None:
    """Flag what differs from the decision for any other reason than that our claim was paid."""
    paid = run.paid.get(row.fingerprint, 0)
    if finding:
        is_changed = not row.quantity - paid <= finding.quantity <= row.quantity
        _flag(run, row, is_changed=is_changed, note=_step(row.quantity, finding.quantity))
    elif ended and not _is_settled_unfiled(run, row, ended):
        is_changed = paid < row.quantity
        _flag(run, row, is_changed=is_changed, note=words.status_name(ended[0].value, ended[1]))


def _is_settled_unfiled(run: _Run, row: Discrepancy, ended: tuple[DiscrepancyStatus, str]) -> bool:
    """Settle what Amazon made up for before its claim was filed, and withdraw the claim; False where that is not so."""
    claim_id, status = run.claims.get(row.id, (0, ClaimStatus.CLOSED))
    if ended[0] is not DiscrepancyStatus.SETTLED or status is not ClaimStatus.TO_SUBMIT:
        return False
    claim = run.session.get_one(
        Claim, claim_id, with_for_update=True, populate_existing=True, options=[selectinload(Claim.discrepancies)]
    )
    if claim.status is not ClaimStatus.TO_SUBMIT or len(claim.discrepancies) > 1:
        return False
    why = f"Not filed, because Amazon was faster: {words.status_reason_name(ended[1])}."
    moves.move(run.session, claim, ClaimStatus.CLOSED, actor=run.actor, now=run.now, reason="withdrawn", note=why)
    run.claims_withdrawn += 1
    row.is_changed_since_decision = False
    run.move(row, ended[0], ended[0].value, reason=ended[1])
    return True


def _tell_of_finds(run: _Run, rows: Iterable[Discrepancy], outcome: "Outcome") -> None:
    """Write with the claims of these rows that units were found: no money, so nothing is recovered by it."""
    filed = {row.fingerprint: row for row in rows if row.id in run.claims}
    if not filed:
        return
    found = found_units(outcome, filed)
    for fingerprint, units in sorted(found.items()):
        row = filed[fingerprint]
        note = (
            f"{words.units(units)} found of {row.quantity:,} claimed. A find is no money: nothing is recovered by it."
        )
        claim_id, _ = run.claims[row.id]
        run.session.add(history.entry(actor=run.actor, now=run.now, action="units_found", claim_id=claim_id, note=note))


def _flag(run: _Run, row: Discrepancy, *, is_changed: bool, note: str) -> None:
    if row.is_changed_since_decision == is_changed:
        return
    row.is_changed_since_decision = is_changed
    run.flagged += is_changed
    run.note(row, "changed_since_decision" if is_changed else "as_decided_again", note=note)


def _follow(run: _Run, row: Discrepancy, finding: "Finding") -> None:
    """Bring an undecided row up to what the run found."""
    quantity, worth = row.quantity, words.money(row.value, row.currency)
    changed = {name: value for name, value in _values(finding).items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
        row.updated_at = run.now
    if row.quantity != quantity:
        run.note(row, "quantity_changed", note=_step(quantity, row.quantity))
    if {"value", "currency"} & changed.keys():
        run.note(row, "value_changed", note=f"{worth} → {words.money(row.value, row.currency)}")
    _follow_caveats(run, row, finding.caveats)
    after = status_after(row, finding, is_waited_for=_is_waited_for(run, finding))
    if after is not row.status:
        run.move(row, after, _action(row.status, after))


def _is_waited_for(run: _Run, finding: "Finding") -> bool:
    return run.judged.as_of < recovery.shown_on(finding, run.client.wait_days)


def _values(finding: "Finding") -> dict[str, Any]:
    values = ((name, getattr(finding, name)) for name in _COPIED)
    return {name: evidence.storable(value) if isinstance(value, str) else value for name, value in values}


def _follow_caveats(run: _Run, row: Discrepancy, codes: Sequence[str]) -> None:
    """Add what is open now and drop what no longer is; what a person cleared stays cleared."""
    there = {caveat.code for caveat in row.caveats}
    for caveat in [caveat for caveat in row.caveats if caveat.code not in codes]:
        row.caveats.remove(caveat)
        run.note(row, "caveat_dropped", reason=caveat.code)
    for code in [code for code in codes if code not in there]:
        row.caveats.append(Caveat(code=code))
        run.note(row, "caveat_added", reason=code)


def _action(before: DiscrepancyStatus, after: DiscrepancyStatus) -> str:
    if after is DiscrepancyStatus.LAPSED:
        return "lapsed"
    if before not in UNDECIDED:
        return "reopened"
    return "opened" if after is DiscrepancyStatus.OPEN else "updated"


def _step(before: int, after: int) -> str:
    return f"{before:,} → {words.units(after)}"


def _new_rows(run: _Run, account: Account, known: Mapping[str, Discrepancy]) -> list[Discrepancy]:
    rows = []
    for finding in run.judged.findings.values():
        if finding.fingerprint in known or recovery.left_alone(run.client, finding.claim_type):
            continue
        row = Discrepancy(
            account_id=account.id,
            fingerprint=finding.fingerprint,
            status=status_of(finding, is_waited_for=_is_waited_for(run, finding)),
            caveats=[Caveat(code=code) for code in finding.caveats],
            created_at=run.now,
            updated_at=run.now,
            **_values(finding),
        )
        run.note(row, "found", moved=(None, row.status.value))
        rows.append(row)
    return rows


def _write_history(session: Session, run: _Run, told_before: set[str]) -> None:
    """Write the moves, and say that the cards of what was told before are stale. All rows have their ids."""
    for row, entry in run.moves:
        entry.discrepancy_id = row.id
    session.add_all(entry for _, entry in run.moves)
    session.flush()
    last = {row.fingerprint: (row, entry) for row, entry in run.moves if row.fingerprint in told_before}
    stale = [moves.card_update(row, str(entry.id), run.now) for row, entry in last.values()]
    outbox.enqueue_all(session, stale)


def _lapse_claims(session: Session, run: _Run, account_id: int) -> int:
    """Close the claims that nobody filed by their last day; what they were made of lapsed with them."""
    late = session.scalars(
        select(Claim)
        .where(Claim.account_id == account_id, Claim.status == ClaimStatus.TO_SUBMIT)
        .where(Claim.closes_on < run.judged.as_of)
        .options(selectinload(Claim.discrepancies))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for claim in late:
        for row in claim.discrepancies:
            _lapse(session, run, row)
        moves.move(session, claim, ClaimStatus.CLOSED, actor=run.actor, now=run.now, reason="lapsed")
    return len(late)


def _lapse(session: Session, run: _Run, row: Discrepancy) -> None:
    """Make a discrepancy lapsed that was approved and never filed; from now on it follows the reports again."""
    if row.status is not DiscrepancyStatus.APPROVED:
        return
    before, row.status = row.status, DiscrepancyStatus.LAPSED
    row.is_changed_since_decision, row.updated_at = False, run.now
    moved = (before.value, row.status.value)
    session.add(history.entry(actor=run.actor, now=run.now, action="lapsed", discrepancy_id=row.id, moved=moved))


def _parts(fingerprints: Iterable[str]) -> Iterator[list[str]]:
    """Give them out in parts that fit into one statement."""
    left = iter(fingerprints)
    while part := list(islice(left, _AT_ONCE)):
        yield part
