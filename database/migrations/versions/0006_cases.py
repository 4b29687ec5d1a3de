"""Cases of one applicant: who is known already, what a rejection says, appeals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CASES = ("appeal_of", "earlier_case", "merged_into")


def upgrade() -> None:
    for column in _CASES:
        op.add_column("onboardings", sa.Column(column, sa.Text(), nullable=True))
    op.add_column(
        "onboardings",
        sa.Column(
            "adverse_actions",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
    )
    op.add_column(
        "onboardings", sa.Column("appeal_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "onboardings_by_appeal",
        "onboardings",
        ["appeal_of"],
        unique=True,
        postgresql_where=sa.text("appeal_of IS NOT NULL"),
    )
    op.create_table(
        "known_applicants",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("trait", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("onboarding", sa.Text(), nullable=False),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant", "trait", "hash"),
    )
    op.create_index("known_applicants_by_onboarding", "known_applicants", ["onboarding"])
    op.create_table(
        "duplicates",
        sa.Column("onboarding", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("alike", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "found_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.CheckConstraint("relation IN ('merge', 'link')", name="known_relation"),
        sa.PrimaryKeyConstraint("onboarding", "other"),
    )
    # Comes with Postgres, and the owner of a database may have it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_index(
        "applications_by_name",
        "applications",
        [sa.literal_column("lower(form ->> 'name')").label("name")],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )


def downgrade() -> None:
    op.drop_index("applications_by_name", "applications")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
    op.drop_table("duplicates")
    op.drop_table("known_applicants")
    op.drop_index("onboardings_by_appeal", "onboardings")
    for column in ("appeal_until", "adverse_actions", *_CASES):
        op.drop_column("onboardings", column)
