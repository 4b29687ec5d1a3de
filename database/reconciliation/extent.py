"""What a cut holds: the account's items up to one of them, that happened before a moment.

An intake has the account to itself until it is committed, and so has a cut while it is fixed:
whatever comes later has a greater number, and is in a later cut. What came late, of a day that was
cut before, is new in the next.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from database.journal.openings import SOURCE as LOAD
from database.reconciliation.scope import BASE_BEFORE, IN_CUT
from workflows.reconciliation.books import Book, Leg
from workflows.reconciliation.certificate import CutRecord
from workflows.reconciliation.inputs import Inputs

PAYOUTS = ("payout", "payout_reversal")
"""The kinds of items, in each book, that are of the payout family."""

SETTLING = (*PAYOUTS, "settlement")
"""The kinds of lines of our cash that a payout settles."""

_TYPES: Mapping[str, TypeEngine[Any]] = {
    "account": Integer(),
    **dict.fromkeys(("last_item", "base_item", "loaded_from", "loaded_to"), BigInteger()),
    **{f"{of}_before": DateTime(timezone=True) for of in ("processor", "bank", "journal")},
    **{f"base_{of}_before": DateTime(timezone=True) for of in ("processor", "bank", "journal")},
    "base_earliest": DateTime(timezone=True),
}
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

LEG_BOOKS: dict[Leg, tuple[Book, Book]] = {
    "L1": ("clearing", "processor"),
    "L2": ("processor", "bank"),
    "L3": ("cash", "bank"),
}
"""The two books that a leg compares."""

IN_BASE = f"""
    i.account = :account AND i.id <= :base_item AND i.occurred_at < {BASE_BEFORE}
"""
"""Which items `i` were in the cut of the certificate that this one goes on from."""

# Nearly all that is new lies behind the last of the base; what is late is found by its time.
NEW = f"""
    SELECT i.* FROM items i WHERE i.id > :base_item AND {IN_CUT}
    UNION ALL
    SELECT i.* FROM items i
    WHERE {IN_CUT} AND i.id <= :base_item AND i.occurred_at >= :base_earliest AND NOT ({IN_BASE})
"""
"""The items that a cut has and its base has not; `Cut.values` has the parameters."""

# Of a source that was told anew: what was new and is told otherwise since, and what the base had.
DROPPED = f"""
    SELECT i.* FROM items i
    JOIN (SELECT book, source_id, max(version) AS version FROM ({NEW}) AS n WHERE version > 1
          GROUP BY book, source_id) AS told USING (book, source_id)
    LEFT JOIN LATERAL (
        SELECT max(version) AS version FROM items i
        WHERE i.book = told.book AND i.source_id = told.source_id AND {IN_BASE}
    ) AS known ON true
    WHERE {IN_CUT} AND i.version < told.version AND i.version >= coalesce(known.version, 1)
"""
"""The items that counted before, or would, if their source had not told another version since."""


def of_cut(sql: str) -> TextClause:
    """A statement with the parameters of `Cut.values`, whose types Postgres could not tell."""
    names = sorted(_TYPES.keys() & set(re.findall(r"(?<!:):(\w+)", sql)))
    return text(sql).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in names))


_READ = text("""
    SELECT r.id AS run, r.account, a.name, a.opened_on, r.business_date, r.ordinal, c.last_intake,
           c.last_item, c.inputs, c.hash, c.record
    FROM runs r JOIN reconciliation_accounts a ON a.id = r.account JOIN cuts c ON c.run = r.id
    WHERE r.id = :run
""")
# A book whose opening nobody told has a closing that means nothing: nobody goes on from there.
_BASE = text("""
    SELECT e.id AS certificate, e.run, c.last_intake, c.last_item, c.inputs
    FROM certificates e JOIN cuts c ON c.run = e.run
    WHERE e.account = :account AND e.business_date < :business_date AND e.run < :run
      AND (e.status <> 'INCOMPLETE'
           OR NOT e.content->'missing' @> '[{"lack": "no_opening"}]')
    ORDER BY e.business_date DESC, e.ordinal DESC LIMIT 1
""")
_LOADED = text("""
    SELECT coalesce(min(first_item), 0), coalesce(max(last_item), 0) FROM intakes
    WHERE account = :account AND source = :source AND new > 0
""")


@dataclass(frozen=True, slots=True)
class Base:
    """The last certificate of an earlier day that knew all openings: where a cut goes on from."""

    certificate: str
    run: int
    last_intake: int
    last_item: int
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut, and its base. `hash` and `record` are there once it is fixed.

    loaded  the first and the last item of the beginning
    """

    run: int
    account: int
    name: str
    business_date: date
    ordinal: int
    last_intake: int
    last_item: int
    inputs: Inputs
    hash: str | None
    record: CutRecord | None
    base: Base | None
    loaded: tuple[int, int]

    def values(self) -> dict[str, Any]:
        """The parameters of statements on the cut. Any: each of its column's type."""
        first, last = self.load
        before = self.base.inputs.before() if self.base else (_BEGINNING,) * 3
        return {
            "account": self.account,
            "last_item": self.last_item,
            **dict(zip(_BEFORE, self.inputs.before(), strict=True)),
            "base_item": self.base.last_item if self.base else 0,
            **{f"base_{name}": at for name, at in zip(_BEFORE, before, strict=True)},
            "base_earliest": min(before),
            "run": self.run,
            "base_run": self.base_run,
            "business_date": self.business_date,
            "loaded_from": first,
            "loaded_to": last,
        }

    @property
    def load(self) -> tuple[int, int]:
        """The first and last item that the beginning brought, if this cut is what begins."""
        return (-1, -1) if self.base or not self.loaded[0] else self.loaded

    @property
    def base_run(self) -> int:
        """The run of the base; 0 where there is none."""
        return self.base.run if self.base else 0


_BEFORE = ("processor_before", "bank_before", "journal_before")


async def read(connection: AsyncConnection, run: int) -> Cut:
    """The cut of a run. Raises LookupError where it has none."""
    row = (await connection.execute(_READ, {"run": run})).mappings().first()
    if row is None:
        raise LookupError(run)
    return Cut(
        run=row["run"],
        account=row["account"],
        name=row["name"],
        business_date=row["business_date"],
        ordinal=row["ordinal"],
        last_intake=row["last_intake"],
        last_item=row["last_item"],
        inputs=Inputs.model_validate(row["inputs"]),
        hash=row["hash"],
        record=None
        if row["record"] is None
        else CutRecord.model_validate_json(json.dumps(row["record"])),
        base=await _base(connection, row["account"], row["business_date"], row["run"]),
        loaded=await _loaded(connection, row["account"]),
    )


async def _base(
    connection: AsyncConnection, account: int, business_date: date, run: int
) -> Base | None:
    asked = {"account": account, "business_date": business_date, "run": run}
    row = (await connection.execute(_BASE, asked)).mappings().first()
    if row is None:
        return None
    return Base(
        row["certificate"],
        row["run"],
        row["last_intake"],
        row["last_item"],
        Inputs.model_validate(row["inputs"]),
    )


async def _loaded(connection: AsyncConnection, account: int) -> tuple[int, int]:
    row = (await connection.execute(_LOADED, {"account": account, "source": LOAD})).one()
    return row[0], row[1]
