"""How far each reconciliation is, for lists; what a certificate reads like."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("stage", sa.Text(), server_default="received", nullable=False))
    op.add_column(
        "runs",
        sa.Column(
            "stage_since",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
    )
    op.create_table(
        "certificate_documents",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", "format"),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"]),
        sa.CheckConstraint("format IN ('json', 'csv', 'html')", name="known_format"),
    )
    op.create_index("runs_by_begin", "runs", ["begun_at", "id"])


def downgrade() -> None:
    op.drop_index("runs_by_begin", "runs")
    op.drop_table("certificate_documents")
    op.drop_column("runs", "stage_since")
    op.drop_column("runs", "stage")
