"""Replay histories against today's code: `python -m tests.replay.replaying`; 1 if one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from workers.converter import CONVERTER
from workers.ending import end_after
from workers.onboarding import WORKFLOWS as ONBOARDING
from workers.reconciliation import WORKFLOWS as RECONCILIATION
from workers.sandbox import workflow_runner

HISTORIES = Path(__file__).parent / "histories"
LIVES = HISTORIES / "lives"
BOOKS = HISTORIES / "books"


def recorded(process: str = "onboarding", folder: Path = HISTORIES) -> dict[str, WorkflowHistory]:
    """Every committed history of a kind of process, by the name of its scenario."""
    return {
        file.stem: WorkflowHistory.from_json(f"{process}/acme/{file.stem}", file.read_text())
        for file in sorted(folder.glob("*.json"))
    }


def recorded_lives() -> dict[str, WorkflowHistory]:
    """The histories of customers' lives."""
    return recorded("customer", LIVES)


def recorded_books() -> dict[str, WorkflowHistory]:
    """The histories of reconciliations, shadows, ranges and nights, by `books/` and the scenario.

    Other processes have scenarios of the same names.
    """
    found = recorded("reconciliation", BOOKS)
    return {f"books/{name}": history for name, history in found.items()}


def everything() -> dict[str, WorkflowHistory]:
    """All histories that are committed."""
    return recorded() | recorded_lives() | recorded_books()


async def replay(history: WorkflowHistory, workflows: Iterable[type] | None = None) -> None:
    """Raise what is wrong where today's code does not do what the history says.

    `workflows` given by a test are not in a module that the sandbox could import.
    """
    replayer = Replayer(
        workflows=list(workflows or [*ONBOARDING, *RECONCILIATION]),
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner() if workflows else workflow_runner(),
    )
    await replayer.replay_workflow(history)


async def main() -> int:
    """Replay all; how many failed."""
    failed = 0
    histories = everything()
    for name, history in histories.items():
        try:
            await replay(history)
        except Exception as error:  # noqa: BLE001 - each is told, and the others go on
            failed += 1
            print(f"{name}: {error}")
    print(f"{len(histories) - failed} replayed, {failed} failed")
    return failed


if __name__ == "__main__":
    end_after("replaying", lambda: min(asyncio.run(main()), 1))
