"""An interim report counts nowhere, whatever is beside it."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE statements SET state = 'interim', same_as = NULL WHERE format = 'mt942'")
    op.create_check_constraint(
        "interim_counts_nowhere", "statements", "format <> 'mt942' OR state = 'interim'"
    )


def downgrade() -> None:
    op.drop_constraint("interim_counts_nowhere", "statements", type_="check")
