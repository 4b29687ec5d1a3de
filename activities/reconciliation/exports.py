"""Books that come as files which somebody exported, for one run of which nothing is kept."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.reconciliation.columns import items_of_ledger, items_of_report
from activities.reconciliation.sources import StatementContent, StatementItems
from connectors import ledger_columns
from connectors.csv_rows import BadRow, FileRefused
from connectors.statements import reading
from connectors.statements.csv import Columns
from connectors.statements.statement import Closed, Entry, Opened, StatementRefused, prove
from connectors.stripe import report_columns
from database.connection import transaction
from database.reconciliation import accounts, item_columns, items
from database.reconciliation.item import NewItem
from workflows.reconciliation.certificate import Missing
from workflows.reconciliation.messages import ForRun, Gathered
from workflows.reconciliation.steps import GatherSteps
from workflows.step import implements

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Exported:
    """The files, and the period that they are compared for: all of what they have without `first`.

    keys  what our ledger knows a transaction of the processor by, best first
    """

    ledger: Path
    stripe: Path
    statements: tuple[Path, ...]
    last: date
    first: date | None = None
    keys: tuple[str, ...] = ("source_id",)

    @property
    def before(self) -> datetime:
        """When the period is over."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


@dataclass
class ToldStatement:
    """A statement within the period: its balances are those at its edges.

    `content` tells all that it says from what another one of its name does.
    """

    opened: Opened
    file: str
    opening_minor: int | None
    closing_minor: int | None
    opening_on: date | None
    closing_on: date | None
    missing: tuple[Missing, ...] = ()
    total_minor: int = 0
    content: str = ""

    @property
    def name(self) -> tuple[str, str, str, date | None]:
        """What another copy of it has in common with it."""
        of = self.opened
        return of.account, of.currency, of.statement_id, self.closing_on

    def contradicts(self, other: "ToldStatement") -> bool:
        """Whether another one of its name says something else; in another format, of sums."""
        if self.opened.format == other.opened.format:
            return self.content != other.content
        mine = (self.opening_minor, self.closing_minor, self.total_minor)
        return mine != (other.opening_minor, other.closing_minor, other.total_minor)


@dataclass
class Findings:
    """What was found on reading: rows that count for nothing, statements, and a file's refusal."""

    refused: Mapping[str, str | None] | None = None
    bad_rows: dict[str, list[BadRow]] = field(default_factory=dict)
    statements: list[ToldStatement] = field(default_factory=list)


def told_of(path: Path, error: FileRefused | StatementRefused) -> Mapping[str, str | None]:
    """A refusal as machines are told of it."""
    return {
        "error": error.error,
        "detail": error.detail,
        "position": error.position,
        "file": path.name,
    }


class ExportActivities(GatherSteps):
    """Gathering from files. What it finds beside items is in `findings`."""

    def __init__(
        self,
        engine: AsyncEngine,
        exported: Exported,
        columns: Mapping[str, Columns],
        calendar_of: Callable[[str], str],
    ) -> None:
        self._engine = engine
        self._exported = exported
        self._columns = columns
        self._calendar_of = calendar_of
        self._from = datetime.combine(exported.first or date.min, time(), UTC)
        # What is read keeps all cores busy; what is stored, one: so they take turns.
        self._reading = asyncio.Lock()
        self.findings = Findings()

    @implements(GatherSteps.processor)
    async def processor(self, request: ForRun) -> Gathered:
        """Take in the rows of the processor's report."""
        keys = self._exported.keys
        return await self._take_in(
            request,
            self._exported.stripe,
            report_columns.read,
            lambda movements: items_of_report(movements, keys, _UTC),
        )

    @implements(GatherSteps.journal)
    async def journal(self, request: ForRun) -> Gathered:
        """Take in the lines of the ledger."""
        return await self._take_in(
            request,
            self._exported.ledger,
            ledger_columns.read,
            lambda lines: items_of_ledger(lines, _UTC),
        )

    @implements(GatherSteps.statements)
    async def statements(self, request: ForRun) -> Gathered:
        """Take in the entries of the statements, and make their bank accounts known."""
        found: list[ToldStatement] = []
        new = 0
        async with heartbeating():
            for path in self._exported.statements:
                async with transaction(self._engine) as connection:
                    account = (await accounts.of_name(connection, request.run.account)).id
                    with path.open("rb") as file, self._refusing(path):
                        entries = self._entries(file, path, found)
                        taken = await items.take_in(connection, account, entries, source=path.name)
                    new += taken.new
                    for one in found:
                        await accounts.add_bank_account(
                            connection,
                            account,
                            one.opened.account,
                            one.opened.currency,
                            self._calendar_of(one.opened.currency),
                        )
        self.findings.statements = found
        return Gathered(new=new)

    async def _take_in(
        self,
        request: ForRun,
        path: Path,
        read: Callable[[BinaryIO, str], Iterator[pl.DataFrame | BadRow]],
        items_of: Callable[[pl.DataFrame], pl.DataFrame],
    ) -> Gathered:
        bad: list[BadRow] = []

        def told(file: BinaryIO) -> Iterator[pl.DataFrame]:
            for rows in read(file, path.name):
                if isinstance(rows, BadRow):
                    bad.append(rows)
                else:
                    yield items_of(rows).filter(pl.col("occurred_at") >= self._from)

        async with heartbeating(), transaction(self._engine) as connection:
            account = (await accounts.of_name(connection, request.run.account)).id
            with path.open("rb") as file, self._refusing(path):
                async with self._reading:
                    await item_columns.stage(connection, told(file))
                taken = await items.keep_staged(connection, account, source=path.name)
        self.findings.bad_rows[path.name] = bad
        return Gathered(new=taken.new, unchanged=taken.unchanged, bad_rows=len(bad))

    @contextlib.contextmanager
    def _refusing(self, path: Path) -> Iterator[None]:
        """A file that cannot be read at all is refused: another try would only meet it again."""
        try:
            yield
        except (FileRefused, StatementRefused) as error:
            raise self._refuse(path, error) from None
        except items.Contradiction as error:
            raise self._refuse(path, FileRefused("contradiction", f"{error}.")) from None

    def _refuse(self, path: Path, error: FileRefused | StatementRefused) -> ApplicationError:
        self.findings.refused = told_of(path, error)
        return ApplicationError(f"{path.name}: {error}", type="FileRefused", non_retryable=True)

    def _since_first(self, item: NewItem) -> bool:
        return item.occurred_at >= self._from

    def _entries(self, file: BinaryIO, path: Path, found: list[ToldStatement]) -> Iterator[NewItem]:
        """The items of a file's statements; each is noted in `found` when it is over."""
        opened: Opened | None = None
        named: StatementItems | None = None
        content = StatementContent()
        held: list[NewItem] = []
        total = before = after = 0
        for part in reading.read(file, self._columns):
            match part:
                case Opened():
                    opened, named, content = part, StatementItems(part), StatementContent()
                    held, total, before, after = [], 0, 0, 0
                case Entry():
                    assert named is not None, "a statement is opened first"
                    item = named.item(part)
                    content.add(part, item)
                    total += item.amount_minor
                    if not self._since_first(item):
                        before += item.amount_minor
                        continue
                    if item.occurred_at >= self._exported.before:
                        after += item.amount_minor
                    held.append(item)
                case Closed():
                    assert opened is not None, "a statement is opened first"
                    told = _told(opened, path, part, total, before, after)
                    told.content = content.closed(part)
                    first = next((one for one in found if one.name == told.name), None)
                    if first is None:
                        found.append(told)
                        yield from held
                    elif told.contradicts(first):
                        first.missing += (_contradicted(first, told),)


def _told(
    opened: Opened, path: Path, closed: Closed, total: int, before: int, after: int
) -> ToldStatement:
    proven = prove(total, closed)
    missing: tuple[Missing, ...] = ()
    if proven.proof != "proven":
        missing = (
            Missing(
                lack="statement_unproven" if proven.proof == "unproven" else "statement_unprovable",
                book="bank",
                currency=opened.currency,
                subject=f"{opened.account}/{opened.statement_id}",
                amount_minor=proven.difference_minor or None,
            ),
        )
    opening, closing = closed.opening, closed.closing
    return ToldStatement(
        opened,
        path.name,
        opening.amount_minor + before if opening else None,
        closing.amount_minor - after if closing else None,
        opening.date if opening else None,
        closing.date if closing else None,
        missing,
        total - before - after,
    )


def _contradicted(first: ToldStatement, other: ToldStatement) -> Missing:
    return Missing(
        lack="statement_contradicted",
        book="bank",
        currency=first.opened.currency,
        subject=f"{first.opened.account}/{first.opened.statement_id} of files {first.file}"
        f" and {other.file}",
    )
