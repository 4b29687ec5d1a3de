"""`perdure reconcile files`: exported books through the process of every night.

It works on a database of its own, and nothing of it stays.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import WorkflowHandle

from activities.letters import Letters
from activities.onboarding.policy import BadPolicy, load_policy
from activities.process import ProcessActivities
from activities.reconciliation import given as given_balances
from activities.reconciliation.exports import ExportActivities, Exported, told_of
from activities.reconciliation.given import Given
from activities.reconciliation.post import PostActivities
from activities.reconciliation.terms import BadTerms, load_terms
from connectors import ledger_columns
from connectors.csv_rows import BadRow, FileRefused
from connectors.statements import reading
from connectors.statements.csv import BadColumns, Columns, load_columns
from connectors.statements.statement import Closed, Entry, StatementRefused
from connectors.stripe import report_columns, report_csv
from database.connection import engine_for, transaction
from database.reconciliation import accounts, certificates, extent, open_at, results, runs
from database.reconciliation.accounts import Account
from workers import settings as setting
from workers.files_report import FilesReport, report
from workers.obstacle import Obstacle
from workers.reconciliation import books, working
from workers.settings import Settings, SettingsWrong
from workers.signals import stop_requested, unless
from workers.throwaway_database import throwaway_database
from workflows.attention import Attended
from workflows.policy import Budgets
from workflows.progress import Attention, Progress
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import ENDS, Run
from workflows.reconciliation.terms import Terms
from workflows.reconciliation.workflow import ReconcileAccount
from workflows.step import implementations

ACCOUNT = "files"
_LOOK = 0.2


class Refused(Obstacle):
    """A file, or a balance that was given, cannot be used. `told` says so to machines."""

    exit_code: ClassVar[int] = 2

    def __init__(self, text: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.told = told or {"error": "refused", "detail": text, "position": None}


@dataclass(frozen=True)
class Rules:
    """What files are compared by."""

    terms: Terms
    columns: Mapping[str, Columns]
    budgets: Budgets


def rules(settings: Settings) -> Rules:
    """The rules of this clone. Raises SettingsWrong."""
    try:
        return Rules(
            load_terms(settings.rules / "reconciliation.toml"),
            load_columns(settings.rules / "statement_columns.toml"),
            load_policy(settings.rules / "policy.toml", settings.policy).budgets,
        )
    except (BadTerms, BadColumns, BadPolicy) as error:
        raise SettingsWrong(str(error)) from error


async def reconcile(
    asked: Callable[[Rules], Exported], given: Given, announce: Callable[[str], None]
) -> FilesReport | None:
    """Reconcile exported books; None where somebody asked to end first.

    `announce` is told, in a sentence, what happens. Raises Refused or another Obstacle.
    """
    settings = setting.load()
    by = rules(settings)
    exported = await asyncio.to_thread(asked, by)
    with stop_requested() as requested:
        return await unless(requested, _apart(settings, by, exported, given, announce))


async def _apart(
    settings: Settings,
    by: Rules,
    exported: Exported,
    given: Given,
    announce: Callable[[str], None],
) -> FilesReport:
    async with AsyncExitStack() as ending:
        place = await ending.enter_async_context(throwaway_database(settings, announce))
        url = place.settings.database_url
        engine = engine_for(url, application="perdure-files", size=5)
        ending.push_async_callback(engine.dispose)
        letters = Letters(engine, _Nobody(), sender="")
        gathering = ExportActivities(engine, exported, by.columns, by.terms.calendar_for)

        async def inputs(
            connection: AsyncConnection, account: Account, _: Run, rules: Mapping[str, str]
        ) -> tuple[Inputs, Sequence[Told]]:
            return await given_balances.inputs(
                connection,
                account,
                exported=exported,
                findings=gathering.findings,
                given=given,
                terms=by.terms,
                rules=rules,
            )

        steps = [
            *implementations(
                gathering,
                ProcessActivities(engine, letters, public_keys={}, operators=None),
                PostActivities(engine, letters, finance=None, operators=None),
            ),
            *books(engine, engine, by.budgets, by.terms, inputs),
        ]
        queue = f"reconcile-files-{secrets.token_hex(6)}"
        await ending.enter_async_context(working(place.client, steps, task_queue=queue))
        run = await _open(engine, exported)
        handle = await place.client.start_workflow(
            ReconcileAccount.run,
            run,
            # On the Temporal of a stack others may compare files at the same time.
            id=f"{run.workflow_id}/{queue}",
            task_queue=queue,
        )
        await _follow(handle, announce, gathering)
        return await _report(engine, run, exported, gathering)


def survey(
    by: Rules,
    *,
    ledger: Path,
    stripe: Path,
    statements: tuple[Path, ...],
    first: date | None,
    last: date | None,
    keys: tuple[str, ...],
) -> Exported:
    """The files, with the last day that they have unless `last` names one. Raises Refused."""
    for path in (ledger, stripe, *statements):
        _must_be_there(path)
    if last is None:
        days = (
            day
            for path, dates in (
                (ledger, _days_of_ledger(ledger)),
                (stripe, _days_of_report(stripe)),
                *((path, _days_of_statements(path, by.columns)) for path in statements),
            )
            for day in _refusing(path, dates)
        )
        last = max(days, default=None)
    if last is None:
        raise Refused("The files have no rows: say by --to which day they are for.")
    if first is not None and first > last:
        raise Refused(f"The period ends on {last} and cannot begin on {first}.")
    return Exported(ledger, stripe, statements, last, first, keys or by.terms.keys.processor)


def read_summary(path: Path) -> dict[str, tuple[int, int]]:
    """Opening and closing by currency from Stripe's balance summary. Raises Refused."""
    _must_be_there(path)
    try:
        with path.open("rb") as file:
            found = report_csv.read_summary(file, path.name)
    except FileRefused as error:
        raise _refused(path, error) from None
    return {currency: (one.opening_minor, one.closing_minor) for currency, one in found.items()}


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        text = f"There is no file {path}."
        raise Refused(text, {"error": "unreadable", "detail": text, "position": None})


def _days_of_ledger(path: Path) -> Iterator[date]:
    with path.open("rb") as file:
        for lines in ledger_columns.read(file, path.name):
            if not isinstance(lines, BadRow):
                yield from lines["booked_at"].dt.date().unique()


def _days_of_report(path: Path) -> Iterator[date]:
    with path.open("rb") as file:
        for movements in report_columns.read(file, path.name):
            if not isinstance(movements, BadRow):
                yield from movements["created_at"].dt.date().unique()


def _days_of_statements(path: Path, columns: Mapping[str, Columns]) -> Iterator[date]:
    with path.open("rb") as file:
        for part in reading.read(file, columns):
            match part:
                case Entry(booking_date=date() as day) | Entry(value_date=date() as day):
                    yield day
                case Closed(closing=closing) if closing and closing.date:
                    yield closing.date


def _refusing(path: Path, days: Iterator[date]) -> Iterator[date]:
    try:
        yield from days
    except (FileRefused, StatementRefused) as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: FileRefused | StatementRefused) -> Refused:
    return Refused(f"{path.name}: {error}", told_of(path, error))


class _Nobody:
    """Whoever must be told looks on."""

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Tell nobody."""


async def _open(engine: AsyncEngine, exported: Exported) -> Run:
    async with transaction(engine) as connection:
        account = Account(
            id=0,
            name=ACCOUNT,
            tenant=ACCOUNT,
            time_zone="UTC",
            opened_on=exported.first or exported.last,
            processor="files",
            journal="files",
            posts=(),
        )
        await accounts.make(connection, account)
        run = await runs.open_run(
            connection, await accounts.of_name(connection, ACCOUNT), exported.last
        )
    assert isinstance(run, Run), "the account is new"
    return run


async def _follow(
    handle: WorkflowHandle[Any, str],
    announce: Callable[[str], None],
    gathering: ExportActivities,
) -> None:
    """Tell of each stage until the run is over. Raises Refused where a step cannot be done."""
    ended = asyncio.ensure_future(handle.result())
    told = ""
    try:
        while not ended.done():
            progress: Progress = await handle.query(Attended.progress)
            if progress.stage != told and progress.stage not in ENDS:
                told = progress.stage
                announce(told)
            if progress.attention:
                await handle.terminate("nobody decides here")
                raise _parked(progress.attention[0], gathering)
            await asyncio.wait({ended}, timeout=_LOOK)
        await ended
    finally:
        ended.cancel()


def _parked(attention: Attention, gathering: ExportActivities) -> Obstacle:
    reason = attention.reason
    if reason.type == "FileRefused":
        return Refused(reason.text, gathering.findings.refused)
    if reason.type == "UnclearBalance":
        return Refused(reason.text)
    return Obstacle(f"{attention.summary}: {reason.type}: {reason.text}")


async def _report(
    engine: AsyncEngine, run: Run, exported: Exported, gathering: ExportActivities
) -> FilesReport:
    async with transaction(engine) as connection:
        number = await runs.id_of(connection, run)
        certificate = await certificates.read(
            connection, await runs.certificate_of(connection, number)
        )
        await open_at.lay_out(connection, await extent.read(connection, number))
        breaks = [line async for line in results.break_lines(connection)]
    bad = [row for rows in gathering.findings.bad_rows.values() for row in rows]
    return report(certificate, breaks, bad, first=exported.first)
