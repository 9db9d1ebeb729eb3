"""Filing, reimbursements, invoices, requests to clients, mail: what the way from a claim to the invoice needs."""

from datetime import UTC
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commission_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_commission_rates_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rates")),
        sa.UniqueConstraint("client_id", "valid_from", name=op.f("uq_commission_rates_client_id_valid_from")),
    )
    _date_the_rates()
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("week_from", sa.Date(), nullable=False),
        sa.Column("week_to", sa.Date(), nullable=False),
        sa.Column("recovered", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("query_until", sa.Date(), nullable=True),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_invoices_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
    )
    op.create_index(op.f("ix_invoices_status"), "invoices", ["status"], unique=False)
    op.create_index(
        "uq_invoices_client_id_currency_week_from",
        "invoices",
        ["client_id", "currency", "week_from"],
        unique=True,
        sqlite_where=sa.text("status != 'void'"),
        postgresql_where=sa.text("status != 'void'"),
    )

    op.create_table(
        "reimbursements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("line_key", sa.String(length=64), nullable=False),
        sa.Column("reimbursement_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("fnsku", sa.Text(), nullable=True),
        sa.Column("msku", sa.Text(), nullable=True),
        sa.Column("asin", sa.Text(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("cash_units", sa.BigInteger(), nullable=False),
        sa.Column("stock_units", sa.BigInteger(), nullable=False),
        sa.Column("amount_total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("original_reimbursement_id", sa.Text(), nullable=True),
        sa.Column("later_says", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_reimbursements_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reimbursements")),
        sa.UniqueConstraint("account_id", "line_key", name=op.f("uq_reimbursements_account_id_line_key")),
    )
    op.create_index(
        op.f("ix_reimbursements_account_id_reimbursement_id"),
        "reimbursements",
        ["account_id", "reimbursement_id"],
        unique=False,
    )
    op.create_index(op.f("ix_reimbursements_state"), "reimbursements", ["state"], unique=False)

    op.create_table(
        "approvals_given",
        sa.Column("discrepancy_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["discrepancies.id"], name=op.f("fk_approvals_given_discrepancy_id_discrepancies")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approvals_given_user_id_users")),
        sa.PrimaryKeyConstraint("discrepancy_id", "side", name=op.f("pk_approvals_given")),
    )
    op.create_table(
        "claim_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("next_action_on", sa.Date(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_claim_notes_author_id_users")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_notes_claim_id_claims")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_notes")),
    )
    op.create_index(op.f("ix_claim_notes_claim_id"), "claim_notes", ["claim_id"], unique=False)

    op.create_table(
        "claim_payments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("reimbursement_line_id", sa.Integer(), nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("first_unit", sa.BigInteger(), nullable=False),
        sa.Column("cash_units", sa.BigInteger(), nullable=False),
        sa.Column("stock_units", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("matched_by", sa.String(length=32), nullable=False),
        sa.Column("matched_by_id", sa.Integer(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_payments_claim_id_claims")),
        sa.ForeignKeyConstraint(["matched_by_id"], ["users.id"], name=op.f("fk_claim_payments_matched_by_id_users")),
        sa.ForeignKeyConstraint(
            ["reimbursement_line_id"],
            ["reimbursements.id"],
            name=op.f("fk_claim_payments_reimbursement_line_id_reimbursements"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["claim_payments.id"], name=op.f("fk_claim_payments_reverses_id_claim_payments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_payments")),
        sa.UniqueConstraint(
            "claim_id",
            "reimbursement_line_id",
            "first_unit",
            name=op.f("uq_claim_payments_claim_id_reimbursement_line_id_first_unit"),
        ),
    )
    op.create_index(
        op.f("ix_claim_payments_reimbursement_line_id"), "claim_payments", ["reimbursement_line_id"], unique=False
    )

    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("holds_claim", sa.Boolean(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["answered_by_id"], ["users.id"], name=op.f("fk_requests_answered_by_id_users")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_requests_asked_by_id_users")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_requests_claim_id_claims")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_requests_client_id_clients")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_requests_closed_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_claim_id"), "requests", ["claim_id"], unique=False)
    op.create_index(op.f("ix_requests_client_id_status"), "requests", ["client_id", "status"], unique=False)

    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_by_name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_documents_claim_id_claims")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_documents_client_id_clients")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_documents_request_id_requests")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["users.id"], name=op.f("fk_documents_uploaded_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_claim_id"), "documents", ["claim_id"], unique=False)
    op.create_index(op.f("ix_documents_client_id"), "documents", ["client_id"], unique=False)
    op.create_index(op.f("ix_documents_request_id"), "documents", ["request_id"], unique=False)

    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("claim_type", sa.String(length=40), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("cash_units", sa.BigInteger(), nullable=False),
        sa.Column("stock_units", sa.BigInteger(), nullable=False),
        sa.Column("recovered", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("query", sa.Text(), nullable=True),
        sa.Column("queried_by_id", sa.Integer(), nullable=True),
        sa.Column("queried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["users.id"], name=op.f("fk_invoice_lines_answered_by_id_users")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_invoice_lines_claim_id_claims")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id_invoices")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["claim_payments.id"], name=op.f("fk_invoice_lines_payment_id_claim_payments")
        ),
        sa.ForeignKeyConstraint(["queried_by_id"], ["users.id"], name=op.f("fk_invoice_lines_queried_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_lines_invoice_id_position")),
    )
    op.create_index(op.f("ix_invoice_lines_claim_id"), "invoice_lines", ["claim_id"], unique=False)
    op.create_index(op.f("ix_invoice_lines_payment_id"), "invoice_lines", ["payment_id"], unique=False)

    op.create_table(
        "billed_units",
        sa.Column("reimbursement_line_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("invoice_line_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["invoice_lines.id"], name=op.f("fk_billed_units_invoice_line_id_invoice_lines")
        ),
        sa.ForeignKeyConstraint(
            ["reimbursement_line_id"],
            ["reimbursements.id"],
            name=op.f("fk_billed_units_reimbursement_line_id_reimbursements"),
        ),
        sa.PrimaryKeyConstraint("reimbursement_line_id", "unit", name=op.f("pk_billed_units")),
    )
    op.create_index(op.f("ix_billed_units_invoice_line_id"), "billed_units", ["invoice_line_id"], unique=False)

    # Rows that are there already get what a new one starts with.
    with op.batch_alter_table("agency_settings") as batch:
        batch.add_column(sa.Column("digest_channel", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("address", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("tax_number", sa.String(length=64), nullable=False, server_default=""))
        batch.add_column(
            sa.Column("time_zone", sa.String(length=64), nullable=False, server_default="America/Los_Angeles")
        )
        batch.add_column(sa.Column("invoice_prefix", sa.String(length=16), nullable=False, server_default=""))
        batch.add_column(sa.Column("last_invoice_number", sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table("claims") as batch:
        batch.add_column(sa.Column("recovered_quantity", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("assignee_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("rounds", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("next_action_on", sa.Date(), nullable=True))
        batch.create_index(batch.f("ix_claims_case_id"), ["case_id"], unique=False)
        batch.create_foreign_key(batch.f("fk_claims_assignee_id_users"), "users", ["assignee_id"], ["id"])

    with op.batch_alter_table("clients") as batch:
        batch.drop_column("commission_rate")
        batch.add_column(sa.Column("client_channel", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("claim_types_off", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("wait_days", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("approval", sa.String(length=32), nullable=False, server_default="agency"))
        batch.add_column(sa.Column("requests_hold_claims", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch.add_column(sa.Column("billing_email", sa.String(length=254), nullable=True))
        batch.add_column(sa.Column("tax_rate", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("tax_number", sa.String(length=64), nullable=False, server_default=""))
        batch.add_column(sa.Column("days_to_query", sa.Integer(), nullable=False, server_default="7"))
        batch.add_column(sa.Column("fee_on_stock", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("fee_on_found", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("keeps_fee_reversed", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(
            sa.Column("keeps_fee_reversed_with_unit", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    with op.batch_alter_table("history") as batch:
        batch.add_column(sa.Column("invoice_id", sa.Integer(), nullable=True))
        batch.create_index(batch.f("ix_history_invoice_id"), ["invoice_id"], unique=False)
        batch.create_index(batch.f("ix_history_at"), ["at"], unique=False)  # a week's figures are counted by it
        batch.create_foreign_key(batch.f("fk_history_invoice_id_invoices"), "invoices", ["invoice_id"], ["id"])

    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("medium", sa.String(length=32), nullable=False, server_default="slack"))
        batch.add_column(sa.Column("client_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("claim_id", sa.Integer(), nullable=True))
        batch.alter_column(
            "channel", existing_type=sa.VARCHAR(length=64), type_=sa.String(length=254), existing_nullable=True
        )
        batch.create_index(batch.f("ix_outbox_claim_id"), ["claim_id"], unique=False)
        batch.create_index(batch.f("ix_outbox_client_id"), ["client_id"], unique=False)
        batch.create_foreign_key(batch.f("fk_outbox_claim_id_claims"), "claims", ["claim_id"], ["id"])
        batch.create_foreign_key(batch.f("fk_outbox_client_id_clients"), "clients", ["client_id"], ["id"])

    with op.batch_alter_table("runs") as batch:
        batch.add_column(sa.Column("client_id", sa.Integer(), nullable=True))
        batch.create_unique_constraint(batch.f("uq_runs_kind_client_id_slot"), ["kind", "client_id", "slot"])
        batch.create_foreign_key(batch.f("fk_runs_client_id_clients"), "clients", ["client_id"], ["id"])
    _leave_new_rows_to_the_program()


def downgrade() -> None:
    with op.batch_alter_table("runs") as batch:
        batch.drop_constraint(batch.f("fk_runs_client_id_clients"), type_="foreignkey")
        batch.drop_constraint(batch.f("uq_runs_kind_client_id_slot"), type_="unique")
        batch.drop_column("client_id")

    with op.batch_alter_table("outbox") as batch:
        batch.drop_constraint(batch.f("fk_outbox_client_id_clients"), type_="foreignkey")
        batch.drop_constraint(batch.f("fk_outbox_claim_id_claims"), type_="foreignkey")
        batch.drop_index(batch.f("ix_outbox_client_id"))
        batch.drop_index(batch.f("ix_outbox_claim_id"))
        batch.alter_column(
            "channel", existing_type=sa.String(length=254), type_=sa.VARCHAR(length=64), existing_nullable=True
        )
        batch.drop_column("claim_id")
        batch.drop_column("client_id")
        batch.drop_column("medium")

    with op.batch_alter_table("history") as batch:
        batch.drop_constraint(batch.f("fk_history_invoice_id_invoices"), type_="foreignkey")
        batch.drop_index(batch.f("ix_history_at"))
        batch.drop_index(batch.f("ix_history_invoice_id"))
        batch.drop_column("invoice_id")

    with op.batch_alter_table("clients") as batch:
        batch.drop_column("keeps_fee_reversed_with_unit")
        batch.drop_column("keeps_fee_reversed")
        batch.drop_column("fee_on_found")
        batch.drop_column("fee_on_stock")
        batch.drop_column("days_to_query")
        batch.drop_column("tax_number")
        batch.drop_column("tax_rate")
        batch.drop_column("billing_email")
        batch.drop_column("requests_hold_claims")
        batch.drop_column("approval")
        batch.drop_column("wait_days")
        batch.drop_column("claim_types_off")
        batch.drop_column("client_channel")
        batch.add_column(sa.Column("commission_rate", sa.BigInteger(), nullable=False, server_default="0"))
    _keep_the_newest_rate()
    with op.batch_alter_table("clients") as batch:
        batch.alter_column("commission_rate", existing_type=sa.BigInteger(), server_default=None)

    with op.batch_alter_table("claims") as batch:
        batch.drop_constraint(batch.f("fk_claims_assignee_id_users"), type_="foreignkey")
        batch.drop_index(batch.f("ix_claims_case_id"))
        batch.drop_column("next_action_on")
        batch.drop_column("rounds")
        batch.drop_column("submitted_at")
        batch.drop_column("assignee_id")
        batch.drop_column("recovered_quantity")

    with op.batch_alter_table("agency_settings") as batch:
        batch.drop_column("last_invoice_number")
        batch.drop_column("invoice_prefix")
        batch.drop_column("time_zone")
        batch.drop_column("tax_number")
        batch.drop_column("address")
        batch.drop_column("digest_channel")

    op.drop_index(op.f("ix_billed_units_invoice_line_id"), table_name="billed_units")
    op.drop_table("billed_units")
    op.drop_index(op.f("ix_invoice_lines_payment_id"), table_name="invoice_lines")
    op.drop_index(op.f("ix_invoice_lines_claim_id"), table_name="invoice_lines")
    op.drop_table("invoice_lines")
    op.drop_index(op.f("ix_documents_request_id"), table_name="documents")
    op.drop_index(op.f("ix_documents_client_id"), table_name="documents")
    op.drop_index(op.f("ix_documents_claim_id"), table_name="documents")
    op.drop_table("documents")
    op.drop_index(op.f("ix_requests_client_id_status"), table_name="requests")
    op.drop_index(op.f("ix_requests_claim_id"), table_name="requests")
    op.drop_table("requests")
    op.drop_index(op.f("ix_claim_payments_reimbursement_line_id"), table_name="claim_payments")
    op.drop_table("claim_payments")
    op.drop_index(op.f("ix_claim_notes_claim_id"), table_name="claim_notes")
    op.drop_table("claim_notes")
    op.drop_table("approvals_given")
    op.drop_index(op.f("ix_reimbursements_state"), table_name="reimbursements")
    op.drop_index(op.f("ix_reimbursements_account_id_reimbursement_id"), table_name="reimbursements")
    op.drop_table("reimbursements")
    op.drop_index("uq_invoices_client_id_currency_week_from", table_name="invoices")
    op.drop_index(op.f("ix_invoices_status"), table_name="invoices")
    op.drop_table("invoices")
    op.drop_table("commission_rates")


def _leave_new_rows_to_the_program() -> None:
    """Take the defaults away that were for the rows that were there."""
    columns = sa.inspect(op.get_bind())
    for table in ("agency_settings", "claims", "clients", "outbox"):
        defaults = [column for column in columns.get_columns(table) if column["default"] is not None]
        with op.batch_alter_table(table) as batch:
            for column in defaults:
                if column["name"] != "id":  # PostgreSQL's sequence
                    batch.alter_column(column["name"], existing_type=column["type"], server_default=None)


def _date_the_rates() -> None:
    """Let the rate that each client has hold from the day it became one, by its own calendar."""
    moment = sa.DateTime(timezone=True)
    clients = sa.table(
        "clients", *map(sa.column, ("id", "time_zone", "commission_rate")), sa.column("created_at", moment)
    )
    rates = sa.table("commission_rates", sa.column("client_id"), sa.column("valid_from", sa.Date()), sa.column("rate"))
    connection = op.get_bind()
    found = connection.execute(
        sa.select(clients.c.id, clients.c.time_zone, clients.c.commission_rate, clients.c.created_at)
    )
    dated = [
        {
            "client_id": client_id,
            # SQLite keeps the time in UTC and forgets that it did.
            "valid_from": (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).date(),
            "rate": rate,
        }
        for client_id, zone, rate, at in found.all()
    ]
    if dated:
        connection.execute(sa.insert(rates), dated)


def _keep_the_newest_rate() -> None:
    op.execute(
        "UPDATE clients SET commission_rate = (SELECT rate FROM commission_rates"
        " WHERE commission_rates.client_id = clients.id ORDER BY valid_from DESC LIMIT 1)"
    )
