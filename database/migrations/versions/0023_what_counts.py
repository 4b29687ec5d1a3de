"""An interim report counts nowhere; what was withdrawn is found by its bank account."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
older_releases_run = False


def upgrade() -> None:
    op.execute("UPDATE statements SET state = 'interim', same_as = NULL WHERE format = 'mt942'")
    op.create_check_constraint(
        "interim_counts_nowhere", "statements", "format <> 'mt942' OR state = 'interim'"
    )
    op.create_index(
        "statements_withdrawn",
        "statements",
        ["bank_account", "currency"],
        postgresql_where=sa.text("state = 'withdrawn'"),
    )


def downgrade() -> None:
    op.drop_index("statements_withdrawn", "statements")
    op.drop_constraint("interim_counts_nowhere", "statements", type_="check")
