"""What is at risk on another leg is said by each event; payouts are found by their amount.

Certificates of before left out whatever had nothing at risk: its events say that it is at risk
elsewhere, so that these certificates are made anew as they are. A break that is open like that is
told otherwise by the next run.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
older_releases_run = False

_TRIGGER = "break_events_are_append_only"


def upgrade() -> None:
    op.add_column("break_events", sa.Column("risk_on_leg", sa.SmallInteger()))
    op.execute(
        "UPDATE breaks SET risk_on_leg = leg WHERE at_risk_minor = 0 AND risk_on_leg IS NULL"
    )
    op.execute(f"ALTER TABLE break_events DISABLE TRIGGER {_TRIGGER}")
    op.execute("""
        UPDATE break_events e SET risk_on_leg = coalesce(b.risk_on_leg, b.leg)
        FROM breaks b WHERE b.id = e.break_id AND e.at_risk_minor = 0
    """)
    op.execute(f"ALTER TABLE break_events ENABLE TRIGGER {_TRIGGER}")
    op.create_index(
        "payouts_by_amount",
        "items",
        ["account", "currency", "amount_minor"],
        postgresql_where=sa.text("book = 1 AND kind = 'payout'"),
    )


def downgrade() -> None:
    op.drop_index("payouts_by_amount", "items")
    op.drop_column("break_events", "risk_on_leg")
