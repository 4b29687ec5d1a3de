"""Runs: given out one at a time for each account, and kept with how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import accounts
from database.reconciliation.accounts import Account
from workflows.reconciliation.books import Status
from workflows.reconciliation.messages import (
    END_OF,
    ENDS,
    Days,
    OpenedNight,
    OpenNight,
    Run,
    Stage,
)

# Not the account itself: who compares or tries out has that for as long as it takes.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(74201612, CAST(:account AS int))")
_UNDER_WAY = text("""
    SELECT business_date, ordinal, stage, workflow_id FROM runs
    WHERE account = :account AND ended_at IS NULL
""")
_OPEN = text("""
    INSERT INTO runs (account, business_date, ordinal, previous, workflow_id)
    SELECT :account, :day, next.ordinal,
           (SELECT id FROM runs WHERE account = :account AND status IS NOT NULL
            ORDER BY id DESC LIMIT 1),
           format('reconciliation/%s/%s/%s', CAST(:name AS text), CAST(:day AS date), next.ordinal)
    FROM (SELECT COALESCE(max(ordinal), 0) + 1 AS ordinal FROM runs
          WHERE account = :account AND business_date = :day) next
    RETURNING ordinal
""")
_STAGE = text("""
    UPDATE runs
    SET stage = :stage, stage_since = clock_timestamp(),
        status = COALESCE(CAST(:status AS text), status),
        ended_at = CASE WHEN :ends THEN clock_timestamp() END
    WHERE workflow_id = :workflow_id AND ended_at IS NULL
""")
_ID = text("SELECT id, account FROM runs WHERE workflow_id = :workflow_id")
_CERTIFICATE_OF = text("""
    SELECT c.id FROM runs r JOIN certificates c ON c.run = coalesce(r.same_as, r.id)
    WHERE r.id = :run
""")
_STATUS_OF = text("SELECT status FROM certificates WHERE id = :id")
_CANDIDATES = text(f"""
    SELECT id, name, tenant, time_zone, opened_on, processor, journal, posts
    FROM reconciliation_accounts a
    WHERE (CAST(:after AS text) IS NULL OR name > :after) AND {accounts.LIVE}
    ORDER BY name LIMIT :limit
""")
# Over before it began, of an ordinal that no run gets to: it is in nobody's way, and its
# transaction is taken back.
_OPEN_SHADOW = text("""
    INSERT INTO runs (account, business_date, ordinal, previous, ended_at)
    SELECT :account, :day, 2147483647,
           (SELECT id FROM runs WHERE account = :account AND status IS NOT NULL
            ORDER BY id DESC LIMIT 1),
           clock_timestamp()
    RETURNING id
""")
_LAST_CERTIFIED = text("SELECT max(business_date) FROM certificates WHERE account = :account")
_MANY = text("""
    SELECT r.id, a.name AS account, a.tenant, r.business_date, r.ordinal, r.workflow_id, r.stage,
           r.stage_since, r.status, r.begun_at, r.ended_at, c.id AS certificate_id
    FROM runs r
    JOIN reconciliation_accounts a ON a.id = r.account
    LEFT JOIN certificates c ON c.run = coalesce(r.same_as, r.id)
    WHERE (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
      AND (CAST(:account AS text) IS NULL OR a.name = :account)
      AND (CAST(:stages AS text[]) IS NULL OR r.stage = ANY(:stages))
      AND (CAST(:first AS date) IS NULL OR r.business_date >= :first)
      AND (CAST(:last AS date) IS NULL OR r.business_date <= :last)
      AND (CAST(:workflow_id AS text) IS NULL OR r.workflow_id = :workflow_id)
      AND (CAST(:after AS bigint) IS NULL OR r.id < :after)
    ORDER BY r.id DESC LIMIT :limit
""")


@dataclass(frozen=True)
class Busy:
    """Another run of the account is open: `workflow_id` is its process."""

    workflow_id: str


class NotLive(ValueError):
    """Nobody approved yet of what the account begins with."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"{account} has no approved opening: propose one with `perdure accounts open {account}`"
        )


async def open_run(connection: AsyncConnection, account: Account, day: date) -> Run | Busy:
    """Give out the next run of an account for a day.

    A run of that day that was given out and never taken up is given out again: whoever asked for
    it may have gone before it began. It waits for nobody who has the account's books in hand: the
    run itself does. Raises NotLive.
    """
    await connection.execute(_ONE_AT_A_TIME, {"account": account.id})
    await must_be_live(connection, account)
    match await _under_way(connection, account):
        case Run() as run:
            return run if run.day == day else Busy(run.workflow_id)
        case Busy() as busy:
            return busy
    values = {"account": account.id, "name": account.name, "day": day}
    ordinal = (await connection.execute(_OPEN, values)).scalar_one()
    return Run(account=account.name, day=day, ordinal=ordinal)


async def must_be_live(connection: AsyncConnection, account: Account) -> None:
    """Raises NotLive where the account's opening is not approved yet."""
    if not await accounts.is_live(connection, account.id):
        raise NotLive(account.name)


async def open_shadow(connection: AsyncConnection, account: int, day: date) -> int:
    """A run for a transaction that is taken back; its number."""
    found = await connection.execute(_OPEN_SHADOW, {"account": account, "day": day})
    return int(found.scalar_one())


async def open_night(connection: AsyncConnection, night: OpenNight) -> OpenedNight:
    """Open what is due of a page of accounts at a time.

    That is the day which was over then, and those before it that were never certified. A run that
    was given out and never began, as where Temporal was down, is given out again: the days that are
    due follow the night after. Accounts that wait for their opening are passed over.
    """
    values = {"after": night.after, "limit": night.limit + 1}
    found = (await connection.execute(_CANDIDATES, values)).mappings().all()
    page = [accounts.account_of(row) for row in found[: night.limit]]
    runs: list[Run] = []
    ranges: list[Days] = []
    busy = 0
    for account in page:
        match await _due(connection, account, night.at):
            case Run() as run:
                runs.append(run)
            case Days() as days:
                ranges.append(days)
            case Busy():
                busy += 1
    return OpenedNight(
        runs=tuple(runs),
        ranges=tuple(ranges),
        busy=busy,
        next=page[-1].name if len(found) > night.limit else None,
    )


async def _due(
    connection: AsyncConnection, account: Account, at: datetime
) -> Run | Days | Busy | None:
    under_way = await _under_way(connection, account)
    if isinstance(under_way, Run):
        return under_way
    first, last = await _first_due(connection, account), account.day_over_at(at)
    if first > last:
        return None
    if first < last:
        return under_way or Days(account=account.name, first=first, last=last)
    return await open_run(connection, account, last)


async def _under_way(connection: AsyncConnection, account: Account) -> Run | Busy | None:
    """The open run of an account: to be given out again while it has not begun."""
    row = (await connection.execute(_UNDER_WAY, {"account": account.id})).mappings().first()
    if row is None:
        return None
    if row["stage"] != "received":
        return Busy(row["workflow_id"])
    return Run(account=account.name, day=row["business_date"], ordinal=row["ordinal"])


async def last_certified(connection: AsyncConnection, account: int) -> date | None:
    """The latest day of an account that has a certificate."""
    found: date | None = await connection.scalar(_LAST_CERTIFIED, {"account": account})
    return found


async def _first_due(connection: AsyncConnection, account: Account) -> date:
    certified = await last_certified(connection, account.id)
    after = certified + timedelta(days=1) if certified else account.opened_on
    return max(after, account.opened_on)


async def record_stage(connection: AsyncConnection, run: Run, stage: Stage) -> None:
    """Keep the stage of a run; at its end also how it came out, and that it is over."""
    statuses = {end: status for status, end in END_OF.items()}
    values = {
        "workflow_id": run.workflow_id,
        "stage": stage,
        "status": statuses.get(stage),
        "ends": stage in ENDS,
    }
    await connection.execute(_STAGE, values)


async def id_of(connection: AsyncConnection, run: Run) -> int:
    """The number of a run, by which tables know it. Raises LookupError where it was not opened."""
    found = await connection.scalar(_ID, {"workflow_id": run.workflow_id})
    if found is None:
        raise LookupError(f"{run.workflow_id} was never opened")
    return int(found)


async def certificate_of(connection: AsyncConnection, number: int) -> str:
    """The certificate of a run: its own, or where nothing had changed that of the run before.

    Raises LookupError where it has none.
    """
    found: str | None = await connection.scalar(_CERTIFICATE_OF, {"run": number})
    if found is None:
        raise LookupError(f"run {number} was not certified")
    return found


async def status_of(connection: AsyncConnection, certificate: str | None) -> Status | None:
    """How the run of a certificate came out."""
    found: Status | None = await connection.scalar(_STATUS_OF, {"id": certificate})
    return found


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    account: str | None = None,
    stages: list[str] | None = None,
    first: date | None = None,
    last: date | None = None,
    workflow_id: str | None = None,
    after: int | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Runs, the newest first, of business dates from `first` to `last`."""
    values = {
        "tenant": tenant,
        "account": account,
        "stages": stages,
        "first": first,
        "last": last,
        "workflow_id": workflow_id,
        "after": after,
        "limit": limit,
    }
    return (await connection.execute(_MANY, values)).mappings().all()
