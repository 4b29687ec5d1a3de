"""The journal: entries that sum to zero, balances beside them, periods, payments, openings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "journal_accounts",
    "journal_entries",
    "journal_lines",
    "journal_movements",
    "journal_seals",
    "journal_sealed_balances",
    "payments",
    "openings",
    "opening_decisions",
)
_TABLES = (*_APPEND_ONLY[:6], "journal_periods", "payments", "payment_outbox")
_NOW = sa.text("clock_timestamp()")
_XID = sa.text("(pg_current_xact_id()::text)::bigint")


def _serial() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True)


def _time(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = _NOW if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable)


def _day(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def upgrade() -> None:
    _book()
    _balances()
    _payments()
    _openings()
    for statement in _RULES:
        op.execute(statement)
    op.execute("""
        CREATE TRIGGER journal_periods_stay BEFORE DELETE OR TRUNCATE ON journal_periods
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_books()
    """)
    for table in _APPEND_ONLY:
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_books()
        """)


def downgrade() -> None:
    for table in ("opening_decisions", "openings", *_TABLES):
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")


def _book() -> None:
    op.create_table(
        "journal_accounts",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), primary_key=True),
        sa.Column(
            "account", sa.Integer(), sa.ForeignKey("reconciliation_accounts.id"), nullable=False
        ),
        _text("code"),
        _text("currency"),
        sa.CheckConstraint(
            "code IN ('clearing', 'in_transit', 'cash', 'receivables', 'fees', 'reserve', 'fx',"
            " 'unsettled', 'suspense', 'write_offs', 'opening')",
            name="known_code",
        ),
        sa.UniqueConstraint("account", "code", "currency", name="journal_accounts_once"),
    )
    op.create_table(
        "journal_entries",
        _serial(),
        _whole("account"),
        sa.Column("request_key", sa.Text(collation="C"), nullable=False),
        _text("kind"),
        _time("occurred_at"),
        _day("effective_on"),
        _day("period"),
        sa.Column("derived", sa.Boolean(), nullable=False),
        _big("reversal_of", nullable=True),
        _whole("lines"),
        sa.Column("xid", sa.BigInteger(), nullable=False, server_default=_XID),
        _time("recorded_at", now=True),
        sa.CheckConstraint(
            "kind IN ('payment', 'import', 'opening', 'posting', 'reversal', 'correction')",
            name="known_kind",
        ),
        sa.CheckConstraint("lines >= 2", name="has_lines"),
        sa.CheckConstraint(
            "EXTRACT(day FROM period) = 1 AND period + interval '1 month' > effective_on",
            name="in_its_period_or_later",
        ),
        sa.UniqueConstraint("request_key"),
    )
    op.create_index("journal_entries_by_xid", "journal_entries", ["xid"], postgresql_using="brin")
    op.create_index(
        "journal_entries_reversed_once",
        "journal_entries",
        ["reversal_of"],
        unique=True,
        postgresql_where=sa.text("reversal_of IS NOT NULL"),
    )
    op.create_table(
        "journal_lines",
        _big("entry"),
        _whole("line"),
        _whole("journal_account"),
        _big("amount_minor"),
        _text("kind"),
        _text("reference", nullable=True),
        _text("object_id", nullable=True),
        _text("payout", nullable=True),
        _day("arrival_on", nullable=True),
        _text("descriptor", nullable=True),
        _big("presentment_minor", nullable=True),
        _text("presentment_currency", nullable=True),
        sa.PrimaryKeyConstraint("entry", "line"),
        sa.CheckConstraint("amount_minor <> 0", name="moves_something"),
    )


def _balances() -> None:
    op.create_table(
        "journal_movements",
        _serial(),
        _whole("journal_account"),
        _day("effective_on"),
        _big("amount_minor"),
        _whole("lines"),
        sa.Column("xid", sa.BigInteger(), nullable=False, server_default=_XID),
    )
    op.create_index(
        "journal_movements_by_xid", "journal_movements", ["xid"], postgresql_using="brin"
    )
    op.create_table(
        "journal_seals",
        _whole("account"),
        _whole("number"),
        _big("horizon"),
        _time("sealed_at", now=True),
        sa.PrimaryKeyConstraint("account", "number"),
    )
    op.create_table(
        "journal_sealed_balances",
        _whole("account"),
        _whole("number"),
        _whole("journal_account"),
        _day("effective_on"),
        _big("amount_minor"),
        _big("lines"),
        sa.PrimaryKeyConstraint("account", "number", "journal_account", "effective_on"),
    )
    op.create_table(
        "journal_periods",
        _whole("account"),
        _day("month"),
        _text("state"),
        _text("changed_by"),
        _time("changed_at", now=True),
        sa.PrimaryKeyConstraint("account", "month"),
        sa.CheckConstraint("state IN ('open', 'soft_closed', 'locked')", name="known_state"),
        sa.CheckConstraint("EXTRACT(day FROM month) = 1", name="first_of_month"),
    )


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), primary_key=True),
        _whole("account"),
        _text("entry_key"),
        _text("kind"),
        _text("reference"),
        _text("object_id", nullable=True),
        _big("amount_minor"),
        _text("currency"),
        _big("fee_minor"),
        _big("settled_minor", nullable=True),
        _text("settled_currency", nullable=True),
        _time("captured_at"),
        _text("told_by"),
        _time("booked_at", now=True),
        sa.UniqueConstraint("entry_key"),
    )
    op.create_index("payments_by_age", "payments", ["account", "booked_at", "id"])
    op.create_index("payments_by_reference", "payments", ["account", "reference"])
    op.create_table(
        "payment_outbox",
        _serial(),
        _text("account"),
        _text("key"),
        sa.Column("payment", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'waiting'::text")),
        _text("note", nullable=True),
        _time("put_at", now=True),
        _time("done_at", nullable=True),
        sa.UniqueConstraint("account", "key", name="payment_outbox_once"),
        sa.CheckConstraint("state IN ('waiting', 'booked', 'refused')", name="known_state"),
    )
    op.create_index(
        "payment_outbox_waiting",
        "payment_outbox",
        ["id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _openings() -> None:
    op.create_table(
        "openings",
        _serial(),
        _whole("account"),
        sa.Column("content", JSONB(), nullable=False),
        _text("content_hash"),
        _text("proposed_by"),
        _text("reason"),
        _time("proposed_at", now=True),
    )
    op.create_index("openings_of_account", "openings", ["account", "id"])
    op.create_table(
        "opening_decisions",
        sa.Column(
            "opening",
            sa.BigInteger(),
            sa.ForeignKey("openings.id"),
            primary_key=True,
            autoincrement=False,
        ),
        _text("content_hash"),
        _text("verdict"),
        _text("decided_by"),
        _text("reason"),
        _time("decided_at", now=True),
        sa.CheckConstraint("verdict IN ('approved', 'refused')", name="known_verdict"),
    )


_FUNCTIONS = (
    "journal_lines_must_balance",
    "journal_lines_move_balances",
    "journal_entries_must_fit",
    "journal_periods_must_follow",
    "opening_takes_two",
    "payment_outbox_has_news",
)

# What reads a transition table is planned each time: a plan that was made for a million rows would
# be kept for the next single one.
_RULES = (
    """
    CREATE FUNCTION journal_lines_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        wrong record;
    BEGIN
        EXECUTE '
            SELECT line.entry, book.currency, sum(line.amount_minor) AS rest
            FROM new_lines line LEFT JOIN journal_accounts book ON book.id = line.journal_account
            GROUP BY line.entry, book.currency
            HAVING sum(line.amount_minor) <> 0 OR book.currency IS NULL LIMIT 1
        ' INTO wrong;
        IF wrong.entry IS NOT NULL THEN
            RAISE EXCEPTION 'entry % does not sum to zero in %: % is left', wrong.entry,
                coalesce(wrong.currency, 'an account that is not there'), wrong.rest
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_sums_to_zero';
        END IF;
        EXECUTE '
            SELECT given.entry
            FROM (
                SELECT line.entry, count(*) AS lines, min(line.line) AS first,
                       max(line.line) AS last, min(book.account) AS one, max(book.account) AS other
                FROM new_lines line JOIN journal_accounts book ON book.id = line.journal_account
                GROUP BY line.entry
            ) given LEFT JOIN journal_entries entry ON entry.id = given.entry
            WHERE entry.id IS NULL OR (given.lines, given.first, given.last, given.one, given.other)
                IS DISTINCT FROM (entry.lines, 1, entry.lines, entry.account, entry.account)
            LIMIT 1
        ' INTO wrong;
        IF wrong.entry IS NOT NULL THEN
            RAISE EXCEPTION 'the lines of entry % are not all and only its own: they come once, '
                'in one statement', wrong.entry
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_comes_whole';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION journal_lines_move_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE '
            INSERT INTO journal_movements (journal_account, effective_on, amount_minor, lines)
            SELECT line.journal_account, entry.effective_on, sum(line.amount_minor), count(*)
            FROM new_lines line JOIN journal_entries entry ON entry.id = line.entry
            GROUP BY line.journal_account, entry.effective_on
        ';
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION journal_entries_must_fit() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        wrong record;
    BEGIN
        -- Whoever closes a period holds these alone: nobody books into it meanwhile.
        PERFORM pg_advisory_xact_lock_shared(74201611, account)
        FROM (SELECT DISTINCT account FROM new_entries) AS booked;
        EXECUTE '
            SELECT entry.period FROM new_entries entry JOIN journal_periods period
            ON period.account = entry.account AND period.month >= entry.period
            WHERE period.state <> ''open'' LIMIT 1
        ' INTO wrong;
        IF wrong.period IS NOT NULL THEN
            RAISE EXCEPTION 'the period % is closed: book into an open one', wrong.period
                USING ERRCODE = 'check_violation', CONSTRAINT = 'period_is_open';
        END IF;
        EXECUTE '
            SELECT entry.effective_on FROM new_entries entry
            JOIN reconciliation_accounts account ON account.id = entry.account
            WHERE entry.effective_on < account.opened_on AND entry.kind <> ''opening'' LIMIT 1
        ' INTO wrong;
        IF wrong.effective_on IS NOT NULL THEN
            RAISE EXCEPTION '% is before the account was opened: it began with that',
                wrong.effective_on USING ERRCODE = 'check_violation', CONSTRAINT = 'after_opening';
        END IF;
        EXECUTE '
            SELECT entry.id FROM new_entries entry WHERE NOT EXISTS (
                SELECT FROM journal_lines line WHERE line.entry = entry.id AND line.line = 1
            ) LIMIT 1
        ' INTO wrong;
        IF wrong.id IS NOT NULL THEN
            RAISE EXCEPTION 'entry % has no lines: they come with it, in one statement', wrong.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_comes_whole';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION journal_periods_must_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(74201611, NEW.account);
        IF TG_OP = 'UPDATE' THEN
            IF OLD.state = 'locked' OR (OLD.account, OLD.month) <> (NEW.account, NEW.month) THEN
                RAISE EXCEPTION 'the period % is locked for good', OLD.month
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'locked_is_final';
            END IF;
        END IF;
        IF NEW.state = 'open' AND EXISTS (
            SELECT FROM journal_periods later WHERE later.account = NEW.account
            AND later.month > NEW.month AND later.state <> 'open'
        ) THEN
            RAISE EXCEPTION 'a period later than % is closed: open that first', NEW.month
                USING ERRCODE = 'check_violation', CONSTRAINT = 'latest_opens_first';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION opening_takes_two() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        proposed record;
    BEGIN
        SELECT proposed_by, content_hash INTO proposed FROM openings WHERE id = NEW.opening;
        IF NEW.verdict = 'approved' AND proposed.proposed_by = NEW.decided_by THEN
            RAISE EXCEPTION 'nobody approves of what they proposed themselves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'takes_two';
        END IF;
        IF proposed.content_hash <> NEW.content_hash THEN
            RAISE EXCEPTION 'what was looked at is not what was proposed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'same_content';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION payment_outbox_has_news() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('payment_outbox', '');
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER journal_lines_balance AFTER INSERT ON journal_lines
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_lines_must_balance()
    """,
    """
    CREATE TRIGGER journal_lines_move AFTER INSERT ON journal_lines
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_lines_move_balances()
    """,
    """
    CREATE TRIGGER journal_entries_fit AFTER INSERT ON journal_entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION journal_entries_must_fit()
    """,
    """
    CREATE TRIGGER journal_periods_follow BEFORE INSERT OR UPDATE ON journal_periods
    FOR EACH ROW EXECUTE FUNCTION journal_periods_must_follow()
    """,
    """
    CREATE TRIGGER opening_takes_two BEFORE INSERT ON opening_decisions
    FOR EACH ROW EXECUTE FUNCTION opening_takes_two()
    """,
    """
    CREATE TRIGGER payment_outbox_news AFTER INSERT ON payment_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION payment_outbox_has_news()
    """,
)
