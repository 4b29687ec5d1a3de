"""Cases of the effects that documents have."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime, timedelta

from tests.documents import KIND, PDF, ask, in_archive, in_spool, row_of, spool_of, take_in
from tests.faults.intents import Bench, Case, Intent, into, named
from tests.workflow.scripted import signed
from workflows.actor import Decision
from workflows.onboarding.documents import (
    AskForDocuments,
    DocumentSteps,
    ForDocument,
    JudgeDocument,
    WriteAboutDocuments,
)
from workflows.request_key import Request
from workflows.step import Undo
from workflows.upkeep import UpkeepSteps

CASES: dict[str, Case] = {}
case = into(CASES)

AUDITED = "audit WHERE workflow_id = :id AND event = :event"


async def taken_in(bench: Bench) -> tuple[str, str, str]:
    """A document in the spool: its onboarding, its process and its id. Its content is new."""
    application, process = await bench.applied()
    await ask(bench.house, application)
    return (
        application,
        process,
        await take_in(bench.house, application, PDF + secrets.token_bytes()),
    )


@case(DocumentSteps.ask)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    request = AskForDocuments(
        request_key=named(DocumentSteps.ask, process),
        application_id=application,
        round=1,
        kinds=(KIND,),
        files=3,
    )
    return Intent(request, lambda: bench.count(AUDITED, id=process, event="documents.asked"))


@case(DocumentSteps.write)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    request = WriteAboutDocuments(
        request_key=named(DocumentSteps.write, process, "1-1"),
        application_id=application,
        occasion="asked",
        kinds=(KIND,),
        until=datetime.now(UTC) + timedelta(days=14),
    )

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    return Intent(request, received)


@case(DocumentSteps.store)
async def stored(bench: Bench) -> Intent:
    application, process, document = await taken_in(bench)
    content = spool_of(bench.house).file(document).read_bytes()

    async def archived() -> int:
        row = await row_of(bench.house, document)
        taken_over = row["state"] == "stored" and document not in in_spool(bench.house)
        return in_archive(bench.house, content) if taken_over else 0

    key = named(DocumentSteps.store, process, document)
    about = ForDocument(request_key=key, application_id=application, document_id=document)
    return Intent(about, archived)


@case(DocumentSteps.erase)
async def _(bench: Bench) -> Intent:
    made = await stored(bench)
    await bench.act(DocumentSteps.store)(made.request)
    process, _, _ = made.request.request_key.partition("/documents.")

    async def erased() -> int:
        gone = await bench.count(AUDITED, id=process, event="document.gone")
        return gone * (await made.happened() == 0)

    key = named(DocumentSteps.erase, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), erased)


@case(DocumentSteps.judge)
async def _(bench: Bench) -> Intent:
    application, process, document = await taken_in(bench)
    update = secrets.token_hex(8)
    request = JudgeDocument(
        request_key=named(DocumentSteps.judge, process, document),
        application_id=application,
        document_id=document,
        verdict="refused",
        code="unreadable",
        decision=Decision(reason="looked at it", by=signed(update)),
    )
    return Intent(request, lambda: bench.count("decisions WHERE update_id = :id", id=update))


@case(DocumentSteps.give_up)
async def _(bench: Bench) -> Intent:
    application, process, document = await taken_in(bench)
    key = named(DocumentSteps.give_up, process, document)
    about = ForDocument(request_key=key, application_id=application, document_id=document)
    return Intent(about, lambda: bench.count(AUDITED, id=process, event="document.gone"))


@case(UpkeepSteps.sweep_spool)
async def _(bench: Bench) -> Intent:
    _, _, document = await taken_in(bench)
    await bench.house.rows("UPDATE onboardings SET ended_at = now()")
    two_hours_ago = time.time() - 7200
    os.utime(spool_of(bench.house).file(document), (two_hours_ago, two_hours_ago))

    async def swept() -> int:
        return int(document not in in_spool(bench.house))

    return Intent(Request(), swept)
