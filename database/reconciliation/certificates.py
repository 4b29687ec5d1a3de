"""Certificates: made from what a run left, kept as they were made, verified against what is stored.

A later run of the same date supersedes one; nothing changes or removes it.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal import balances
from database.reconciliation import controls, cut, extent, open_at, results
from database.reconciliation.bridge import prove
from database.reconciliation.extent import Cut
from workflows.reconciliation.books import Status
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import Certificate, CutRecord, canonical, certificate_id
from workflows.reconciliation.proof import status_of

_CONTENT = text("SELECT content FROM certificates WHERE id = :id")
_OF_RUN = text("SELECT id FROM certificates WHERE run = :run")
_SUPERSEDED = text("""
    SELECT id FROM certificates
    WHERE account = :account AND business_date = :business_date AND run < :run
    ORDER BY ordinal DESC LIMIT 1
""")
_KEEP = text("""
    INSERT INTO certificates (id, run, account, business_date, ordinal, status, previous,
                              supersedes, result_hash, content)
    SELECT :id, :run, account, :business_date, :ordinal, :status, :previous, :supersedes,
           :result_hash, CAST(:content AS jsonb)
    FROM cuts WHERE run = :run
    ON CONFLICT DO NOTHING
""")
_PROOF = text("UPDATE cuts SET proof = CAST(:proof AS jsonb) WHERE run = :run")
_PROVEN = text("SELECT proof FROM cuts WHERE run = :run")
_ROW = text("SELECT run, content FROM certificates WHERE id = :id")
_AS_OF = text("""
    SELECT e.id, e.run, e.business_date, e.ordinal, e.status, e.issued_at
    FROM certificates e JOIN reconciliation_accounts a ON a.id = e.account
    WHERE a.name = :account
    AND (CAST(:effective AS date) IS NULL OR e.business_date <= :effective)
    AND (CAST(:recorded AS timestamptz) IS NULL OR e.issued_at <= :recorded)
    AND (CAST(:run AS bigint) IS NULL OR e.run = :run)
    AND (CAST(:ordinal AS int) IS NULL
         OR e.run = (SELECT coalesce(r.same_as, r.id) FROM runs r
                     WHERE r.account = e.account AND r.ordinal = :ordinal
                     AND r.business_date = coalesce(:effective, (
                         SELECT max(business_date) FROM certificates WHERE account = e.account))))
    ORDER BY e.business_date DESC, e.ordinal DESC LIMIT 1
""")
_LIST = text("""
    SELECT e.id, e.business_date, e.ordinal, e.status, e.previous, e.supersedes, e.issued_at,
           EXISTS (SELECT FROM certificates later WHERE later.supersedes = e.id) AS superseded
    FROM certificates e JOIN reconciliation_accounts a ON a.id = e.account
    WHERE a.name = :account AND e.business_date < coalesce(:before, DATE 'infinity')
    ORDER BY e.business_date DESC, e.ordinal DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate in a list."""

    id: str
    business_date: date
    ordinal: int
    status: str
    previous: str | None
    supersedes: str | None
    superseded: bool
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """The certificate that stands for a day, of which run it is, and since when it was known."""

    id: str
    run: int
    business_date: date
    ordinal: int
    status: Status
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying a certificate found: `differences` is empty where everything holds.

    Each names what differs, by its field, with what the certificate says and what is stored.
    """

    id: str
    differences: tuple[str, ...]


async def draft(connection: AsyncConnection, run: int) -> Certificate:
    """Prove a run as its matches stand now; `certify` certifies this. Needs a transaction.

    Raises LookupError for a run without a cut.
    """
    of = await extent.read(connection, run)
    made = await _made(connection, of, of.record or await cut.record(connection, of))
    kept = {"run": run, "proof": canonical(made).decode()}
    await connection.execute(_PROOF, kept)
    return made


async def certify(connection: AsyncConnection, run: int) -> str:
    """Keep the certificate of what was proven of a run, once; its id.

    Raises LookupError for a run without a cut.
    """
    if known := await connection.scalar(_OF_RUN, {"run": run}):
        return str(known)
    proof = await connection.scalar(_PROVEN, {"run": run})
    proven = _certificate(proof) if proof else await draft(connection, run)
    id_ = certificate_id(proven)
    row = {
        "id": id_,
        "run": run,
        "content": canonical(proven).decode(),
        **{name: getattr(proven, name) for name in _COLUMNS},
    }
    await connection.execute(_KEEP, row)
    await connection.execute(_PROOF, {"run": run, "proof": None})
    return id_


async def read(connection: AsyncConnection, id_: str) -> Certificate:
    """A certificate. Raises LookupError where there is none of that id."""
    content = await connection.scalar(_CONTENT, {"id": id_})
    if content is None:
        raise LookupError(id_)
    return _certificate(content)


async def break_lines(connection: AsyncConnection, id_: str) -> AsyncIterator[BreakLine]:
    """The breaks that were open after the run of a certificate, most at risk first.

    Needs a transaction. Raises LookupError where there is no such certificate.
    """
    row = (await connection.execute(_ROW, {"id": id_})).mappings().first()
    if row is None:
        raise LookupError(id_)
    await open_at.lay_out(connection, await extent.read(connection, row["run"]))
    async for line in results.break_lines(connection):
        yield line


async def issued(
    connection: AsyncConnection, account: str, *, before: date | None = None, limit: int = 100
) -> Sequence[Issued]:
    """The certificates of an account, the latest first; superseded ones are among them."""
    asked = {"account": account, "before": before, "limit": limit}
    rows = (await connection.execute(_LIST, asked)).mappings()
    return [Issued(**row) for row in rows]


async def as_of(
    connection: AsyncConnection,
    account: str,
    effective: date | None = None,
    *,
    recorded: datetime | None = None,
    ordinal: int | None = None,
    run: int | None = None,
) -> Standing | None:
    """The certificate that told of an account's day `effective`, as it was known at `recorded`.

    That is the last one of the day or, where it has none, of the latest day before; with `ordinal`
    that run of the day itself, and with `run` the one of this number, if it is among them. Without
    a day it is the latest.
    """
    asked = {
        "account": account,
        "effective": effective,
        "recorded": recorded,
        "ordinal": ordinal,
        "run": run,
    }
    row = (await connection.execute(_AS_OF, asked)).mappings().first()
    return None if row is None else Standing(**row)


async def verify(connection: AsyncConnection, id_: str) -> Verified:
    """Make a certificate anew from the stored cut and what was matched then, and compare.

    Lines of our journal up to its seal are compared with the balances that were kept beside them.
    Raises LookupError where there is none of that id.
    """
    row = (await connection.execute(_ROW, {"id": id_})).mappings().first()
    if row is None:
        raise LookupError(id_)
    try:
        said = _certificate(row["content"])
    except ValueError as error:
        return Verified(id_, (f"content: {error}",))
    differences = []
    if (actual := certificate_id(said)) != id_:
        differences.append(f"id: the content's is {actual}")
    of = await extent.read(connection, row["run"])
    if of.hash != said.cut.hash:
        differences.append(f"cut.hash: {said.cut.hash}, stored with the cut {of.hash}")
    found = await _made(connection, of, await cut.record(connection, of))
    differences += _differences(said, found)
    if misnamed := await results.misnamed(connection, of):
        differences.append(f"matches: {misnamed} of them have other items than their ids say")
    return Verified(id_, (*differences, *await _of_journal(connection, of)))


async def _of_journal(connection: AsyncConnection, of: Cut) -> Sequence[str]:
    number = of.inputs.journal_seal
    seal = number and await balances.sealed(connection, of.account, number)
    return [
        f"journal: {one.code}, {one.currency}, {one.effective_on}: lines of {one.lines_minor},"
        f" its balance says {one.balance_minor}"
        for one in (await balances.disagreements(connection, of.account, seal) if seal else ())
    ]


async def _made(connection: AsyncConnection, of: Cut, recorded: CutRecord) -> Certificate:
    await connection.execute(cut.ROOM)
    before = await read(connection, of.base.certificate) if of.base else None
    await open_at.lay_out(connection, of)
    movements = await controls.moved(connection, of)
    told = await controls.controls(connection, of, movements, before)
    proven = await prove(connection, of, movements, told.totals, before)
    open_breaks = await results.breaks(connection, of)
    asked = {"account": of.account, "business_date": of.business_date, "run": of.run}
    return Certificate(
        account=of.name,
        business_date=of.business_date,
        ordinal=of.ordinal,
        previous=of.base.certificate if of.base else None,
        supersedes=await connection.scalar(_SUPERSEDED, asked),
        scope=of.inputs.scope,
        cut=recorded,
        status=status_of(told.missing, proven.equations, proven.roll_forward, open_breaks),
        missing=told.missing,
        controls=told.totals,
        bridge=proven.equations,
        roll_forward=proven.roll_forward,
        matches=await results.matches(connection, of),
        matched=await results.matched(connection, of),
        timing=await results.timing(connection, of),
        breaks=open_breaks,
        break_movements=await results.break_movements(connection, of),
        result_hash=await results.result_hash(connection, of),
    )


def _certificate(content: object) -> Certificate:
    """A certificate as it is stored: JSON's own words for dates are not Python's."""
    return Certificate.model_validate_json(json.dumps(content))


def _differences(said: Certificate, found: Certificate) -> list[str]:
    """What two certificates have otherwise. Any: JSON values."""
    ours: dict[str, Any] = said.model_dump(mode="json")
    theirs: dict[str, Any] = found.model_dump(mode="json")
    return [
        f"{name}: {json.dumps(ours[name])}, stored is {json.dumps(theirs[name])}"
        for name in ours
        if ours[name] != theirs[name]
    ]


_COLUMNS = ("business_date", "ordinal", "status", "previous", "supersedes", "result_hash")
