"""What a version was made for, when a customer was told of a list, and documents that expire."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("made_for", JSONB(), nullable=True))
    tried = sa.Column("list_tried_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("customers", tried)
    op.add_column("documents", sa.Column("valid_until", sa.Date(), nullable=True))
    for name in ("dated", "of_customer"):
        op.add_column(
            "document_requests",
            sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False),
        )


def downgrade() -> None:
    op.drop_column("document_requests", "of_customer")
    op.drop_column("document_requests", "dated")
    op.drop_column("documents", "valid_until")
    op.drop_column("customers", "list_tried_at")
    op.drop_column("applications", "made_for")
