"""The books that are compared: items, runs, matches, what is open, breaks, certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _bytes_text() -> sa.Text:
    return sa.Text(collation="C")


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change_of_books() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END $$
    """)
    op.create_table(
        "break_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("break_id", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("at_risk_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("break_events_of_break", "break_events", ["break_id", "id"])
    op.create_index("break_events_of_run", "break_events", ["run"])
    op.create_table(
        "breaks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", _bytes_text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("match", sa.Uuid(), nullable=True),
        sa.Column("currency", _bytes_text(), nullable=False),
        sa.Column("at_risk_minor", sa.BigInteger(), nullable=False),
        sa.Column("risk_on_leg", sa.SmallInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("opened_in", sa.Integer(), nullable=False),
        sa.Column("closed_in", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "leg", "subject", name="breaks_by_subject"),
    )
    op.create_index(
        "open_breaks", "breaks", ["account", "class"], postgresql_where=sa.text("closed_on IS NULL")
    )
    op.create_table(
        "closed_items",
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("opened_in", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("closed_in", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("book", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", _bytes_text(), nullable=False),
        sa.PrimaryKeyConstraint("leg", "item", "opened_in"),
    )
    op.create_index("closed_items_of_account", "closed_items", ["account", "leg", "closed_in"])
    op.create_table(
        "items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("presentment_minor", sa.BigInteger(), nullable=True),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("arrival_on", sa.Date(), nullable=True),
        sa.Column("book", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("derived", sa.Boolean(), nullable=False),
        sa.Column("currency", _bytes_text(), nullable=False),
        sa.Column("kind", _bytes_text(), nullable=False),
        sa.Column("source_id", _bytes_text(), nullable=False),
        sa.Column("component", _bytes_text(), nullable=False),
        sa.Column("reference", _bytes_text(), nullable=True),
        sa.Column("payout", _bytes_text(), nullable=True),
        sa.Column("descriptor", sa.Text(), nullable=True),
        sa.Column("presentment_currency", _bytes_text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "account", "book", "source_id", "component", "version", name="items_by_source"
        ),
    )
    op.create_index("items_by_reference", "items", ["reference"], postgresql_using="hash")
    op.create_index("items_by_time", "items", ["occurred_at"], postgresql_using="brin")
    op.create_index(
        "items_told_anew", "items", ["account", "id"], postgresql_where=sa.text("version > 1")
    )
    op.create_table(
        "match_items",
        sa.Column("item", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("match", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("item", "leg"),
    )
    op.create_index("match_items_of_match", "match_items", ["match"])
    op.create_table(
        "matches",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("disposition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("matches_by_id", "matches", ["id"])
    op.create_index("matches_of_run", "matches", ["run"])
    op.create_index(
        "matches_that_differ",
        "matches",
        ["account", "leg"],
        postgresql_where=sa.text("disposition IN (2, 4)"),
    )
    op.create_table(
        "open_items",
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("break_id", sa.BigInteger(), nullable=True),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("opened_in", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("book", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("disposition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", _bytes_text(), nullable=False),
        sa.PrimaryKeyConstraint("leg", "item"),
    )
    op.create_index("open_items_of_account", "open_items", ["account", "leg", "currency"])
    op.create_table(
        "reconciliation_accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("processor", sa.Text(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column(
            "posts",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("journal IN ('ours', 'files')", name="known_journal"),
        sa.CheckConstraint("posts <@ ARRAY['fees', 'payouts', 'settlements']", name="known_posts"),
        sa.CheckConstraint("processor IN ('listing', 'reports', 'files')", name="known_processor"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index(("ix_reconciliation_accounts_tenant"), "reconciliation_accounts", ["tenant"])
    op.create_table(
        "intakes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_item", sa.BigInteger(), nullable=True),
        sa.Column("last_item", sa.BigInteger(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("intakes_of_account", "intakes", ["account", "id"])
    op.create_table(
        "match_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("match", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("disposition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("until_run", sa.Integer(), nullable=False),
        sa.Column("unmatched_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column(
            "unmatched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_match_history_match"), "match_history", ["match"])
    op.create_index("match_history_of_account", "match_history", ["account", "leg"])
    op.create_table(
        "payout_traces",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("payout", _bytes_text(), nullable=False),
        sa.Column("trace_id", _bytes_text(), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "payout", "trace_id"),
    )
    op.create_table(
        "reconciliation_bank_accounts",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("identification", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "identification", "currency"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("workflow_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column(
            "begun_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('BALANCED', 'BREAKS', 'PROOF_FAILED', 'INCOMPLETE')", name="known_status"
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["previous"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "business_date", "ordinal", name="runs_by_date"),
        sa.UniqueConstraint("workflow_id"),
    )
    op.create_index(
        "runs_under_way",
        "runs",
        ["account"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "certificates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("result_hash", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column(
            "issued_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["previous"],
            ["certificates.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.id"],
        ),
        sa.ForeignKeyConstraint(
            ["supersedes"],
            ["certificates.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "business_date", "ordinal", name="one_a_run"),
        sa.UniqueConstraint("run"),
    )
    op.create_table(
        "cuts",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("last_intake", sa.BigInteger(), nullable=False),
        sa.Column("last_item", sa.BigInteger(), nullable=False),
        sa.Column("processor_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bank_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("journal_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms_version", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["reconciliation_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["previous"],
            ["cuts.run"],
        ),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("run"),
        sa.UniqueConstraint("account", "business_date", "hash", name="cuts_by_hash"),
    )
    op.create_table(
        "control_totals",
        sa.Column("cut", sa.Integer(), nullable=False),
        sa.Column("book", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", _bytes_text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cut"],
            ["cuts.run"],
        ),
        sa.PrimaryKeyConstraint("cut", "book", "currency", "kind"),
    )
    for table in ("items", "break_events", "match_history"):
        op.execute(f"""
            CREATE TRIGGER {table}_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_books()
        """)


def downgrade() -> None:
    op.drop_table("control_totals")
    op.drop_table("cuts")
    op.drop_table("certificates")
    op.drop_index("runs_under_way", table_name="runs", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("runs")
    op.drop_table("reconciliation_bank_accounts")
    op.drop_table("payout_traces")
    op.drop_index("match_history_of_account", table_name="match_history")
    op.drop_index(("ix_match_history_match"), table_name="match_history")
    op.drop_table("match_history")
    op.drop_index("intakes_of_account", table_name="intakes")
    op.drop_table("intakes")
    op.drop_index(("ix_reconciliation_accounts_tenant"), table_name="reconciliation_accounts")
    op.drop_table("reconciliation_accounts")
    op.drop_index("open_items_of_account", table_name="open_items")
    op.drop_table("open_items")
    op.drop_index(
        "matches_that_differ",
        table_name="matches",
        postgresql_where=sa.text("disposition IN (2, 4)"),
    )
    op.drop_index("matches_of_run", table_name="matches")
    op.drop_index("matches_by_id", table_name="matches")
    op.drop_table("matches")
    op.drop_index("match_items_of_match", table_name="match_items")
    op.drop_table("match_items")
    op.drop_index("items_told_anew", table_name="items", postgresql_where=sa.text("version > 1"))
    op.drop_index("items_by_time", table_name="items", postgresql_using="brin")
    op.drop_index("items_by_reference", table_name="items", postgresql_using="hash")
    op.drop_table("items")
    op.drop_index("closed_items_of_account", table_name="closed_items")
    op.drop_table("closed_items")
    op.drop_index("open_breaks", table_name="breaks", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_table("breaks")
    op.drop_index("break_events_of_run", table_name="break_events")
    op.drop_index("break_events_of_break", table_name="break_events")
    op.drop_table("break_events")
    op.execute("DROP FUNCTION refuse_change_of_books()")
