"""Hits of screenings, and what people found them not to be."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "screening_hits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("party_hash", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("list_version", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("entry_version", sa.Text(), nullable=False),
        sa.Column("listed", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("holds_for", sa.Interval(), nullable=False),
        sa.Column(
            "found_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("remembered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("superseded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("verdict IN ('false_positive', 'confirmed')", name="known_verdict"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "screening_hits_once",
        "screening_hits",
        ["request_key", "party", "list", "entry"],
        unique=True,
        postgresql_where=sa.text("NOT superseded"),
    )
    op.create_index("screening_hits_of_application", "screening_hits", ["application_id", "id"])
    op.create_index("screening_hits_of_party", "screening_hits", ["party_hash", "list", "entry"])
    op.create_table(
        "screening_acceptances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hit", sa.BigInteger(), nullable=False),
        sa.Column("party_hash", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("entry_version", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hit"], ["screening_hits.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "screening_acceptances_of_party", "screening_acceptances", ["party_hash", "list", "entry"]
    )


def downgrade() -> None:
    op.drop_table("screening_acceptances")
    op.drop_table("screening_hits")
