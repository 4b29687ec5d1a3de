"""What applicants do in the demo, and what is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from workers.demo.callers import Callers, Waiting
from workers.demo.cast import Applicant, Run, Scene
from workers.demo.memory import PARKINGS, Memory
from workers.demo.outside import Outside
from workers.demo.show import SYSTEMS, Row, Show, System
from workers.demo.theatre import Theatre
from workers.demo.watch import Derailed, Watch
from workflows.onboarding.rules import DocumentKind

_PATIENCE = 40.0
_PAUSE = 0.1

Seen = TypeVar("Seen")


class Acting:
    """What every scene is made of. `pace` is how long people read a sentence, in seconds."""

    def __init__(
        self,
        run: Run,
        show: Show,
        watch: Watch,
        callers: Callers,
        outside: Outside,
        theatre: Theatre,
        *,
        pace: float,
    ) -> None:
        self.memory = Memory()
        self._run, self._show, self._watch = run, show, watch
        self._callers, self._outside, self._theatre = callers, outside, theatre
        self._pace = pace

    # What applicants do, and what is waited for

    async def _sign_up(self, row: Row) -> None:
        onboarding = await self._callers.sign_up(self._run, row.applicant)
        self._watch.follow(row, onboarding.id)

    async def _confirm(self, row: Row) -> None:
        """An applicant reads their mail, follows the link, and presses the button there."""
        await self._watch.until(row, lambda row: row.onboarding is not None, "known")
        email = row.applicant.application.email
        link = await until(lambda: self._outside.link_to_confirm(email, id_of(row)), "No mail came")
        await self._outside.press(link)

    async def _prove_identity(self, row: Row) -> None:
        """An applicant follows the link, which their backend service got from the gateway."""
        await self._until_asked(row)
        assert row.link is not None
        await self._outside.prove_identity(row.link)

    async def _prove_all(self, row: Row) -> None:
        """An applicant proves who they are, and delivers the documents that they are asked for."""
        await self._prove_identity(row)
        await self._deliver(row)

    async def _deliver(self, row: Row, *, only: int | None = None, again: bool = False) -> None:
        """An applicant sends what is asked of them by way of the backend service.

        Perhaps `only` the first of it; what was refused is sent `again`, as another file.
        """
        if not row.applicant.documents:
            return
        kinds = await self._until_documents_asked(row)
        await asyncio.gather(
            *(
                self._callers.deliver(
                    id_of(row), kind, document_of(self._run, row.applicant, kind, again=again)
                )
                for kind in kinds[:only]
            )
        )

    async def _until_documents_asked(self, row: Row) -> list[DocumentKind]:
        """Until documents are missing, and which."""
        await self._watch.until(
            row, lambda row: row.stage == "awaiting_documents", "asked for documents"
        )
        return await until(lambda: self._callers.missing(id_of(row)), "no document was asked for")

    async def _until_asked(self, row: Row) -> None:
        """Until there is a link, and the workflow waits for what happens at it."""
        await self._watch.until(
            row, lambda row: row.asked and row.link is not None, "asked for proof of identity"
        )

    async def _until_end(self, row: Row) -> None:
        end = row.applicant.end
        await self._watch.until(row, lambda row: row.ended, end)
        if row.stage != end:
            raise Derailed(f"{row.applicant.name} is {row.stage}, and was to be {end}")

    async def _until_done(self, row: Row, *, besides: System) -> None:
        """Until an applicant is provisioned in the systems besides the one that has trouble."""
        others = [system for system in SYSTEMS if system != besides]
        await self._watch.until(
            row,
            lambda row: all(row.work(system) == "done" for system in others),
            f"provisioned in {' and '.join(others)}",
        )

    async def _until_parked(self, row: Row, scene: Scene) -> Waiting:
        """Until one system waits for a person and the others are done; what the person reads."""
        (trouble,) = (one for one in SYSTEMS if PARKINGS[scene].step.startswith(f"{one}."))
        await self._watch.until(row, lambda row: row.work(trouble) == "parked", "parked")
        await self._until_done(row, besides=trouble)
        waiting = await until(lambda: self._waiting(row), "not on the attention list")
        self.memory.parked[scene] = waiting
        return waiting

    async def _waiting(self, row: Row) -> Waiting | None:
        """What the attention list says of an onboarding."""
        assert row.onboarding is not None
        process = row.onboarding.workflow_id
        found = (one for one in await self._callers.waiting() if one.workflow_id == process)
        return next(found, None)

    async def _resolve(self, scene: Scene, waiting: Waiting) -> None:
        """The operator decides what is planned for a scene."""
        parking = PARKINGS[scene]
        await self._callers.resolve(waiting, parking.choice, parking.remedy)

    def _newcomers(self) -> list[Row]:
        """Those who sign up at first."""
        later = {row.applicant.key for row in self._all("duplicate")}
        return [
            row
            for row in self._show.rows
            if row.applicant.key not in later and row.applicant.appeals is None
        ]

    async def _read(self, sentences: float = 1.0) -> None:
        """Leave people the time to read what was said."""
        await asyncio.sleep(self._pace * sentences)

    def _all(self, scene: Scene) -> list[Row]:
        return [row for row in self._show.rows if plays(row, scene)]

    def _one(self, scene: Scene) -> Row:
        (row,) = self._all(scene)
        return row


def plays(row: Row, scene: Scene) -> bool:
    """Whether an applicant plays in a scene."""
    return row.applicant.scene == scene


def document_of(
    run: Run, applicant: Applicant, kind: DocumentKind, *, again: bool = False
) -> bytes:
    """A document of an applicant, as PDF: another one in every run, and where it is sent again."""
    told = f"{kind} of {run.key(applicant)}{', again' if again else ''}"
    return f"%PDF-1.7\n1 0 obj << /Type /Catalog /Title ({told}) >> endobj\n%%EOF\n".encode()


def id_of(row: Row) -> str:
    """The id of the onboarding of an applicant who has signed up."""
    assert row.onboarding is not None, "who has not signed up has no onboarding"
    return row.onboarding.id


async def until(look: Callable[[], Awaitable[Seen | None]], otherwise: str) -> Seen:
    """What is seen at last. Raises Derailed, saying `otherwise`."""
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        if seen := await look():
            return seen
        await asyncio.sleep(_PAUSE)
    raise Derailed(f"{otherwise} within {_PATIENCE:.0f} s")
