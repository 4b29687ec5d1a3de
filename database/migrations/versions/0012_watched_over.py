"""Which parked steps a version of an application was made for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("made_for", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("applications", "made_for")
