"""Statement files: taken over once for each content, read whole or not at all."""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.reconciliation.sources import StatementContent, StatementItems
from connectors.capabilities import Archive
from connectors.errors import ConnectorError, Refused
from connectors.statements.csv import Columns
from connectors.statements.reading import read
from connectors.statements.statement import (
    Closed,
    Entry,
    Opened,
    StatementRefused,
    prove,
)
from database.connection import DatabaseDown, refuses_content, transaction
from database.journal import openings
from database.reconciliation import accounts, files, items, statements
from database.reconciliation.files import Received
from database.reconciliation.item import NewItem
from database.reconciliation.items import Contradiction
from database.reconciliation.statements import RANGES, OwnWithdrawal, ToldStatement
from database.spool import Spool
from workflows.defects import without_texts
from workflows.reconciliation.opening import Opening

OWNER = "statements"
"""Under whom the archive has statement files."""

_MEDIA_TYPE = "application/octet-stream"
_PIECE = 1024 * 1024

_log = structlog.get_logger()


@dataclass(frozen=True)
class FilesRead:
    """What came of the files that waited: files, and items as `items.TakenIn` counts them."""

    read: int = 0
    refused: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0


class StatementIntake:
    """Statement files, from wherever they come, into items. `maps` are the column maps of CSV.

    A file is kept in the spool until it is read, and in the archive for good.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        spool: Spool,
        archive: Archive,
        maps: Mapping[str, Columns],
    ) -> None:
        self._engine = engine
        self._spool = spool
        self._archive = archive
        self._maps = maps

    async def receive(
        self,
        file: Path,
        *,
        by: str,
        tenant: str | None = None,
        bank_account: str | None = None,
    ) -> str:
        """Take over a copy of a file; its id. The same content again has the same.

        `tenant` limits whose it can be; `bank_account` is whose its statements are, where they do
        not say. Raises OSError.
        """
        part = await asyncio.to_thread(self._spool.begin)
        try:
            await asyncio.to_thread(_copy, file, part.write)
            received = Received(
                id=uuid.uuid4().hex,
                sha256=part.sha256,
                size=part.size,
                received_by=by,
                tenant=tenant,
                bank_account=bank_account,
            )
            async with transaction(self._engine) as connection:
                row, new = await files.receive(connection, received)
                if row["state"] == "received":
                    await asyncio.to_thread(part.keep, row["id"])
        finally:
            await asyncio.to_thread(part.close)
        _log.info("statement file received", file=row["id"], size=part.size, new=new)
        return str(row["id"])

    async def read_waiting(self) -> FilesRead:
        """Read every file that waits and that nobody else is reading.

        One that nobody can read holds up no other. Raises what is no file's fault, as DatabaseDown
        and ConnectorError are: then all that is left waits.
        """
        total, tried = FilesRead(), list[str]()
        while (came := await self._read_next(tried)) is not None:
            total = FilesRead(*(a + b for a, b in zip(_counts(total), _counts(came), strict=True)))
        return total

    async def _read_next(self, tried: list[str]) -> FilesRead | None:
        """Read the next file, in one transaction; None where there is none."""
        row: RowMapping | None = None
        try:
            async with transaction(self._engine) as connection:
                row = await files.next_to_read(connection, but=tried)
                if row is None:
                    return None
                tried.append(row["id"])
                async with self._content(row) as content:
                    came = await self._take_in(connection, row, content)
                    await self._archive.put(OWNER, row["sha256"], content, media_type=_MEDIA_TYPE)
                await files.read(connection, row["id"])
        except Exception as error:  # whatever a file has, the next one is read
            if row is None or _is_of_no_file(error):
                raise
            return await self._refuse(row, _refusal(error))
        await asyncio.to_thread(self._spool.drop, row["id"])
        _log.info("statement file read", file=row["id"], new=came.new)
        return came

    async def _refuse(self, row: RowMapping, error: StatementRefused) -> FilesRead:
        async with transaction(self._engine) as connection:
            await files.refused(
                connection,
                row["id"],
                error=error.error,
                detail=error.detail,
                position=error.position,
            )
        await asyncio.to_thread(self._spool.drop, row["id"])
        _log.warning("statement file refused", file=row["id"], error=error.error)
        return FilesRead(refused=1)

    async def _take_in(
        self, connection: AsyncConnection, row: RowMapping, content: Path
    ) -> FilesRead:
        """Read a file twice: to see that all of it can be read, then for the entries that count."""
        told = await asyncio.to_thread(self._summaries, content, row["bank_account"])
        counting: dict[int, list[int]] = {}
        for number, statement in enumerate(told):
            account = await statements.place(connection, row["id"], statement, tenant=row["tenant"])
            if account is not None:
                counting.setdefault(account, []).append(number)
        new = changed = unchanged = 0
        for account, numbers in sorted(counting.items()):
            of = await accounts.of_id(connection, account)
            opening = await openings.approved(connection, of)
            counts = {number: _Counting.of(told[number], opening) for number in numbers}
            entries = self._items(content, row["bank_account"], counts, of.zone)
            taken = await items.take_in(
                connection, account, entries, source=f"statement file {row['id']}"
            )
            new, changed = new + taken.new, changed + taken.changed
            unchanged += taken.unchanged
        return FilesRead(1, 0, new, changed, unchanged)

    def _summaries(self, content: Path, bank_account: str | None) -> Sequence[ToldStatement]:
        told = []
        with content.open("rb") as file:
            reading: _Summary | None = None
            for part in read(file, self._maps):
                match part:
                    case Opened():
                        reading = _Summary(_named(part, bank_account))
                    case Entry():
                        assert reading is not None, "it is opened before"
                        reading.add(part)
                    case Closed():
                        assert reading is not None, "it is opened before"
                        told.append(reading.closed(part))
        return told

    def _items(
        self,
        content: Path,
        bank_account: str | None,
        counts: Mapping[int, _Counting],
        zone: ZoneInfo,
    ) -> Iterator[NewItem]:
        """The items of these statements, which go by their number within the file."""
        with content.open("rb") as file:
            number, of = -1, None
            for part in read(file, self._maps):
                match part:
                    case Opened():
                        number += 1
                        one = counts.get(number, _Counting())
                        named = _named(part, bank_account)
                        of = StatementItems(named, zone, closed_on=one.closed_on, since=one.since)
                    case Entry() if number in counts and of is not None and of.has(part):
                        yield of.item(part)

    @contextlib.asynccontextmanager
    async def _content(self, row: RowMapping) -> AsyncIterator[Path]:
        """The file, from the spool or from the archive. Raises StatementRefused (`lost`)."""
        spooled = self._spool.file(row["id"])
        if spooled.is_file():
            yield spooled
            return
        with tempfile.NamedTemporaryFile(prefix="perdure-statement-") as copy:
            try:
                async for piece in self._archive.read(OWNER, row["sha256"]):
                    await asyncio.to_thread(copy.write, piece)
            except Refused as no:
                if no.type != "archive.missing":
                    raise
                lost = "Neither the spool nor the archive has the file any more: send it again."
                raise StatementRefused("lost", lost) from no
            await asyncio.to_thread(copy.flush)
            yield Path(copy.name)


@dataclass(frozen=True, slots=True)
class _Counting:
    """How a statement counts that does.

    closed_on  the day of its closing balance, where it has one
    since      the first day of which its entries come in, where it tells of days before: these are
               in what two people agreed on that the account's bank began with
    """

    closed_on: date | None = None
    since: date | None = None

    @classmethod
    def of(cls, told: ToldStatement, opening: Opening | None) -> _Counting:
        """That of a statement of an account with this opening."""
        closed_on = told.closing_on if told.closing_minor is not None else None
        agreed = opening.held("bank").get(told.currency) if opening else None
        if opening is None or agreed is None or told.opening_on is None:
            return cls(closed_on)
        # A balance of the evening before may be named by that day, before a weekend by its Friday:
        # then nothing is of before.
        before = opening.opened_on - timedelta(days=1)
        before -= timedelta(days=max(before.weekday() - calendar.FRIDAY, 0))
        there = before if told.opening_minor == agreed else opening.opened_on
        return cls(closed_on, opening.opened_on if told.opening_on < there else None)


class _Summary:
    """What a statement comes down to, entry by entry."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._items = StatementItems(opened)
        self._content = StatementContent()
        self._count = self._total = 0
        self._days: list[date] = []

    def add(self, entry: Entry) -> None:
        """Count an entry. Raises StatementRefused where no item can be made of it."""
        item = self._items.item(entry)
        self._content.add(entry, item)
        self._count += 1
        self._total += entry.amount_minor
        days = [*self._days, item.occurred_at.date()]
        self._days = [min(days), max(days)]

    def closed(self, closed: Closed) -> ToldStatement:
        """The statement, now that its balances are known."""
        opened, proven = self._opened, prove(self._total, closed)
        opening, closing = closed.opening, closed.closing
        first, last = (self._days[0], self._days[-1]) if self._days else (None, None)
        told_of = [*self._days, *self._days_of_balances(closed)]
        return ToldStatement(
            format=opened.format,
            bank_account=opened.account,
            currency=opened.currency,
            statement_id=opened.statement_id,
            sequence=opened.sequence,
            opening_on=(opening.date if opening else None) or first,
            opening_minor=opening.amount_minor if opening else None,
            closing_on=(closing.date if closing else None) or last,
            closing_minor=closing.amount_minor if closing else None,
            first_on=min(told_of, default=None),
            last_on=max(told_of, default=None),
            entries=self._count,
            total_minor=self._total,
            content=self._content.closed(closed),
            proof=proven.proof,
            difference_minor=proven.difference_minor,
        )

    def _days_of_balances(self, closed: Closed) -> Iterator[date]:
        """The first and the last day that a statement tells of by its balances."""
        opening_on = closed.opening.date if closed.opening else None
        closing_on = closed.closing.date if closed.closing else None
        if closing_on is not None:
            yield closing_on
        if opening_on is None:
            return
        if self._opened.format not in RANGES and opening_on != closing_on:
            opening_on += timedelta(days=1)  # it is of the evening before
        yield opening_on


def _is_of_no_file(error: Exception) -> bool:
    """Whether an error has to do with something else than the file during which it was met."""
    if isinstance(error, DBAPIError | asyncpg.PostgresError):
        return not refuses_content(error)
    return isinstance(error, DatabaseDown | ConnectorError)


def _refusal(error: Exception) -> StatementRefused:
    """Why nothing of a file counts, as its sender is told."""
    match error:
        case StatementRefused():
            return error
        case Contradiction():
            return StatementRefused("contradictory", "An entry is there twice, and differs.")
        case OwnWithdrawal():
            said = "Who sent it withdrew a statement of its days: have somebody else send it."
            return StatementRefused("own_withdrawal", said)
        case _:
            kind = type(error).__name__
            _log.error("a statement file met a defect", error=kind, at=without_texts(error))
            said = "A defect of ours: the worker's log says where. Send it again once it is mended."
            return StatementRefused("defect", said)


def _named(opened: Opened, bank_account: str | None) -> Opened:
    """A statement with its account's number, where its file does not say it."""
    return opened if opened.account else replace(opened, account=bank_account or "")


def _copy(file: Path, write: Callable[[bytes], None]) -> None:
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            write(piece)


def _counts(one: FilesRead) -> tuple[int, ...]:
    return one.read, one.refused, one.new, one.changed, one.unchanged
