"""Record the histories that replay tests replay: `python -m tests.replay.recording`.

Run it when a workflow has changed on purpose, in a way that no open process can meet, or to add a
scenario; and keep the old files of what is still open out there.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.replay.books import BOOKS, record_book
from tests.replay.lives import LIVES, record_life
from tests.replay.scenarios import SCENARIOS, world_of
from workers.converter import CONVERTER
from workers.sandbox import workflow_runner
from workflows import search_attributes
from workflows.onboarding.messages import Start
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.step import implementations

HISTORIES = Path(__file__).parent / "histories"
_SERVER: dict[str, Any] = {
    "dev_server_existing_path": str(Path(sys.executable).parent / "temporal"),
    "data_converter": CONVERTER,
    "search_attributes": search_attributes.ALL,
    "dev_server_log_level": "error",
    "identity": "recorder",
}
"""How a server is begun. Any: each setting has its own type."""
_MACHINE = re.compile(rf'File \\"(?:/[^"\\]*/site-packages/|{re.escape(str(Path.cwd()))}/)')


async def record(client: Client, name: str) -> WorkflowHistory:
    """Play a scenario and return its history."""
    world = world_of(name)
    async with Worker(
        client,
        task_queue=name,
        workflows=[CustomerOnboarding],
        activities=implementations(world),
        workflow_runner=workflow_runner(),
        identity="worker",
    ):
        handle = await client.start_workflow(
            CustomerOnboarding.run,
            Start(application_id="application", tenant="acme"),
            id=f"onboarding/acme/{name}",
            task_queue=name,
        )
        await SCENARIOS[name](world, handle)
        await asyncio.sleep(0.2)
        return await handle.fetch_history()


def without_this_machine(events: str) -> str:
    """The same with paths in stack traces told from where a package, or a room of ours, begins."""
    return _MACHINE.sub(r'File \\"', events)


async def main(names: list[str]) -> None:
    """Record these scenarios, those of books as `books/NAME`; or all."""
    await _record([one for one in names or [*SCENARIOS, *LIVES] if not _is_of_books(one)])
    books = [f"books/{name}" for name in BOOKS]
    await _record_books([one for one in names or books if _is_of_books(one)])
    await asyncio.sleep(0.5)  # the servers' threads end a moment after them


def _is_of_books(name: str) -> bool:
    return name.startswith("books/")


async def _record(names: list[str]) -> None:
    if not names:
        return
    async with await WorkflowEnvironment.start_local(**_SERVER) as environment:
        for name in names:
            begun = record_life if name in LIVES else record
            folder = HISTORIES / "lives" if name in LIVES else HISTORIES
            _keep(await begun(environment.client, name), folder / f"{name}.json")


async def _record_books(names: list[str]) -> None:
    if not names:
        return
    async with await WorkflowEnvironment.start_time_skipping_v2(
        **_SERVER,
        dev_server_extra_args=[
            *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
        ],
    ) as environment:
        by_hand = environment.with_time_skipping_disabled
        for name in names:
            scenario = name.removeprefix("books/")
            history = await record_book(environment.client, scenario, by_hand)
            _keep(history, HISTORIES / f"{name}.json")


def _keep(history: WorkflowHistory, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    events = json.dumps(json.loads(history.to_json()), indent=1)
    file.write_text(without_this_machine(events) + "\n")
    print(f"{file.stem}: {len(history.events)} events")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
