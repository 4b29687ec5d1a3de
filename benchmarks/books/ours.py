"""Our way: the steps of a run, from files to the certificate.

`python -m benchmarks.books.ours URL WORLD DAY` carries it out in a process of its own and prints
what it took, so that its memory is its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.reconciliation import given as balances
from activities.reconciliation.compare import MatchActivities
from activities.reconciliation.exports import ExportActivities, Exported
from activities.reconciliation.given import Given, GivenBalance
from activities.reconciliation.prove import ProofActivities
from database.connection import engine_for, transaction
from database.reconciliation import accounts, runs
from database.reconciliation.accounts import Account, NoAccount
from workers import settings as setting
from workers.files_mode import rules
from workflows.reconciliation.books import Status
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import END_OF, Certify, ForRun, OfCut, Run

ACCOUNT = "benchmark"


async def reconcile(engine: AsyncEngine, exported: Exported, given: Given) -> dict[str, float]:
    """The seconds of each step; `end to end` is all of them."""
    by = rules(setting.load())
    gathering = ExportActivities(engine, exported, by.columns, by.terms.calendar_for)

    async def inputs(
        connection: AsyncConnection, account: Account, _: Run, of: Mapping[str, str]
    ) -> tuple[Inputs, Sequence[Told]]:
        findings = gathering.findings
        return await balances.inputs(
            connection,
            account,
            exported=exported,
            findings=findings,
            given=given,
            terms=by.terms,
            rules=of,
        )

    matching = MatchActivities(engine, by.terms, inputs)
    proving = ProofActivities(engine)
    run = await _open(engine, exported)
    asked = ForRun(run=run, request_key=f"{run.workflow_id}/benchmark.run")
    took: dict[str, float] = {}
    begun = time.perf_counter()

    async def timed(name: str, step: object, message: object) -> object:
        start = time.perf_counter()
        made = await ActivityEnvironment().run(step, message)  # type: ignore[arg-type]
        took[name] = time.perf_counter() - start
        return made

    # All at once, as in the process: one is read while another is stored.
    await asyncio.gather(
        timed("processor", gathering.processor, asked),
        timed("journal", gathering.journal, asked),
        timed("bank", gathering.statements, asked),
    )
    took["files and items"] = time.perf_counter() - begun
    cut = await timed("cut", matching.fix, asked)
    inputs_of = OfCut(run=run, cut_id=cut.cut_id, request_key=f"{run.workflow_id}/benchmark.cut")  # type: ignore[attr-defined]
    await timed("match", matching.match, inputs_of)
    proven = await timed("prove", proving.prove, inputs_of)
    certify = Certify(
        run=run,
        cut_id=inputs_of.cut_id,
        status=proven.status,  # type: ignore[attr-defined]
        result_hash=proven.result_hash,  # type: ignore[attr-defined]
        request_key=f"{run.workflow_id}/benchmark.certify",
    )
    await timed("certify", proving.certify, certify)
    took["end to end"] = time.perf_counter() - begun
    await _end(engine, run, proven.status)  # type: ignore[attr-defined]
    return took


async def _open(engine: AsyncEngine, exported: Exported) -> Run:
    async with transaction(engine) as connection:
        try:
            account = await accounts.of_name(connection, ACCOUNT)
        except NoAccount:
            asked = Account(0, ACCOUNT, ACCOUNT, "UTC", exported.last, "files", "files", ())
            await accounts.make(connection, asked)
            account = await accounts.of_name(connection, ACCOUNT)
        run = await runs.open_run(connection, account, exported.last)
    assert isinstance(run, Run), "one at a time"
    return run


async def _end(engine: AsyncEngine, run: Run, status: Status) -> None:
    """The run is over: another may begin."""
    async with transaction(engine) as connection:
        await runs.record_stage(connection, run, END_OF[status])


def _given(folder: Path) -> Given:
    """What the books began with: without it nothing is proven, and nobody goes on from a day.

    A later world begins like the first, but goes on from it: of what it ends with nobody knows.
    """
    told = json.loads((folder / "manifest.json").read_text())["currencies"]
    return Given(
        tuple(
            GivenBalance(book, "opening", currency, f"{Decimal(of['opening_minor']) / 100}")
            for currency, its in told.items()
            for book, of in its["books"].items()
            if book != "bank"  # its statement says so
        )
    )


async def main(url: str, folder: Path, last: date) -> None:
    """Carry it out, and print the seconds of each step and the memory that it took, in MiB."""
    engine = engine_for(url, application="perdure-benchmark", size=5)
    exported = Exported(
        folder / "ledger.csv", folder / "stripe.csv", (folder / "statement.xml",), last
    )
    took = await reconcile(engine, exported, _given(folder))
    await engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(took | {"memory": memory}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3])))
