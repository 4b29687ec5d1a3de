"""A statement is compared with those of its own tenant, never with another's."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NAME = (
    "bank_account, currency, statement_id, coalesce(sequence, 0),"
    " coalesce(closing_on, '-infinity'::date)"
)


def upgrade() -> None:
    op.add_column("statements", sa.Column("tenant", sa.Text))
    op.execute("""
        UPDATE statements s SET tenant = coalesce(
            (SELECT a.tenant FROM reconciliation_accounts a WHERE a.id = s.account),
            (SELECT f.tenant FROM source_files f WHERE f.id = s.file))
    """)
    _index(f"{_NAME}, coalesce(tenant, ''), state")


def downgrade() -> None:
    _index(_NAME)
    op.drop_column("statements", "tenant")


def _index(columns: str) -> None:
    op.drop_index("statements_by_name", "statements")
    op.execute(
        f"CREATE UNIQUE INDEX statements_by_name ON statements ({columns})"
        " WHERE state IN ('counts', 'unknown_account')"
    )
