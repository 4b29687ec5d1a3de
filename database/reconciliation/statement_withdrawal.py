"""Taking a statement back that a person found to be wrong: it is evidence of nothing any more.

Its entries get a version of zero, which enters the next cut as any later word of a source does:
what they were matched with is open again, and what was certified stays. What contradicted it counts
in its place, once its file is read again, and so do entries that another statement tells, too.

A withdrawal that was a mistake is taken back by somebody else, who sent none of its days: what
comes of the statement then is decided anew.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import audit
from database.reconciliation import accounts, items
from database.reconciliation.codes import BOOKS
from database.reconciliation.item import NewItem
from database.reconciliation.statements import (
    NAMED,
    RANGES,
    SAME_DAYS,
    THEIRS,
    OwnWithdrawal,
    one_at_a_time,
    whose,
)

_OF_FILE = text("SELECT * FROM statements WHERE file = :file AND id = :number")
_HOLD = text("SELECT * FROM statements WHERE id = :number FOR UPDATE")
# Whatever became of it by now: it may come to count. Another copy is the same statement.
_OWN = text(f"""
    SELECT EXISTS (
        SELECT FROM statements s JOIN source_files f ON f.id = s.file
        WHERE f.received_by = :by AND s.id <> :id AND s.state <> 'interim'
          AND (s.format, s.statement_id, coalesce(s.sequence, 0), s.content)
              <> (:format, :statement_id, coalesce(CAST(:sequence AS bigint), 0), :content)
          AND (s.same_as = :id OR s.id = :same_as OR {SAME_DAYS}))
""")
_WITHDRAW = text("""
    UPDATE statements SET state = 'withdrawn', withdrawn_by = :by, withdrawn_for = :reason,
                          withdrawn_at = clock_timestamp()
    WHERE id = :number
""")
# Another format is of another name: withdrawn it was not.
_IN_ITS_PLACE = text("""
    UPDATE statements SET state = :state, same_as = NULL
    WHERE id = (SELECT id FROM statements
                WHERE same_as = :number
                  AND (state = 'contradicted' OR (state = 'again' AND format <> :format))
                ORDER BY state <> 'contradicted', proof <> 'proven', id LIMIT 1)
    RETURNING id, content
""")
_OTHERS = text("""
    UPDATE statements
    SET same_as = :by, state = CASE content WHEN :content THEN 'again' ELSE 'contradicted' END
    WHERE same_as = :number AND state = 'contradicted'
""")
# An entry happened when its statement closed, or on its booking day where no balance did.
_ENTRIES = text("""
    SELECT DISTINCT ON (source_id) source_id, component, kind, currency, amount_minor, occurred_at,
           effective_on, reference, descriptor
    FROM items
    WHERE account = :account AND book = :bank AND currency = :currency
      AND starts_with(source_id, :of) AND substr(source_id, length(:of) + 1) ~ '^[0-9]{8}/'
      AND occurred_at BETWEEN :first AND :last
    ORDER BY source_id, version DESC
""")
_READ_AGAIN = text("""
    UPDATE source_files SET state = 'received'
    WHERE state = 'read' AND id IN (
        SELECT file FROM statements
        WHERE account = :account AND bank_account = :bank_account AND currency = :currency
          AND state = 'counts' AND least(opening_on, closing_on) <= :last AND closing_on >= :first)
""")
# By whatever file it came, it is one statement.
_ALIKE = f"""
    {THEIRS} AND {NAMED} AND content = :content AND state = 'withdrawn'
"""
_WITHDRAWN_BY = text(f"SELECT withdrawn_by FROM statements WHERE {_ALIKE}")
# Itself too, which no closing balance may place.
_SENT = text(f"""
    SELECT EXISTS (
        SELECT FROM statements s JOIN source_files f ON f.id = s.file
        WHERE f.received_by = :by AND s.state <> 'interim'
          AND (s.id IN (SELECT id FROM statements WHERE {_ALIKE}) OR {SAME_DAYS}))
""")
_WAITING = text(f"""
    SELECT id FROM statements WHERE {THEIRS} AND {NAMED} AND state = 'unknown_account' LIMIT 1
""")
_REINSTATE = text(f"""
    UPDATE statements
    SET state = CASE WHEN id = :id THEN :becomes ELSE 'again' END,
        same_as = CASE WHEN id = :id THEN CAST(:beside AS bigint) ELSE :id END,
        withdrawn_by = NULL, withdrawn_at = NULL, withdrawn_for = NULL
    WHERE {_ALIKE}
""")
_READ_IT_AGAIN = text("""
    UPDATE source_files SET state = 'received' WHERE id = :file AND state = 'read'
""")


class NoStatement(LookupError):
    """The file has no such statement."""


class CountsForNothing(ValueError):
    """The statement is no evidence as it is: its state says why."""


class OwnStatement(ValueError):
    """Who would withdraw or reinstate it sent one that tells its days: it takes somebody else."""


async def withdraw(
    connection: AsyncConnection, file: str, number: int, *, by: str, reason: str
) -> None:
    """Withdraw a statement of a file. A second time changes nothing.

    Raises NoStatement, CountsForNothing where it is the same as another or gave way to one, and
    OwnStatement.
    """
    asked = {"file": file, "number": number}
    held = await _hold(connection, asked)
    if held["state"] == "withdrawn":
        return
    if held["state"] not in ("counts", "contradicted", "unknown_account"):
        raise CountsForNothing(f"statement {number} is {held['state']}")
    if await connection.scalar(_OWN, {**held, "by": by}):
        raise OwnStatement(f"{by} sent another statement of the days of {number}")
    await connection.execute(_WITHDRAW, {**asked, "by": by, "reason": reason})
    if held["state"] != "contradicted":
        await _put_another_in_its_place(connection, held)
    if held["state"] == "counts" and held["closing_on"] is not None:
        days = _days(held)
        if held["entries"]:
            await _take_entries_back(connection, held, days)
        await connection.execute(_READ_AGAIN, dict(held) | {"first": days[0], "last": days[1]})
    await audit.record(connection, "statement.withdrawn", by, details=asked)


async def reinstate(
    connection: AsyncConnection, file: str, number: int, *, by: str, reason: str
) -> None:
    """Take the withdrawal of a statement back; one that is not withdrawn is left as it is.

    What it counts for is decided once its file is read again, as if it came for the first time.
    Raises NoStatement, OwnWithdrawal, and OwnStatement where it or another of its days is theirs.
    """
    asked = {"file": file, "number": number}
    held = await _hold(connection, asked)
    if held["state"] != "withdrawn":
        return
    alike = {**held, **await whose(connection, dict(held))}
    if by in (await connection.scalars(_WITHDRAWN_BY, alike)).all():
        raise OwnWithdrawal(f"{by} withdrew statement {number}")
    if await connection.scalar(_SENT, alike | {"by": by}):
        raise OwnStatement(f"{by} sent a statement of the days of {number}")
    waiting = await connection.scalar(_WAITING, alike)
    becomes = "unknown_account" if waiting is None else "contradicted"
    await connection.execute(_REINSTATE, alike | {"becomes": becomes, "beside": waiting})
    await connection.execute(_READ_IT_AGAIN, asked)
    told = {name: held[name] for name in ("withdrawn_by", "withdrawn_for")}
    details = {**asked, **told, "reason": reason}
    await audit.record(connection, "statement.reinstated", by, details=details)


async def _hold(connection: AsyncConnection, asked: Mapping[str, object]) -> RowMapping:
    """A statement of a file, and all of its bank account to oneself. Raises NoStatement."""
    found = (await connection.execute(_OF_FILE, asked)).mappings().first()
    if found is None:
        raise NoStatement(f"{asked['file']} has no statement {asked['number']}")
    await one_at_a_time(connection, found["bank_account"])
    return (await connection.execute(_HOLD, asked)).mappings().one()


async def _put_another_in_its_place(connection: AsyncConnection, held: RowMapping) -> None:
    of = {"number": held["id"], "state": held["state"], "format": held["format"]}
    other = (await connection.execute(_IN_ITS_PLACE, of)).mappings().first()
    if other is not None:
        await connection.execute(_OTHERS, {**of, "by": other["id"], "content": other["content"]})


def _days(held: RowMapping) -> tuple[date, date]:
    """The first and the last day on which a statement's entries may have happened."""
    closed: date = held["closing_on"]
    return min(held["opening_on"] or closed, closed), closed


async def _take_entries_back(
    connection: AsyncConnection, held: RowMapping, days: tuple[date, date]
) -> None:
    zone = (await accounts.of_id(connection, held["account"])).zone
    of = held["bank_account"]  # the entries of ranges are of no statement
    of += "" if held["format"] in RANGES else f"/{held['statement_id']}"
    asked = {
        "account": held["account"],
        "bank": BOOKS["bank"],
        "currency": held["currency"],
        "of": f"{of}/",
        "first": _began(days[0], zone),
        "last": _began(days[1], zone),
    }
    told = (await connection.execute(_ENTRIES, asked)).mappings().all()
    nothing = [NewItem("bank", **{**one, "amount_minor": 0}) for one in told if one["amount_minor"]]
    source = f"withdrawal of statement {held['id']}"
    await items.take_in(connection, held["account"], nothing, source=source)


def _began(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
