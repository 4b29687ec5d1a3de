"""The statements of an account in their order, and what is missing or contradicts between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.statements import RANGES

_CONTRADICTED = text("""
    SELECT s.bank_account, s.currency, s.statement_id, file.sha256, other.sha256 AS other_sha256
    FROM statements s JOIN source_files file ON file.id = s.file
    JOIN statements o ON o.id = s.same_as JOIN source_files other ON other.id = o.file
    WHERE s.account = :account AND s.state = 'contradicted'
      AND (s.closing_on IS NULL OR s.closing_on <= :until)
    ORDER BY s.bank_account, s.currency, s.statement_id, file.sha256
""")
# A range of days that lies within another one tells nothing of what is before either.
# The bank counted what was withdrawn, too, before its account was known or since: its number is not
# missing where another tells its days.
_OF_ACCOUNT = text(f"""
    SELECT told.*, counted_before + (
               SELECT count(DISTINCT w.sequence) FROM statements w
               WHERE w.state = 'withdrawn' AND (w.tenant IS NULL OR w.tenant = told.tenant)
                 AND (w.bank_account, w.currency) = (told.bank_account, told.currency)
                 AND w.opening_on >= told.opening_on AND w.closing_on <= told.closing_on
                 AND w.sequence > counted_before AND w.sequence < told.sequence
           ) AS sequence_before
    FROM (
        SELECT counting.*,
               lag(closing_minor) OVER one AS closed_before_minor,
               lag(sequence) OVER one AS counted_before,
               lag(format) OVER one AS format_before,
               lag(statement_id) OVER one AS statement_id_before,
               lag(closing_on) OVER one AS closed_before_on
        FROM (
            SELECT *, format IN {RANGES} AND coalesce(opening_on >= min(opening_on)
                          FILTER (WHERE format IN {RANGES} AND closing_on IS NOT NULL) OVER (
                              PARTITION BY bank_account, currency
                              ORDER BY closing_on DESC, opening_on, id
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS within
            FROM statements
            WHERE account = :account AND state = 'counts'
              AND (closing_on IS NULL OR closing_on <= :until)
        ) AS counting
        WINDOW one AS (
            PARTITION BY bank_account, currency, within ORDER BY closing_on, sequence, id)
    ) AS told
    ORDER BY bank_account, currency, closing_on, sequence, id
""")


@dataclass(frozen=True)
class Gap:
    """Statements that are missing before another one, by the bank's count or by its balances.

    contradicts  the one before it, where both tell of the same days: then none is missing, and one
                 of the two is wrong
    """

    bank_account: str
    currency: str
    before: str
    difference_minor: int | None
    contradicts: str | None = None


async def of_account(
    connection: AsyncConnection, account: int, *, until: date
) -> Sequence[RowMapping]:
    """The statements that count up to a day, one bank account after the other, in their order.

    Beside each `closed_before_minor` and `sequence_before`: of the one before it, and of those that
    were withdrawn in between and whose days it tells; and whether it is a range of days that lies
    `within` another one.
    """
    found = await connection.execute(_OF_ACCOUNT, {"account": account, "until": until})
    return found.mappings().all()


async def contradicted(
    connection: AsyncConnection, account: int, *, until: date
) -> Sequence[RowMapping]:
    """Statements up to a day that came again with other content: somebody has to find out."""
    found = await connection.execute(_CONTRADICTED, {"account": account, "until": until})
    return found.mappings().all()


def gaps(in_order: Sequence[RowMapping]) -> Sequence[Gap]:
    """Where statements are missing between two that count, of those that `of_account` tells."""
    return [gap for row in in_order if (gap := _gap_before(row)) is not None]


def _gap_before(row: RowMapping) -> Gap | None:
    """Whether something is missing before a statement: see `breaks_off`."""
    if row["within"]:
        return None
    closed_on, opened_on = row["closed_before_on"], row["opening_on"]
    if go_on(row["format_before"], row["format"], closed_on=closed_on, opened_on=opened_on):
        return None
    closed, opened = row["closed_before_minor"], row["opening_minor"]
    difference = opened - closed if closed is not None and opened is not None else None
    if not breaks_off(difference, row["sequence_before"], row["sequence"]):
        return None
    return Gap(
        row["bank_account"],
        row["currency"],
        row["statement_id"],
        difference or None,
        contradicts=row["statement_id_before"] if _overlap(row) else None,
    )


def _overlap(row: RowMapping) -> bool:
    """Whether a statement tells of days of which the one before it does, under another name."""
    opened, closed, before = row["opening_on"], row["closing_on"], row["closed_before_on"]
    if None in (opened, closed, before) or row["statement_id"] == row["statement_id_before"]:
        return False
    return bool(opened < before or closed == before)


def go_on(
    before: str | None, after: str, *, closed_on: date | None, opened_on: date | None
) -> bool:
    """Whether two statements of these formats are ranges of days of which one begins in the other.

    Their balances need not join then: entries that both tell are one, and the last balance is what
    they are proven by.
    """
    if closed_on is None or opened_on is None or not {before, after} <= set(RANGES):
        return False
    return opened_on <= closed_on


def breaks_off(difference_minor: int | None, before: int | None, after: int | None) -> bool:
    """Whether a statement is missing between two.

    They must join in the balance, which differs by `difference_minor`, and in the bank's count:
    what is missing may come to zero. A count may begin anew at 1, as it does each year, and one
    statement may be of several pages. What is None is not told.
    """
    jumped = before is not None and after is not None and after not in (before, before + 1, 1)
    return bool(difference_minor) or jumped
