"""Which parked steps a version was made for, and when a customer was last told of a list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("made_for", JSONB(), nullable=True))
    tried = sa.Column("list_tried_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("customers", tried)


def downgrade() -> None:
    op.drop_column("customers", "list_tried_at")
    op.drop_column("applications", "made_for")
