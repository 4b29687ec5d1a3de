"""How far each reconciliation is, for lists."""

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
    op.create_index("runs_by_begin", "runs", ["begun_at", "id"])


def downgrade() -> None:
    op.drop_index("runs_by_begin", "runs")
    op.drop_column("runs", "stage_since")
    op.drop_column("runs", "stage")
