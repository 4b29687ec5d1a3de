"""Taking matches apart: by a person, with a reason, or because later data says otherwise."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record

_NOTE = text("CREATE TEMP TABLE IF NOT EXISTS parted (number bigint PRIMARY KEY) ON COMMIT DROP")
_HISTORY = text("""
    INSERT INTO match_history (match, account, leg, rule, disposition, difference_minor, items, run,
                               until_run, unmatched_by, reason, kept)
    SELECT m.id, m.account, m.leg, m.rule, m.disposition, m.difference_minor,
           array_agg(mi.item ORDER BY mi.item), m.run, :until_run, :by, :reason, :kept
    FROM parted p JOIN matches m USING (number) JOIN match_items mi ON mi.match = m.number
    GROUP BY m.number
    ORDER BY m.number
""")
_GONE = (
    text("DELETE FROM match_items mi USING parted p WHERE mi.match = p.number"),
    text("DELETE FROM matches m USING parted p WHERE m.number = p.number"),
    text("TRUNCATE parted"),
)
_OPEN_AGAIN = text("""
    INSERT INTO open_items (leg, item, account, opened_in, book, currency, amount_minor,
                            effective_on, disposition)
    SELECT m.leg, i.id, i.account, :opened_in, i.book, i.currency, i.amount_minor, i.effective_on, 5
    FROM parted p JOIN matches m USING (number) JOIN match_items mi ON mi.match = m.number
    JOIN items i ON i.id = mi.item
    ON CONFLICT DO NOTHING
""")
_LOCK = text("SELECT 1 FROM reconciliation_accounts WHERE id = :account FOR NO KEY UPDATE")
_LATEST = text(
    "SELECT coalesce(max(id), 0) FROM runs WHERE account = :account AND matched_at IS NOT NULL"
)
_FIND = text("""
    INSERT INTO parted SELECT number FROM matches WHERE id = :match AND account = :account
""")


_SAID = text("""
    SELECT a.name FROM match_history h JOIN reconciliation_accounts a ON a.id = h.account
    WHERE h.match = :match AND h.kept AND h.unmatched_by = :by AND h.reason = :reason
      AND (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
    LIMIT 1
""")


class NoMatch(LookupError):
    """There is no match of this id, or none any more."""


async def note_parted(connection: AsyncConnection) -> None:
    """Make the table of what is to be taken apart; `take_apart` empties it."""
    await connection.execute(_NOTE)


async def take_apart(
    connection: AsyncConnection, *, until_run: int, by: str, reason: str, kept: bool = False
) -> None:
    """Move the matches in `parted` into the history: they stood until the run `until_run`.

    `kept` keeps later runs from putting the same items together again.
    """
    told = {"until_run": until_run, "by": by, "reason": reason, "kept": kept}
    await connection.execute(_HISTORY, told)
    for gone in _GONE:
        await connection.execute(gone)


async def open_parted(connection: AsyncConnection, *, opened_in: int) -> None:
    """Open the items of the matches in `parted` again, before they are taken apart."""
    await connection.execute(_OPEN_AGAIN, {"opened_in": opened_in})


async def unmatch(
    connection: AsyncConnection, account: int, match: UUID, *, by: str, reason: str
) -> None:
    """Take a match apart because somebody says so, with a line of audit.

    Its items are open again from the next run on, and no run puts them together again. The runs
    before keep what they proved. Waits for a run of the account that is matching. Raises NoMatch,
    and ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("a match is taken apart for a reason")
    await connection.execute(_LOCK, {"account": account})
    await note_parted(connection)
    found = await connection.execute(_FIND, {"match": match, "account": account})
    if found.rowcount == 0:
        raise NoMatch(f"there is no match {match}")
    latest = int(await connection.scalar(_LATEST, {"account": account}) or 0)
    await open_parted(connection, opened_in=latest + 1)
    await take_apart(connection, until_run=latest, by=by, reason=reason, kept=True)
    details = {"match": str(match), "account": account, "reason": reason}
    await record(connection, "reconciliation.unmatched", by, details=details)


async def taken_apart_before(
    connection: AsyncConnection, match: UUID, *, tenant: str | None, by: str, reason: str
) -> str | None:
    """The account of a match that this person took apart for this reason; None where none did."""
    said = {"match": match, "tenant": tenant, "by": by, "reason": reason}
    account: str | None = await connection.scalar(_SAID, said)
    return account
