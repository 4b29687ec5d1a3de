"""Which days a statement tells of, whatever its format says of balances."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
older_releases_run = False


def upgrade() -> None:
    for name in ("first_on", "last_on"):
        op.add_column("statements", sa.Column(name, sa.Date))
    # An opening balance is of the evening before, but where a range of days has its first one.
    op.execute("""
        UPDATE statements
        SET first_on = least(opening_on + CASE WHEN format IN ('csv', 'ofx')
                                                 OR opening_minor IS NULL THEN 0 ELSE 1 END,
                             closing_on),
            last_on = greatest(opening_on, closing_on)
    """)


def downgrade() -> None:
    for name in ("first_on", "last_on"):
        op.drop_column("statements", name)
