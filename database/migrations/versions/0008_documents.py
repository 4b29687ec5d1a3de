"""Documents that onboardings ask for."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _time(name: str, *, now: bool = False) -> sa.Column[datetime]:
    default = sa.text("clock_timestamp()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def upgrade() -> None:
    op.create_table(
        "document_requests",
        sa.Column("onboarding_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        _time("asked_at", now=True),
        sa.PrimaryKeyConstraint("onboarding_id", "kind"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("onboarding_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        _time("created_at", now=True),
        _time("stored_at"),
        _time("judged_at"),
        _time("gone_at"),
        sa.CheckConstraint(
            "state IN ('received', 'stored', 'accepted', 'refused', 'gone')", name="known_state"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_documents_onboarding_id", "documents", ["onboarding_id"], unique=False)
    op.create_index(
        "documents_by_content",
        "documents",
        ["onboarding_id", "kind", "round", "sha256"],
        unique=True,
        postgresql_where=sa.text("state <> 'gone'"),
    )
    op.create_index(
        "documents_in_spool",
        "documents",
        ["onboarding_id"],
        unique=False,
        postgresql_where=sa.text("state = 'received'"),
    )


def downgrade() -> None:
    op.drop_table("documents")
    op.drop_table("document_requests")
