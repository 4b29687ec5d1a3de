"""A month is locked for good by somebody else than who closed it."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_MUST_FOLLOW = """
    CREATE OR REPLACE FUNCTION journal_periods_must_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(74201611, NEW.account);
        IF TG_OP = 'UPDATE' THEN
            IF OLD.state = 'locked' OR (OLD.account, OLD.month) <> (NEW.account, NEW.month) THEN
                RAISE EXCEPTION 'the period % is locked for good', OLD.month
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'locked_is_final';
            END IF;
        END IF;
        {lock}
        IF NEW.state = 'open' AND EXISTS (
            SELECT FROM journal_periods later WHERE later.account = NEW.account
            AND later.month > NEW.month AND later.state <> 'open'
        ) THEN
            RAISE EXCEPTION 'a period later than % is closed: open that first', NEW.month
                USING ERRCODE = 'check_violation', CONSTRAINT = 'latest_opens_first';
        END IF;
        RETURN NEW;
    END $$
"""
# It is asked before an insert that turns into an update, too: so it looks at what is there.
_LOCK = """
        IF NEW.state = 'locked' THEN
            IF NOT EXISTS (
                SELECT FROM journal_periods closed WHERE closed.account = NEW.account
                AND closed.month = NEW.month AND closed.state <> 'open'
            ) THEN
                RAISE EXCEPTION 'the period % is not closed: close it first', NEW.month
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_before_locked';
            END IF;
            IF EXISTS (
                SELECT FROM journal_periods closed WHERE closed.account = NEW.account
                AND closed.month = NEW.month AND closed.state = 'soft_closed'
                AND closed.changed_by = NEW.changed_by
            ) THEN
                RAISE EXCEPTION 'nobody locks a period that they closed themselves'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'takes_two';
            END IF;
        END IF;
"""


def upgrade() -> None:
    op.execute(_MUST_FOLLOW.replace("{lock}", _LOCK))


def downgrade() -> None:
    op.execute(_MUST_FOLLOW.replace("{lock}", ""))
