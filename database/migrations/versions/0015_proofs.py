"""What a cut holds as certificates tell it, and what was proven of it before it is certified."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cuts", sa.Column("record", postgresql.JSONB(), nullable=True))
    op.add_column("cuts", sa.Column("proof", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("cuts", "proof")
    op.drop_column("cuts", "record")
