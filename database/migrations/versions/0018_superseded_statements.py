"""Statements that gave way to one of their name that adds up."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_STATES = "'counts', 'unknown_account', 'again', 'interim', 'contradicted'"


def upgrade() -> None:
    op.drop_constraint("known_state", "statements", type_="check")
    op.create_check_constraint("known_state", "statements", f"state IN ({_STATES}, 'superseded')")


def downgrade() -> None:
    op.execute("UPDATE statements SET state = 'contradicted' WHERE state = 'superseded'")
    op.drop_constraint("known_state", "statements", type_="check")
    op.create_check_constraint("known_state", "statements", f"state IN ({_STATES})")
