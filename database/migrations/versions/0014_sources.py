"""Where items come from: files, statements, payouts, balances that were told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "free_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "payout_members",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("payout", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "source_id"),
    )
    op.create_index(
        "payout_members_of_payout", "payout_members", ["account", "payout"], unique=False
    )
    op.create_table(
        "payouts",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("currency", sa.Text(collation="C"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrival_on", sa.Date(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("members_known", sa.Boolean(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.Column("failure_transaction", sa.Text(), nullable=True),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("reversed_by", sa.Text(), nullable=True),
        sa.Column("members", sa.BigInteger(), nullable=True),
        sa.Column("members_minor", sa.BigInteger(), nullable=True),
        sa.Column(
            "told_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "id"),
    )
    op.create_index(
        "payouts_to_itemise",
        "payouts",
        ["account", "made_at"],
        unique=False,
        postgresql_where=sa.text("members_known AND members IS NULL"),
    )
    op.create_table(
        "source_files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("bank_account", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('received', 'read', 'refused')", name="known_state"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "source_files_by_content",
        "source_files",
        [
            "sha256",
            sa.literal_column("coalesce(tenant, '')"),
            sa.literal_column("coalesce(bank_account, '')"),
        ],
        unique=True,
    )
    op.create_index(
        "source_files_to_read",
        "source_files",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_table(
        "told_balances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "told_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "currency", "at", "source", name="told_balances_by_source"),
    )
    op.create_table(
        "bad_rows",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "before", "source", "line"),
    )
    op.create_table(
        "statements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=True),
        sa.Column("bank_account", sa.Text(collation="C"), nullable=False),
        sa.Column("currency", sa.Text(collation="C"), nullable=False),
        sa.Column("statement_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("opening_on", sa.Date(), nullable=True),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_on", sa.Date(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("same_as", sa.BigInteger(), nullable=True),
        sa.Column(
            "taken_in_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("proof IN ('proven', 'unproven', 'unprovable')", name="known_proof"),
        sa.CheckConstraint(
            "state IN ('counts', 'unknown_account', 'again', 'interim', 'contradicted')",
            name="known_state",
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["file"],
            ["source_files.id"],
        ),
        sa.ForeignKeyConstraint(
            ["same_as"],
            ["statements.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "statements_by_name",
        "statements",
        [
            "bank_account",
            "currency",
            "statement_id",
            sa.literal_column("coalesce(sequence, 0)"),
            sa.literal_column("coalesce(closing_on, '-infinity'::date)"),
        ],
        unique=True,
        postgresql_where=sa.text("state IN ('counts', 'unknown_account')"),
    )
    op.create_index(
        "statements_of_account", "statements", ["account", "currency", "closing_on"], unique=False
    )
    op.create_index("statements_of_file", "statements", ["file"], unique=False)


def downgrade() -> None:
    for table in (
        "paces",
        "told_balances",
        "payout_members",
        "payouts",
        "statements",
        "bad_rows",
        "source_files",
    ):
        op.drop_table(table)
