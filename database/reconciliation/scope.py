"""What a run compares: the items of its cut that no run before it had, beside what is open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import accounts
from workflows.reconciliation.books import Book, Leg

_CUT = text("""
    SELECT r.id AS run, r.account, a.name AS account_name, a.posts, r.business_date,
           c.last_intake, c.last_item, c.inputs, c.processor_before, c.bank_before, c.journal_before
    FROM runs r
    JOIN reconciliation_accounts a ON a.id = r.account
    JOIN cuts c ON c.run = r.id
    WHERE r.id = :run
""")
_BASE = text("""
    SELECT r.business_date, c.last_item, c.processor_before, c.bank_before, c.journal_before
    FROM runs r JOIN cuts c ON c.run = r.id
    WHERE r.account = :account AND r.matched_at IS NOT NULL
    ORDER BY r.id DESC LIMIT 1
""")
_BEFORE = """
    CAST(CASE i.book WHEN 1 THEN CAST({0}processor_before AS timestamptz)
                     WHEN 2 THEN {0}bank_before ELSE {0}journal_before END AS timestamptz)
"""
BASE_BEFORE = _BEFORE.format(":base_")
"""What an item `i` had to happen before to be in the base's cut."""
IN_CUT = f"""
    i.account = :account AND i.id <= :last_item AND i.occurred_at < {_BEFORE.format(":")}
"""
"""Which items `i` are in the cut, by `Scope.values`."""

# What is new lies behind the last item of the base; what was there, but after the base's boundary,
# is found by its time.
FRESH = f"""
    SELECT i.* FROM items i
    WHERE i.id > :base_item AND {IN_CUT} AND i.id NOT IN (SELECT item FROM withdrawn)
    UNION ALL
    SELECT i.* FROM items i
    WHERE {IN_CUT} AND i.id <= :base_item AND i.id NOT IN (SELECT item FROM withdrawn)
      AND i.occurred_at >= CAST(:base_earliest AS timestamptz)
      AND i.occurred_at >= {BASE_BEFORE}
"""
"""Items of the cut that the last matched run had not; `withdrawn` is made before."""

_HOLD = text("""
    SELECT 1 FROM reconciliation_accounts a JOIN runs r ON r.account = a.id
    WHERE r.id = :run FOR NO KEY UPDATE OF a
""")
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class OutOfOrder(Exception):
    """A later day was compared already: open items are carried from day to day, in their order."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A run's cut, and the cut of the run that was matched last, from which it goes on.

    legs    those of which the account has both books
    proven  up to which day the bank is, in currencies where that is told: later it had no turn
    bank_days  the names of the calendars that banks work by, by currency
    """

    run: int
    account: int
    account_name: str
    posts: tuple[str, ...]
    business_date: date
    legs: frozenset[Leg]
    last_intake: int
    last_item: int
    before: tuple[datetime, datetime, datetime]
    base_item: int
    base_before: tuple[datetime, datetime, datetime]
    proven: Mapping[str, date]
    bank_days: Mapping[str, Sequence[str]]

    def values(self) -> dict[str, Any]:
        """The parameters of `IN_CUT` and `FRESH`. Any: each of its column's type."""
        return {
            "account": self.account,
            "last_item": self.last_item,
            "base_item": self.base_item,
            **dict(zip(_NAMES, self.before, strict=True)),
            "base_earliest": min(self.base_before),
            **{f"base_{name}": at for name, at in zip(_NAMES, self.base_before, strict=True)},
        }


_NAMES = ("processor_before", "bank_before", "journal_before")


def legs_of(books: Sequence[Book] | None) -> frozenset[Leg]:
    """The legs of which both books are among these; all where nobody says."""
    needs: dict[Leg, set[Book]] = {
        "L1": {"clearing", "processor"},
        "L2": {"processor", "bank"},
        "L3": {"cash", "bank"},
    }
    return frozenset(leg for leg, both in needs.items() if books is None or both <= set(books))


async def held(connection: AsyncConnection, run: int) -> Scope:
    """The same, alone with the account until the transaction ends: the second meets the first's."""
    await connection.execute(_HOLD, {"run": run})
    return await of_run(connection, run)


async def of_run(connection: AsyncConnection, run: int) -> Scope:
    """What a run compares. Raises LookupError where it has no cut, and OutOfOrder."""
    row = (await connection.execute(_CUT, {"run": run})).mappings().first()
    if row is None:
        raise LookupError(f"run {run} has no cut")
    base = (await connection.execute(_BASE, {"account": row["account"]})).mappings().first()
    if base is not None and base["business_date"] > row["business_date"]:
        raise OutOfOrder(f"{row['account_name']}: {base['business_date']} is matched already")
    # A cut from before they were fixed has what the account has now.
    posts, bank_days = row["inputs"].get("posts"), row["inputs"].get("bank_days")
    if bank_days is None:
        now = await accounts.bank_days(connection, row["account"])
        bank_days = [one.model_dump() for one in now]
    return Scope(
        run=run,
        account=row["account"],
        account_name=row["account_name"],
        posts=tuple(row["posts"] if posts is None else posts),
        business_date=row["business_date"],
        legs=legs_of(row["inputs"].get("scope")),
        last_intake=row["last_intake"],
        last_item=row["last_item"],
        before=tuple(row[name] for name in _NAMES),
        base_item=base["last_item"] if base else 0,
        base_before=tuple(base[name] for name in _NAMES) if base else (_BEGINNING,) * 3,
        proven=_proven(row["inputs"].get("proven", ())),
        bank_days={one["currency"]: one["calendars"] for one in bank_days},
    )


def _proven(told: Iterable[Mapping[str, str]]) -> Mapping[str, date]:
    """By currency: of several bank accounts that which lags most, since any may have the money."""
    proven: dict[str, date] = {}
    for one in told:
        day = date.fromisoformat(one["day"])
        proven[one["currency"]] = min(day, proven.get(one["currency"], day))
    return proven
