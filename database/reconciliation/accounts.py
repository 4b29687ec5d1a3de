"""The accounts that are reconciled, and the bank accounts that they pay out to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import audit
from workflows.reconciliation.books import Rhythm
from workflows.reconciliation.inputs import BankDays

LIVE = """
    (a.journal <> 'ours' OR EXISTS (
        SELECT FROM openings o JOIN opening_decisions d ON d.opening = o.id
        WHERE o.account = a.id AND d.verdict = 'approved'))
"""
"""Whether two people agreed on what an account `a` begins with, where its journal is ours.

Before that nothing may come in: it would be there before the day on which the account begins.
"""

_IS_LIVE = text(f"SELECT {LIVE} FROM reconciliation_accounts a WHERE a.id = :account")
_ACCOUNT = text("""
    SELECT id, name, tenant, time_zone, opened_on, processor, journal, posts
    FROM reconciliation_accounts WHERE name = :name
""")
# Whoever takes something in holds the account until it is committed: it is in, or comes later.
_HOLD = text("""
    SELECT id, name, tenant, time_zone, opened_on, processor, journal, posts
    FROM reconciliation_accounts WHERE name = :name FOR NO KEY UPDATE
""")
_BY_ID = text("""
    SELECT id, name, tenant, time_zone, opened_on, processor, journal, posts
    FROM reconciliation_accounts WHERE id = :id
""")
_BANK_ACCOUNTS = text("""
    SELECT identification, currency, calendar, statements FROM reconciliation_bank_accounts
    WHERE account = :account ORDER BY identification, currency
""")
_BANK_DAYS = text("""
    SELECT currency, array_agg(DISTINCT calendar ORDER BY calendar) AS calendars
    FROM reconciliation_bank_accounts WHERE account = :account GROUP BY currency ORDER BY currency
""")
_MAKE = text("""
    INSERT INTO reconciliation_accounts (name, tenant, time_zone, opened_on, processor, journal,
                                         posts)
    VALUES (:name, :tenant, :time_zone, :opened_on, :processor, :journal, :posts)
    RETURNING id
""")
# An installation has one account at the processor, and whoever reads it reads all of it.
_ONE_READER_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7420163)")
_READ_BY_ANOTHER = text("""
    SELECT EXISTS (
        SELECT FROM reconciliation_accounts
        WHERE processor IN ('listing', 'reports') AND (tenant <> :tenant OR NOT :rehearses))
""")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:identification, 7420162))")
_AS_IT_WAS = text("""
    SELECT calendar, statements FROM reconciliation_bank_accounts
    WHERE account = :account AND identification = :identification AND currency = :currency
""")
# A statement is of one account: at a bank account of two it would be of neither.
_ADD_BANK_ACCOUNT = text("""
    INSERT INTO reconciliation_bank_accounts (account, identification, currency, calendar,
                                              statements)
    SELECT mine.id, :identification, :currency, :calendar,
           coalesce(CAST(:statements AS text), 'daily')
    FROM reconciliation_accounts mine
    WHERE mine.id = :account AND NOT EXISTS (
        SELECT FROM reconciliation_bank_accounts
        WHERE identification = :identification AND currency = :currency AND account <> mine.id)
    ON CONFLICT (account, identification, currency) DO UPDATE
    SET calendar = EXCLUDED.calendar,
        statements = coalesce(CAST(:statements AS text), reconciliation_bank_accounts.statements)
    RETURNING calendar, statements
""")
_MANY = text("""
    SELECT a.id, a.name, a.tenant, a.time_zone, a.opened_on, a.processor, a.journal, a.posts,
           latest.business_date AS reconciled_on, latest.status, latest.workflow_id,
           (SELECT count(*) FROM breaks b
            WHERE b.account = a.id AND b.closed_on IS NULL) AS open_breaks,
           COALESCE((SELECT jsonb_agg(jsonb_build_object(
                'identification', identification, 'currency', currency, 'calendar', calendar,
                'statements', statements)
                ORDER BY identification, currency)
              FROM reconciliation_bank_accounts WHERE account = a.id), '[]') AS bank_accounts
    FROM reconciliation_accounts a
    LEFT JOIN LATERAL (
        SELECT business_date, status, workflow_id FROM runs
        WHERE account = a.id AND status IS NOT NULL
        ORDER BY business_date DESC, ordinal DESC LIMIT 1
    ) latest ON true
    WHERE (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
      AND (CAST(:name AS text) IS NULL OR a.name = :name)
      AND (CAST(:after AS text) IS NULL OR a.name > :after)
    ORDER BY a.name LIMIT :limit
""")


class NoAccount(LookupError):
    """There is no reconciliation account of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no reconciliation account {name}")


class BankAccountTaken(ValueError):
    """A bank account is of another account, whatever tenant's that is."""

    def __init__(self, identification: str, currency: str) -> None:
        super().__init__(f"the bank account {identification} in {currency} is another account's")


class ProcessorTaken(ValueError):
    """Another account is compared with the installation's account at the processor."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account at the processor, with its bank accounts and our journal's lines about it."""

    id: int
    name: str
    tenant: str
    time_zone: str
    opened_on: date
    processor: str
    journal: str
    posts: tuple[str, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Where its business dates begin and end."""
        return ZoneInfo(self.time_zone)

    @property
    def opening(self) -> datetime:
        """When its first business date began."""
        return self.end_of(self.opened_on - timedelta(days=1))

    def end_of(self, day: date) -> datetime:
        """When a business date is over."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)

    def day_over_at(self, at: datetime) -> date:
        """The last business date that was over at a time."""
        return date.fromordinal(at.astimezone(self.zone).date().toordinal() - 1)


async def of_name(connection: AsyncConnection, name: str) -> Account:
    """The account of a name. Raises NoAccount."""
    row = (await connection.execute(_ACCOUNT, {"name": name})).mappings().first()
    if row is None:
        raise NoAccount(name)
    return account_of(row)


async def held(connection: AsyncConnection, name: str) -> Account:
    """The account of a name, alone with it until the transaction ends. Raises NoAccount.

    What is read from then on has an intake as a whole, or nothing of it.
    """
    row = (await connection.execute(_HOLD, {"name": name})).mappings().first()
    if row is None:
        raise NoAccount(name)
    return account_of(row)


async def of_id(connection: AsyncConnection, id_: int) -> Account:
    """An account that is known to be there."""
    return account_of((await connection.execute(_BY_ID, {"id": id_})).mappings().one())


async def is_live(connection: AsyncConnection, account: int) -> bool:
    """Whether an account may be reconciled: see `LIVE`."""
    return bool(await connection.scalar(_IS_LIVE, {"account": account}))


async def make(connection: AsyncConnection, account: Account, *, rehearses: bool = False) -> int:
    """Make an account; answers its id, whatever `account` says of it. Raises ProcessorTaken.

    In a rehearsal a tenant may have several that are compared with the processor's simulator.
    """
    if account.processor != "files":
        await connection.execute(_ONE_READER_AT_A_TIME)
        asked = {"tenant": account.tenant, "rehearses": rehearses}
        if await connection.scalar(_READ_BY_ANOTHER, asked):
            raise ProcessorTaken(f"{account.name} would show another account's transactions")
    values = {
        "name": account.name,
        "tenant": account.tenant,
        "time_zone": account.time_zone,
        "opened_on": account.opened_on,
        "processor": account.processor,
        "journal": account.journal,
        "posts": list(account.posts),
    }
    made: int = (await connection.execute(_MAKE, values)).scalar_one()
    return made


async def add_bank_account(
    connection: AsyncConnection,
    account: int,
    identification: str,
    currency: str,
    calendar: str,
    statements: Rhythm | None = None,
    *,
    by: str = "perdure",
) -> None:
    """Have an account paid out to a bank account, or by another calendar or rhythm from now on.

    `statements` stays as it is where it is not said; `daily` of a new one. Raises BankAccountTaken.
    """
    values = {
        "account": account,
        "identification": identification,
        "currency": currency,
        "calendar": calendar,
        "statements": statements,
    }
    await connection.execute(_ONE_AT_A_TIME, values)
    was = (await connection.execute(_AS_IT_WAS, values)).mappings().first()
    now = (await connection.execute(_ADD_BANK_ACCOUNT, values)).mappings().first()
    if now is None:
        raise BankAccountTaken(identification, currency)
    if was is not None and dict(was) != dict(now):
        of = {name: values[name] for name in ("account", "identification", "currency")}
        details = {**of, "was": dict(was), "now": dict(now)}
        await audit.record(connection, "bank_account.changed", by, details=details)


async def bank_days(connection: AsyncConnection, account: int) -> tuple[BankDays, ...]:
    """By which calendars the account's banks work, by currency."""
    found = (await connection.execute(_BANK_DAYS, {"account": account})).mappings()
    return tuple(BankDays(currency=row["currency"], calendars=row["calendars"]) for row in found)


async def bank_accounts(connection: AsyncConnection, account: int) -> Sequence[RowMapping]:
    """Identification, currency, calendar and rhythm of statements of each bank account."""
    return (await connection.execute(_BANK_ACCOUNTS, {"account": account})).mappings().all()


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    name: str | None = None,
    after: str | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Accounts by their names, with the latest day that was reconciled and how it came out."""
    values = {"tenant": tenant, "name": name, "after": after, "limit": limit}
    return (await connection.execute(_MANY, values)).mappings().all()


def account_of(row: RowMapping) -> Account:
    """An account, of its row."""
    return Account(
        row["id"],
        row["name"],
        row["tenant"],
        row["time_zone"],
        row["opened_on"],
        row["processor"],
        row["journal"],
        tuple(row["posts"]),
    )
