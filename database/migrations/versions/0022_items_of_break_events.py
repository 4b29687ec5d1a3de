"""Of which items a break was at each event: those of some change from run to run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("break_events", sa.Column("items", postgresql.ARRAY(sa.BigInteger())))


def downgrade() -> None:
    op.drop_column("break_events", "items")
