"""How often banks send statements, and statements that a person withdrew."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_STATES = "'counts', 'unknown_account', 'again', 'interim', 'contradicted', 'superseded'"


def upgrade() -> None:
    op.add_column(
        "reconciliation_bank_accounts",
        sa.Column("statements", sa.Text(), nullable=False, server_default="daily"),
    )
    op.create_check_constraint(
        "known_rhythm",
        "reconciliation_bank_accounts",
        "statements IN ('daily', 'weekly', 'monthly')",
    )
    op.drop_constraint("known_state", "statements", type_="check")
    op.create_check_constraint("known_state", "statements", f"state IN ({_STATES}, 'withdrawn')")
    op.add_column("statements", sa.Column("withdrawn_by", sa.Text()))
    op.add_column("statements", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.add_column("statements", sa.Column("withdrawn_for", sa.Text()))


def downgrade() -> None:
    for column in ("withdrawn_for", "withdrawn_at", "withdrawn_by"):
        op.drop_column("statements", column)
    op.drop_constraint("known_state", "statements", type_="check")
    op.execute("UPDATE statements SET state = 'contradicted' WHERE state = 'withdrawn'")
    op.create_check_constraint("known_state", "statements", f"state IN ({_STATES})")
    op.drop_constraint("known_rhythm", "reconciliation_bank_accounts", type_="check")
    op.drop_column("reconciliation_bank_accounts", "statements")
