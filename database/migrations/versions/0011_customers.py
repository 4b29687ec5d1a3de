"""Customers, and since when an account that we invoice is closed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    op.add_column("billing_accounts", sa.Column("closed_at", time, nullable=True))
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_since", time, server_default=now, nullable=False),
        sa.Column("since", time, nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("proved_at", time, nullable=False),
        sa.Column("reverify_at", time, nullable=False),
        sa.Column("list_version", sa.Text(), nullable=True),
        sa.Column("list_told", sa.Text(), nullable=True),
        sa.Column("screening", sa.Text(), nullable=True),
        sa.Column("compared_at", time, nullable=True),
        sa.Column("identity_link", sa.Text(), nullable=True),
        sa.Column("left_at", time, nullable=True),
        sa.Column("keep_until", time, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workflow_id"),
        sa.CheckConstraint("stage IN ('active', 'reverifying', 'offboarded')", name="known_stage"),
    )
    op.create_index("customers_by_tenant", "customers", ["tenant", "since", "id"])
    op.create_index("customers_by_stage", "customers", ["stage", "since", "id"])
    op.create_index("customers_by_age", "customers", ["since", "id"])


def downgrade() -> None:
    op.drop_table("customers")
    op.drop_column("billing_accounts", "closed_at")
