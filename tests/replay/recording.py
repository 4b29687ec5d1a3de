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

from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.replay.lives import LIVES, record_life
from tests.replay.scenarios import SCENARIOS, world_of
from workers.converter import CONVERTER
from workers.sandbox import workflow_runner
from workflows import search_attributes
from workflows.onboarding.messages import Start
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.step import implementations

HISTORIES = Path(__file__).parent / "histories"
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
    """Record these scenarios, or all."""
    (HISTORIES / "lives").mkdir(parents=True, exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).parent / "temporal"),
        data_converter=CONVERTER,
        search_attributes=search_attributes.ALL,
        dev_server_log_level="error",
        identity="recorder",
    ) as environment:
        for name in names or [*SCENARIOS, *LIVES]:
            begun = record_life if name in LIVES else record
            history = await begun(environment.client, name)
            events = json.dumps(json.loads(history.to_json()), indent=1)
            folder = HISTORIES / "lives" if name in LIVES else HISTORIES
            (folder / f"{name}.json").write_text(without_this_machine(events) + "\n")
            print(f"{name}: {len(history.events)} events")
    await asyncio.sleep(0.5)  # the server's threads end a moment after it


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
