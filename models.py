"""All tables. They decide nothing: rows are changed by the services in `claims` and `outbox` alone."""

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from money import from_micros, to_micros


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal of at most six places, kept as whole millionths: SQLite's own numbers would change it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        """Return the millionths. Raises TypeError for a float and ValueError for a seventh place."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        """Return the Decimal."""
        return None if value is None else from_micros(int(value))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return it in UTC. Raises ValueError for a naive one, whose zone nobody knows."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return it aware; SQLite forgets the zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def _enum(kind: type[enum.StrEnum]) -> Enum:
    """Keep the values as text, so that a new one needs no migration of a type."""
    return Enum(
        kind, native_enum=False, length=32, validate_strings=True, values_callable=lambda e: [m.value for m in e]
    )


class Base(DeclarativeBase):
    """Every table. Relationships load only when a query names them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, Decimal: ExactDecimal, dict[str, Any]: JSON, list[Any]: JSON}


class Role(enum.StrEnum):
    """What a person may do (DESIGN section 6)."""

    ADMIN = "admin"
    CASE_MANAGER = "case_manager"
    BILLING = "billing"
    CLIENT = "client"


class ClientStatus(enum.StrEnum):
    """Where a client stands; only an active one gets new claims."""

    ONBOARDING = "onboarding"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class AccountStatus(enum.StrEnum):
    """Whether an account is looked at each day."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DISCONNECTED = "disconnected"


class DiscrepancyStatus(enum.StrEnum):
    """The life of a discrepancy (DESIGN section 7)."""

    UPCOMING = "upcoming"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    SNOOZED = "snoozed"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class ClaimStatus(enum.StrEnum):
    """The life of a claim (DESIGN section 7). The three money states come from matching alone."""

    TO_SUBMIT = "to_submit"
    SUBMITTED = "submitted"
    NEEDS_INFO = "needs_info"
    DENIED = "denied"
    APPEALED = "appealed"
    PARTLY_RECOVERED = "partly_recovered"
    RECOVERED = "recovered"
    REVERSED = "reversed"
    CLOSED = "closed"


class RejectReason(enum.StrEnum):
    """Why a case manager rejects a discrepancy (DESIGN section 4). `other` needs a note."""

    NOT_OURS = "not_ours"
    FOUND = "found"
    ALREADY_CLAIMED = "already_claimed"
    ALREADY_PAID = "already_paid"
    WRONG_QUANTITY = "wrong_quantity"
    TOO_SMALL = "too_small"
    POLICY = "policy"
    OTHER = "other"


class Through(enum.StrEnum):
    """The door a move came through."""

    SLACK = "slack"
    ADMIN = "admin"
    PORTAL = "portal"
    CLI = "cli"
    JOB = "job"


class RunState(enum.StrEnum):
    """Where a piece of due work stands."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class OutboxState(enum.StrEnum):
    """Where a message stands. `failed` and `unsure` are shown to staff, who may send it again.

    `unsure` is a mail whose answer was lost: it may have arrived, so it is never sent again by itself.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNSURE = "unsure"


class Medium(enum.StrEnum):
    """What carries a message."""

    SLACK = "slack"
    MAIL = "mail"


class Approval(enum.StrEnum):
    """Whose approval a client's discrepancies need before a claim is made of them; also the side that gave one."""

    AGENCY = "agency"
    CLIENT = "client"
    BOTH = "both"


class NoteKind(enum.StrEnum):
    """What a text put to a claim is."""

    NOTE = "note"
    AMAZON_REPLY = "amazon_reply"


class DocumentKind(enum.StrEnum):
    """What an uploaded file proves."""

    INVOICE = "invoice"
    PROOF_OF_DELIVERY = "proof_of_delivery"
    OTHER = "other"


class RequestKind(enum.StrEnum):
    """What a client is asked for."""

    CONFIRM_SHIPMENT = "confirm_shipment"
    SEND_INVOICE = "send_invoice"
    PROOF_OF_DELIVERY = "proof_of_delivery"
    OTHER = "other"


class RequestStatus(enum.StrEnum):
    """The life of a request to a client (DESIGN section 7)."""

    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


class ReimbursementState(enum.StrEnum):
    """Whether a line of the reimbursements report belongs to our claims.

    `waiting`: a person has to say, or, without candidates, what it takes back has not appeared yet.
    """

    MATCHED = "matched"
    WAITING = "waiting"
    NOT_OURS = "not_ours"


class InvoiceStatus(enum.StrEnum):
    """The life of an invoice (DESIGN section 7)."""

    DRAFT = "draft"
    SENT = "sent"
    QUERIED = "queried"
    FINAL = "final"
    PAID = "paid"
    VOID = "void"


class AgencySettings(Base):
    """One row: what holds for the whole agency.

    `last_invoice_number` is the number that was taken last; `digest_channel` is where the staff's digest is posted.
    """

    __tablename__ = "agency_settings"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(200), default="Our agency")
    review_channel: Mapped[str | None] = mapped_column(String(100))
    digest_channel: Mapped[str | None] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(Text, default="")
    tax_number: Mapped[str] = mapped_column(String(64), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="America/Los_Angeles")
    invoice_prefix: Mapped[str] = mapped_column(String(16), default="")
    last_invoice_number: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class User(Base):
    """A person who signs in or presses buttons. `email` is lower case."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(_enum(Role))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    slack_user_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    client: Mapped["Client | None"] = relationship(lazy="raise", foreign_keys=[client_id])

    __mapper_args__ = {"version_id_col": version}

    @property
    def label(self) -> str:
        """The name people see; the part before the @ where no name is known."""
        return self.name or self.email.split("@")[0]


class Client(Base):
    """A seller who hired the agency: who they are, the terms of their contract, and their recovery settings.

    Terms: `tax_rate` is a fraction of the fee; `days_to_query` runs from the sending of an invoice; `billing_email` is
    where bills go, `email` where it is empty. `fee_on_…` say what bears a fee, `keeps_fee_…` whether the fee of a
    payment that Amazon took back stays due (where it gave the unit back, and where it did not). Recovery settings:
    `min_value` is the least value, in `currency`, that is shown, None shows all; `wait_days` go on top of the policy's;
    `claim_types_off` lists the claim types that are left alone; `client_channel` is the client's own Slack channel.
    """

    __tablename__ = "clients"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    time_zone: Mapped[str] = mapped_column(String(64), default="America/Los_Angeles")
    case_manager_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", use_alter=True))
    status: Mapped[ClientStatus] = mapped_column(_enum(ClientStatus), default=ClientStatus.ONBOARDING)
    review_channel: Mapped[str | None] = mapped_column(String(100))
    min_value: Mapped[Decimal | None]
    client_channel: Mapped[str | None] = mapped_column(String(100))
    claim_types_off: Mapped[list[Any]] = mapped_column(default=list)
    wait_days: Mapped[int] = mapped_column(default=0)
    approval: Mapped[Approval] = mapped_column(_enum(Approval), default=Approval.AGENCY)
    requests_hold_claims: Mapped[bool] = mapped_column(default=True)
    billing_email: Mapped[str | None] = mapped_column(String(254))
    tax_rate: Mapped[Decimal] = mapped_column(default=Decimal(0))
    tax_number: Mapped[str] = mapped_column(String(64), default="")
    days_to_query: Mapped[int] = mapped_column(default=7)
    fee_on_stock: Mapped[bool] = mapped_column(default=False)
    fee_on_found: Mapped[bool] = mapped_column(default=False)
    keeps_fee_reversed: Mapped[bool] = mapped_column(default=False)
    keeps_fee_reversed_with_unit: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    case_manager: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[case_manager_id])
    rates: Mapped[list["CommissionRate"]] = relationship(lazy="raise", order_by="CommissionRate.valid_from")

    __mapper_args__ = {"version_id_col": version}


class CommissionRate(Base):
    """The commission of a client from a day on (by the client's calendar), as a fraction: 0.20 for 20 %.

    The rate of a reimbursement is the one in force on its approval date; before the first, the first.
    """

    __tablename__ = "commission_rates"
    __table_args__ = (UniqueConstraint("client_id", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    valid_from: Mapped[date]
    rate: Mapped[Decimal]


class Account(Base):
    """One seller account in one region."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("client_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    marketplace: Mapped[str] = mapped_column(String(2))
    seller_id: Mapped[str | None] = mapped_column(String(64))
    refresh_token: Mapped[str | None] = mapped_column(Text)  # encrypted
    status: Mapped[AccountStatus] = mapped_column(_enum(AccountStatus), default=AccountStatus.ACTIVE)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    client: Mapped[Client] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}


class Run(Base):
    """Due work: one row for each kind, account or client, and slot.

    `slot` is the local date of a daily run, the Monday that starts the week of a weekly one.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("kind", "account_id", "slot"),
        UniqueConstraint("kind", "client_id", "slot"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"))
    slot: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(String(32), default="")
    state: Mapped[RunState] = mapped_column(_enum(RunState), default=RunState.DUE)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account | None] = relationship(lazy="raise")
    client: Mapped[Client | None] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}


class LeaseRow(Base):
    """Who works on something now. Each holder gets a higher `fence`; a transaction checks that it is the last."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    fence: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str | None] = mapped_column(String(100))
    expires_at: Mapped[datetime | None]


class Import(Base):
    """One delivery of reports: files given by hand, later a fetch from Amazon too. `summary`: what the reader said."""

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    source: Mapped[str] = mapped_column(String(16), default="files")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)

    account: Mapped[Account] = relationship(lazy="raise")


class ArchiveFile(Base):
    """One delivered report file: where its kept bytes and its typed rows lie, and whether it is in force.

    `sha256` is of the delivered bytes, `kept_sha256` of the kept ones, from which buyers' data have been cut.
    `parts` lists the keys of its Parquet files in the archive, a month each; `facts` holds what the reader knew of it
    (columns, warnings) so that reading the archive gives the same as reading the file.
    """

    __tablename__ = "archive_files"
    __table_args__ = (UniqueConstraint("account_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), index=True)
    report_type: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    kept_sha256: Mapped[str] = mapped_column(String(64))
    kept_key: Mapped[str] = mapped_column(String(300))
    parts: Mapped[list[Any]] = mapped_column(default=list)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[int]
    rejected: Mapped[int]
    first_date: Mapped[date | None]
    last_date: Mapped[date | None]
    window_from: Mapped[date | None]
    window_to: Mapped[date | None]
    is_in_force: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Discrepancy(Base):
    """A loss that Amazon has not made up for, and what a person decided about it.

    Amounts are in `currency`; `unit_value`, `value` and `currency` are None where nothing tells the value. Dates are
    days of the marketplace. `announced_at` is set when it was put into a message; `card_channel` and `card_ts` name
    its card. Texts and numbers that come from reports have no length: PostgreSQL would refuse the row, and with it the
    whole run.
    """

    __tablename__ = "discrepancies"
    __table_args__ = (
        UniqueConstraint("account_id", "fingerprint"),
        Index(None, "status", "closes_on"),
        Index(None, "account_id", "status"),
        Index(None, "fnsku"),
        Index(None, "reference_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    fingerprint: Mapped[str] = mapped_column(String(32))
    claim_type: Mapped[str] = mapped_column(String(40))
    status: Mapped[DiscrepancyStatus] = mapped_column(_enum(DiscrepancyStatus))
    status_reason: Mapped[str | None] = mapped_column(String(64))
    marketplace: Mapped[str] = mapped_column(String(2))
    fnsku: Mapped[str | None] = mapped_column(Text)
    asin: Mapped[str | None] = mapped_column(Text)
    msku: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    reference_kind: Mapped[str] = mapped_column(String(32))
    reference_id: Mapped[str] = mapped_column(Text)
    fulfillment_center: Mapped[str | None] = mapped_column(Text)
    event_date: Mapped[date]
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit_value: Mapped[Decimal | None]
    value: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    value_basis: Mapped[str] = mapped_column(String(40))
    policy: Mapped[str] = mapped_column(String(64))
    policy_confirmed: Mapped[bool]
    is_changed_since_decision: Mapped[bool] = mapped_column(default=False)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    card_channel: Mapped[str | None] = mapped_column(String(32))
    card_ts: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship(lazy="raise")
    decided_by: Mapped[User | None] = relationship(lazy="raise")
    caveats: Mapped[list["Caveat"]] = relationship(
        lazy="raise", order_by="Caveat.code", back_populates="discrepancy", cascade="all, delete-orphan"
    )
    evidence: Mapped[list["EvidenceLine"]] = relationship(lazy="raise", order_by="EvidenceLine.position")
    history: Mapped[list["HistoryEntry"]] = relationship(lazy="raise", order_by="HistoryEntry.id")
    claims: Mapped[list["Claim"]] = relationship(
        lazy="raise", secondary="claim_discrepancies", order_by="Claim.id", back_populates="discrepancies"
    )

    __mapper_args__ = {"version_id_col": version}


class Caveat(Base):
    """An open question about a discrepancy, to be cleared by a person before approval."""

    __tablename__ = "caveats"
    __table_args__ = (UniqueConstraint("discrepancy_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancies.id"))
    code: Mapped[str] = mapped_column(String(40))
    cleared_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    cleared_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)

    discrepancy: Mapped[Discrepancy] = relationship(lazy="raise", back_populates="caveats")
    cleared_by: Mapped[User | None] = relationship(lazy="raise")


class ApprovalGiven(Base):
    """One side's approval of a discrepancy whose client wants more than one, or their own (`Client.approval`)."""

    __tablename__ = "approvals_given"

    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancies.id"), primary_key=True)
    side: Mapped[Approval] = mapped_column(_enum(Approval), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]

    user: Mapped[User] = relationship(lazy="raise")


class EvidenceLine(Base):
    """The text of one report line a discrepancy rests on, kept so that pages and cards need nothing but SQL.

    `header` and `text` are the file's own line as kept (buyers' data cut); `sha256` is of the delivered file.
    """

    __tablename__ = "evidence_lines"
    __table_args__ = (UniqueConstraint("discrepancy_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancies.id"))
    position: Mapped[int]
    role: Mapped[str] = mapped_column(String(32))
    report_type: Mapped[str] = mapped_column(String(100))
    file: Mapped[str] = mapped_column(Text)
    line: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    header: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")


class Claim(Base):
    """What we ask Amazon for: born of an approval, filed by hand. `case_id` is Amazon's.

    `currency` is that of `value`; where this is not known, that of the first payment. `recovered` is the cash that
    Amazon posted for it in that currency, `recovered_quantity` the units that it made up for, in cash or in stock, both
    less what it took back. `rounds` counts the appeals. `next_action_on` is the next day on which somebody has to act,
    by the marketplace's calendar.
    """

    __tablename__ = "claims"
    __table_args__ = (
        Index(None, "status", "closes_on"),
        Index(None, "account_id", "status"),
        Index(None, "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    claim_type: Mapped[str] = mapped_column(String(40))
    status: Mapped[ClaimStatus] = mapped_column(_enum(ClaimStatus), default=ClaimStatus.TO_SUBMIT)
    closed_reason: Mapped[str | None] = mapped_column(String(32))
    case_id: Mapped[str | None] = mapped_column(String(64))
    quantity: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[Decimal | None]
    recovered: Mapped[Decimal] = mapped_column(default=Decimal(0))
    recovered_quantity: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str | None] = mapped_column(String(3))
    closes_on: Mapped[date]
    approved_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[datetime | None]
    rounds: Mapped[int] = mapped_column(default=0)
    next_action_on: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship(lazy="raise")
    approved_by: Mapped[User] = relationship(lazy="raise", foreign_keys=[approved_by_id])
    assignee: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[assignee_id])
    discrepancies: Mapped[list[Discrepancy]] = relationship(
        lazy="raise", secondary="claim_discrepancies", order_by=Discrepancy.id, back_populates="claims"
    )
    history: Mapped[list["HistoryEntry"]] = relationship(lazy="raise", order_by="HistoryEntry.id")
    notes: Mapped[list["ClaimNote"]] = relationship(lazy="raise", order_by="ClaimNote.id")
    documents: Mapped[list["Document"]] = relationship(lazy="raise", order_by="Document.id")
    requests: Mapped[list["Request"]] = relationship(lazy="raise", order_by="Request.id")
    payments: Mapped[list["ClaimPayment"]] = relationship(lazy="raise", order_by="ClaimPayment.id")

    __mapper_args__ = {"version_id_col": version}


class ClaimDiscrepancy(Base):
    """Which discrepancies a claim was made of. A closed claim keeps its own."""

    __tablename__ = "claim_discrepancies"

    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancies.id"), primary_key=True, index=True)


class ClaimNote(Base):
    """A text put to a claim: a note of ours, or what Amazon replied. Rows are added, never changed."""

    __tablename__ = "claim_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), index=True)
    kind: Mapped[NoteKind] = mapped_column(_enum(NoteKind))
    text: Mapped[str] = mapped_column(Text)
    next_action_on: Mapped[date | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    author_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Document(Base):
    """A file that somebody put to a claim, or that a client answered a request with. `content` loads when asked for."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claims.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    kind: Mapped[DocumentKind] = mapped_column(_enum(DocumentKind))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    uploaded_by_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Request(Base):
    """Something the client is asked for. `holds_claim`: the claim is not filed before it is answered or closed."""

    __tablename__ = "requests"
    __table_args__ = (Index(None, "client_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), index=True)
    kind: Mapped[RequestKind] = mapped_column(_enum(RequestKind))
    question: Mapped[str] = mapped_column(Text)
    status: Mapped[RequestStatus] = mapped_column(_enum(RequestStatus), default=RequestStatus.ASKED)
    holds_claim: Mapped[bool] = mapped_column(default=True)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    client: Mapped[Client] = relationship(lazy="raise")
    claim: Mapped[Claim] = relationship(lazy="raise", back_populates="requests")
    asked_by: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[asked_by_id])
    answered_by: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[answered_by_id])
    documents: Mapped[list[Document]] = relationship(lazy="raise", order_by=Document.id)

    __mapper_args__ = {"version_id_col": version}


class Reimbursement(Base):
    """One line of Amazon's reimbursements report that bears on our claims: it paid one, may have, or took one back.

    `line_key` tells the line again in a later report; it holds nothing that Amazon changes afterwards. Amounts are in
    `currency`, `amount_total` negative where Amazon took money back; units likewise. `approved_on` is the day by the
    marketplace's calendar, `first_seen_at` when the report first showed it (it lags up to five days). `candidates`
    lists the claims that it may belong to while it waits for a person. `later_says` is what a later report has in
    place of units or amount, in words: nothing is booked by it until a person has looked.
    """

    __tablename__ = "reimbursements"
    __table_args__ = (
        UniqueConstraint("account_id", "line_key"),
        Index(None, "account_id", "reimbursement_id"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    line_key: Mapped[str] = mapped_column(String(64))
    reimbursement_id: Mapped[str] = mapped_column(Text)
    state: Mapped[ReimbursementState] = mapped_column(_enum(ReimbursementState))
    candidates: Mapped[list[Any]] = mapped_column(default=list)
    case_id: Mapped[str | None] = mapped_column(Text)
    order_id: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    fnsku: Mapped[str | None] = mapped_column(Text)
    msku: Mapped[str | None] = mapped_column(Text)
    asin: Mapped[str | None] = mapped_column(Text)
    approved_on: Mapped[date]
    cash_units: Mapped[int] = mapped_column(BigInteger)
    stock_units: Mapped[int] = mapped_column(BigInteger)
    amount_total: Mapped[Decimal]
    currency: Mapped[str | None] = mapped_column(String(3))
    original_reimbursement_id: Mapped[str | None] = mapped_column(Text)
    later_says: Mapped[str | None] = mapped_column(Text)
    first_seen_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship(lazy="raise")
    payments: Mapped[list["ClaimPayment"]] = relationship(lazy="raise", order_by="ClaimPayment.id")

    __mapper_args__ = {"version_id_col": version}


class ClaimPayment(Base):
    """What one reimbursement line gave one claim, or took back from it.

    What takes back has units and amount below zero, and names in `reverses_id` the payment that gave them. It covers
    the units of the line from `first_unit` (1 is the first) on; money without units has the `first_unit` 0, and may be
    for several claims. `amount` is cash, in `currency`. `matched_by` says what tied the two: case_id, order_id,
    shipment_id, units (FNSKU, reason, quantity and date), original (the payment that it adds money to), reversal, or
    person.
    """

    __tablename__ = "claim_payments"
    __table_args__ = (UniqueConstraint("claim_id", "reimbursement_line_id", "first_unit"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"))
    reimbursement_line_id: Mapped[int] = mapped_column(ForeignKey("reimbursements.id"), index=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("claim_payments.id"))
    first_unit: Mapped[int] = mapped_column(BigInteger)
    cash_units: Mapped[int] = mapped_column(BigInteger)
    stock_units: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal]
    currency: Mapped[str | None] = mapped_column(String(3))
    matched_by: Mapped[str] = mapped_column(String(32))
    matched_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    matched_at: Mapped[datetime]

    claim: Mapped[Claim] = relationship(lazy="raise", back_populates="payments")
    line: Mapped[Reimbursement] = relationship(lazy="raise", back_populates="payments")


class Invoice(Base):
    """One client's bill for a week, in one currency. `week_from` is its Monday, `week_to` its Sunday, client's zone.

    A draft has no number; it is taken, without gaps, on sending. A void one keeps its number and its lines, and leaves
    room for another of the same week. Sums are in `currency`: `recovered` is what the fees are of, `fee` the sum of the
    lines (credits are negative), `tax` of it, `total` both. `terms` is what was in force when it was made, as printed:
    names, addresses, tax numbers, rates, what bears a fee, days to query; and which payments are `without_fee`.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        Index(
            "uq_invoices_client_id_currency_week_from",
            "client_id",
            "currency",
            "week_from",
            unique=True,
            sqlite_where=text("status != 'void'"),
            postgresql_where=text("status != 'void'"),
        ),
        Index(None, "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    number: Mapped[str | None] = mapped_column(String(32), unique=True)
    status: Mapped[InvoiceStatus] = mapped_column(_enum(InvoiceStatus), default=InvoiceStatus.DRAFT)
    currency: Mapped[str] = mapped_column(String(3))
    week_from: Mapped[date]
    week_to: Mapped[date]
    recovered: Mapped[Decimal]
    fee: Mapped[Decimal]
    tax_rate: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    terms: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    query_until: Mapped[date | None]
    final_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    client: Mapped[Client] = relationship(lazy="raise")
    lines: Mapped[list["InvoiceLine"]] = relationship(
        lazy="raise", order_by="InvoiceLine.position", back_populates="invoice", cascade="all, delete-orphan"
    )
    history: Mapped[list["HistoryEntry"]] = relationship(lazy="raise", order_by="HistoryEntry.id")

    __mapper_args__ = {"version_id_col": version}


class InvoiceLine(Base):
    """The fee for what one reimbursement line gave one claim, or (negative) the credit for what was taken back.

    `recovered` is what the fee is a part of: cash, and the value of units in stock where the terms say so. A client may
    query a line of a sent invoice until the day `query_until`.
    """

    __tablename__ = "invoice_lines"
    __table_args__ = (UniqueConstraint("invoice_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("claim_payments.id"), index=True)
    claim_type: Mapped[str] = mapped_column(String(40))
    approved_on: Mapped[date]
    cash_units: Mapped[int] = mapped_column(BigInteger)
    stock_units: Mapped[int] = mapped_column(BigInteger)
    recovered: Mapped[Decimal]
    rate: Mapped[Decimal]
    fee: Mapped[Decimal]
    query: Mapped[str | None] = mapped_column(Text)
    queried_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    queried_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]

    invoice: Mapped[Invoice] = relationship(lazy="raise", back_populates="lines")
    claim: Mapped[Claim] = relationship(lazy="raise")
    payment: Mapped[ClaimPayment] = relationship(lazy="raise")


class BilledUnit(Base):
    """One unit of one reimbursement line that was billed: the key itself refuses the same unit twice.

    Money without units is billed once for each claim that it was for: its `unit` is the claim's id below zero.
    """

    __tablename__ = "billed_units"

    reimbursement_line_id: Mapped[int] = mapped_column(ForeignKey("reimbursements.id"), primary_key=True)
    unit: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    invoice_line_id: Mapped[int] = mapped_column(ForeignKey("invoice_lines.id"), index=True)


class HistoryEntry(Base):
    """One move of a discrepancy, a claim, an invoice, a client or an account. Rows are added, never changed.

    `action` says what was done (found, approved, rejected, undone, caveat_cleared, quantity_changed, settled …);
    `actor_name` stays readable when the user is gone, and is "Recoup" for what a job did.
    """

    __tablename__ = "history"

    id: Mapped[int] = mapped_column(primary_key=True)
    discrepancy_id: Mapped[int | None] = mapped_column(ForeignKey("discrepancies.id"), index=True)
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claims.id"), index=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    through: Mapped[Through] = mapped_column(_enum(Through))
    action: Mapped[str] = mapped_column(String(32))
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(Text)


class OutboxMessage(Base):
    """A message to send: its kind and the ids it tells of; the words are made at delivery.

    `key` says what it is about, so that the same thing is never queued twice. `claimed_until` is a sender's hold on it,
    in real time. `is_unsure`: an earlier try may have arrived, so it is looked up before it is sent again. `channel` is
    where it went: a Slack channel, or an e-mail address.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "state", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    medium: Mapped[Medium] = mapped_column(_enum(Medium), default=Medium.SLACK)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claims.id"), index=True)
    discrepancy_id: Mapped[int | None] = mapped_column(ForeignKey("discrepancies.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[OutboxState] = mapped_column(_enum(OutboxState), default=OutboxState.PENDING)
    not_before: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    is_unsure: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str | None] = mapped_column(String(254))
    external_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class SlackRequest(Base):
    """An event of Slack's that was taken, by its event id: Slack sends one again when it missed our answer."""

    __tablename__ = "slack_requests"

    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    received_at: Mapped[datetime]
