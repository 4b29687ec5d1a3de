"""Where the items of an account come from, and how far its sources have been read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.reconciliation.payouts import Payout

_KEEP_PAYOUTS = text("""
    INSERT INTO payouts (account, id, currency, amount_minor, made_at, arrival_on, automatic,
                         status, members_known, trace_id, transaction, failure_transaction,
                         original, reversed_by)
    VALUES (:account, :id, :currency, :amount_minor, :made_at, :arrival_on, :automatic,
            :status, :members_known, :trace_id, :transaction, :failure_transaction,
            :original, :reversed_by)
    ON CONFLICT (account, id) DO UPDATE
    SET status = excluded.status, members_known = excluded.members_known,
        trace_id = coalesce(excluded.trace_id, payouts.trace_id),
        arrival_on = excluded.arrival_on, transaction = excluded.transaction,
        failure_transaction = excluded.failure_transaction,
        reversed_by = excluded.reversed_by, told_at = clock_timestamp()
""")
_TO_ITEMISE = text("""
    SELECT id FROM payouts
    WHERE account = :account AND members_known
      AND (members IS NULL OR members_minor <> amount_minor)
    ORDER BY made_at, id
""")
_KEEP_MEMBERS = text("""
    INSERT INTO payout_members (account, source_id, payout)
    SELECT :account, source_id, :payout FROM unnest(CAST(:members AS text[])) AS source_id
    ON CONFLICT (account, source_id) DO UPDATE SET payout = excluded.payout
""")
_ITEMISED = text("""
    UPDATE payouts SET members = :members, members_minor = :members_minor
    WHERE account = :account AND id = :payout
""")
_WITHOUT_TRACE = text("""
    SELECT p.id FROM payouts p
    WHERE p.account = :account AND p.id = ANY(:told)
      AND NOT EXISTS (SELECT 1 FROM payout_traces t
                      WHERE t.account = p.account AND t.payout = p.id)
""")
_OLDEST_UNSETTLED = text("""
    SELECT min(made_at) FROM payouts
    WHERE account = :account AND made_at > :since
      AND (trace_id IS NULL OR status NOT IN ('paid', 'failed', 'canceled')
           OR (automatic AND NOT members_known))
""")
_BALANCES = text("""
    SELECT DISTINCT ON (currency) currency, amount_minor, source FROM told_balances
    WHERE account = :account AND at = :at ORDER BY currency, id DESC
""")
_LAST_SEAL = text("""
    SELECT max(CAST(substring(source FROM '^journal/([0-9]+)$') AS integer)) FROM intakes
    WHERE account = :account AND source LIKE 'journal/%'
""")
_FORGET_BAD_ROWS = text("DELETE FROM bad_rows WHERE account = :account AND before = :before")
_KEEP_BAD_ROW = text("""
    INSERT INTO bad_rows (account, before, source, line, field, reason)
    VALUES (:account, :before, :source, :line, :field, :reason)
    ON CONFLICT DO NOTHING
""")
_UNEQUAL = text("""
    SELECT id, currency, members_minor - amount_minor AS difference FROM payouts
    WHERE account = :account AND made_at < :before AND members_minor <> amount_minor ORDER BY id
""")
_BAD_SOURCES = text("""
    SELECT DISTINCT source FROM bad_rows
    WHERE account = :account AND before = :before ORDER BY source
""")
_TOLD = text("""
    SELECT count(*) FROM told_balances WHERE account = :account AND at = :at AND source = :source
""")
_TELL = text("""
    INSERT INTO told_balances (account, currency, at, amount_minor, source)
    VALUES (:account, :currency, :at, :amount_minor, :source)
    ON CONFLICT (account, currency, at, source) DO UPDATE
    SET amount_minor = excluded.amount_minor, told_at = clock_timestamp()
""")


async def keep_payouts(
    connection: AsyncConnection, account_id: int, payouts: Sequence[Payout]
) -> None:
    """Keep payouts as they are told now."""
    if payouts:
        await connection.execute(
            _KEEP_PAYOUTS, [{"account": account_id, **asdict(payout)} for payout in payouts]
        )


async def oldest_unsettled(
    connection: AsyncConnection, account_id: int, since: datetime
) -> datetime | None:
    """When the first payout after `since` was made of which there is more to be told."""
    found: datetime | None = await connection.scalar(
        _OLDEST_UNSETTLED, {"account": account_id, "since": since}
    )
    return found


async def without_trace(
    connection: AsyncConnection, account_id: int, told: Iterable[str]
) -> set[str]:
    """Those of these payouts of which no item has told the trace id yet."""
    found = await connection.execute(_WITHOUT_TRACE, {"account": account_id, "told": list(told)})
    return set(found.scalars())


async def to_itemise(connection: AsyncConnection, account_id: int) -> Sequence[str]:
    """Payouts to list what they paid out of, the oldest first.

    Of these it can be told by now, and was not yet, or what was told does not come to the payout.
    """
    return (await connection.execute(_TO_ITEMISE, {"account": account_id})).scalars().all()


async def keep_members(
    connection: AsyncConnection, account_id: int, payout: str, members: Sequence[str]
) -> None:
    """Keep which transactions a payout paid out: some of them, or all."""
    values = {"account": account_id, "payout": payout, "members": list(members)}
    await connection.execute(_KEEP_MEMBERS, values)


async def itemised(
    connection: AsyncConnection, account_id: int, payout: str, *, members: int, members_minor: int
) -> None:
    """Note that all members of a payout are known, and the sum of their nets."""
    values = {
        "account": account_id,
        "payout": payout,
        "members": members,
        "members_minor": members_minor,
    }
    await connection.execute(_ITEMISED, values)


async def tell_balances(
    connection: AsyncConnection,
    account_id: int,
    at: datetime,
    balances: Mapping[str, int],
    *,
    source: str,
) -> None:
    """Keep the processor's balances as of a time, told by something else than its movements."""
    rows: list[dict[str, Any]] = [
        {
            "account": account_id,
            "currency": currency,
            "at": at,
            "amount_minor": amount,
            "source": source,
        }
        for currency, amount in sorted(balances.items())
    ]
    if rows:
        await connection.execute(_TELL, rows)


async def is_told(
    connection: AsyncConnection, account_id: int, at: datetime, *, source: str
) -> bool:
    """Whether this source told the balances as of a time before."""
    told = {"account": account_id, "at": at, "source": source}
    return bool(await connection.scalar(_TOLD, told))


async def balances(
    connection: AsyncConnection, account_id: int, at: datetime
) -> Mapping[str, tuple[int, str]]:
    """The processor's balances as of a time, and who told, by currency."""
    rows = (await connection.execute(_BALANCES, {"account": account_id, "at": at})).all()
    return {row.currency: (row.amount_minor, row.source) for row in rows}


async def last_seal(connection: AsyncConnection, account_id: int) -> int | None:
    """The number of the last seal up to which the journal's lines were taken in."""
    found: int | None = await connection.scalar(_LAST_SEAL, {"account": account_id})
    return found


async def forget_bad_rows(connection: AsyncConnection, account_id: int, before: datetime) -> None:
    """Forget the rows that could not be read when this was gathered: it is gathered again."""
    await connection.execute(_FORGET_BAD_ROWS, {"account": account_id, "before": before})


async def keep_bad_rows(
    connection: AsyncConnection,
    account_id: int,
    before: datetime,
    rows: Sequence[tuple[str, int, str | None, str]],
) -> None:
    """Keep rows that cannot be read: source, line, field, reason."""
    if rows:
        kept = [
            {
                "account": account_id,
                "before": before,
                "source": source,
                "line": line,
                "field": field,
                "reason": reason,
            }
            for source, line, field, reason in rows
        ]
        await connection.execute(_KEEP_BAD_ROW, kept)


async def unequal_payouts(
    connection: AsyncConnection, account_id: int, before: datetime
) -> Sequence[RowMapping]:
    """Payouts that are not what their transactions come to: id, currency, difference."""
    told = {"account": account_id, "before": before}
    return (await connection.execute(_UNEQUAL, told)).mappings().all()


async def bad_sources(
    connection: AsyncConnection, account_id: int, before: datetime
) -> Sequence[str]:
    """Where the rows came from that could not be read when this was gathered."""
    told = {"account": account_id, "before": before}
    return (await connection.execute(_BAD_SOURCES, told)).scalars().all()
