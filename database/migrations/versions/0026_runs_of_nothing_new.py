"""A run that found nothing new names the run whose certificate stands."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
older_releases_run = False


def upgrade() -> None:
    op.add_column("runs", sa.Column("same_as", sa.Integer(), nullable=True))
    op.create_foreign_key(None, "runs", "runs", ["same_as"], ["id"])


def downgrade() -> None:
    op.drop_column("runs", "same_as")
