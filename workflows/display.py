"""What people see of a process in the Web UI: current details, and attributes to filter by."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from temporalio import workflow

from workflows.conduct import attention_attributes
from workflows.progress import Progress
from workflows.search_attributes import STAGE


class Display:
    """Brought up to date once the process has come to rest, however much has changed until then.

    Within a workflow task nobody can look at a process. So nothing is shown while a step is tried
    at once: what runs through several stages there tells Temporal the last one only.
    """

    def __init__(self, progress: Callable[[], Progress], stage: str) -> None:
        self._progress = progress
        self._stage = stage
        self._parked: tuple[str, ...] = ()
        self._soon = False
        self._busy = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """A step is tried at once. Whoever is at rest after it says so by `refresh`."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    def refresh(self) -> None:
        """Something has changed: show it when the story has gone as far as it can."""
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._catch_up)

    def show(self) -> None:
        """Show how far the process is."""
        progress = self._progress()
        changed = []
        if progress.stage != self._stage:
            self._stage = progress.stage
            changed.append(STAGE.value_set(progress.stage))
        parked = tuple(one.step for one in progress.attention)
        if parked != self._parked:
            self._parked = parked
            changed += attention_attributes(progress.attention)
        if changed:
            workflow.upsert_search_attributes(changed)
        workflow.set_current_details(progress.as_markdown())

    def _catch_up(self) -> None:
        self._soon = False
        if not self._busy:
            self.show()
