"""What happens in the demo, scene by scene.

Everything goes the way it would in earnest: signups and decisions over the gateway's HTTP API,
webhooks from Stripe's simulator to the gateway, the applicants at the page of Stripe Identity. What
goes wrong is made to go wrong in the simulator, and the worker is really killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from workers.demo.callers import Callers, Waiting
from workers.demo.cast import Run, Scene
from workers.demo.outside import CustomerAtStripe, Outside
from workers.demo.show import Row, Show
from workers.demo.theatre import Theatre
from workers.demo.watch import Derailed, Watch
from workers.together import together
from workflows.onboarding.application import Onboarding

CUSTOMERS = "/v1/customers"
TAX_IDS = "/v1/customers/*/tax_ids"
WITHDRAWN = "the applicant changed their mind"
REPAIRED = "Stripe makes customers again"
COPIES = 3

_PATIENCE = 40.0
_PAUSE = 0.1


@dataclass
class Memory:
    """What the play itself saw: material for the checks, never their verdict.

    `since` is when it began by Stripe's clock, `answers` what each of three equal signups was
    told, `parked` how the attention list put what waited, `workers` the process ids of the worker
    that was killed and of the next, `sessions` the identity sessions by onboarding.
    """

    since: int
    answers: tuple[Onboarding, ...] = ()
    parked: Waiting | None = None
    workers: tuple[int, int] | None = None
    sessions: dict[str, str] = field(default_factory=dict)


class Plot:
    """The play. `pace` is how long to leave people for reading, in seconds for a sentence."""

    def __init__(
        self,
        run: Run,
        show: Show,
        watch: Watch,
        callers: Callers,
        outside: Outside,
        theatre: Theatre,
        *,
        since: int,
        pace: float,
    ) -> None:
        self.memory = Memory(since)
        self._run, self._show, self._watch = run, show, watch
        self._callers, self._outside, self._theatre = callers, outside, theatre
        self._pace = pace

    async def play(self) -> None:
        """Play all of it. Raises Derailed where something does not come about.

        However it ends, the outside behaves again afterwards.
        """
        await self._outside.behave()
        self._show.say(
            f"{len(self._show.rows)} applicants sign up: each is one HTTP request with an "
            "Idempotency-Key, one row in Postgres and one Temporal workflow."
        )
        await together(self._signups(), self._threefold())
        await self._read()
        await self._straight()
        await self._webhooks()
        await self._withdrawal()
        # The step that fails takes its time to give up: enough for a worker to die meanwhile.
        made, failing = asyncio.Event(), asyncio.Event()
        await together(self._killed(made, failing), self._outage(made, failing))
        self._show.say("All of them have come to their end.")

    # The scenes

    async def _signups(self) -> None:
        signups = (self._sign_up(row) for row in self._show.rows if not _plays(row, "threefold"))
        await together(*signups)

    async def _threefold(self) -> None:
        row = self._one("threefold")
        with self._show.scene("threefold") as scene:
            asked = (self._callers.sign_up(self._run, row.applicant) for _ in range(3))
            answers = await asyncio.gather(*asked)
            self.memory.answers = tuple(answers)
            self._watch.follow(row, answers[0].id)
            scene.told = f"3 requests, {len({one.id for one in answers})} onboarding"

    async def _straight(self) -> None:
        rows = self._all("straight") + self._all("threefold")
        with self._show.scene("straight") as scene:
            self._show.say(
                f"{len(rows)} prove who they are. Stripe's webhook wakes each workflow; it decides,"
                " makes the customer at Stripe and sends one welcome mail."
            )
            await self._read()
            await together(*(self._prove_identity(row) for row in rows))
            await together(*(self._until_end(row) for row in rows))
            scene.told = f"{len(rows)} active"
        await self._read()

    async def _webhooks(self) -> None:
        rows = self._all("webhooks")
        with self._show.scene("webhooks") as scene:
            self._show.say(
                "Now each webhook comes three times, the newest first. The inbox keeps each event"
                " once; the workflow takes it as a hint and asks Stripe what is true."
            )
            await self._read()
            await together(*(self._until_asked(row) for row in rows))
            async with self._outside.webhooks_held(copies=COPIES):
                await self._prove_identity(rows[0], "failed")
                await together(*(self._prove_identity(row) for row in rows))
            await together(*(self._until_end(row) for row in rows))
            scene.told = f"{len(rows)} active"
        await self._read()

    async def _withdrawal(self) -> None:
        row = self._one("withdrawal")
        with self._show.scene("withdrawal") as scene:
            async with self._outside.fault("timeout_after_commit", "POST", TAX_IDS):
                await self._prove_identity(row)
                await self._until_tax_id(row)
                self._show.say(
                    "Stripe has made the customer and its tax id, but that answer got lost. In"
                    " this very moment the applicant withdraws."
                )
                await self._read(0.5)
                await self._callers.withdraw(_id(row), WITHDRAWN)
            self._show.say(
                "What is in flight is first brought to its end: nobody knows yet what Stripe did."
                " Then all is undone in reverse: tax id, customer, identity session."
            )
            await self._until_end(row)
            scene.told = "nothing left at Stripe"
        await self._read()

    async def _killed(self, made: asyncio.Event, failing: asyncio.Event) -> None:
        row = self._one("killed")
        with self._show.scene("killed") as scene:
            async with self._outside.fault("timeout_after_commit", "POST", TAX_IDS):
                await self._prove_identity(row)
                await self._until_tax_id(row)
                made.set()
                await failing.wait()
                killed = self._theatre.kill_worker()
            self._show.say(
                f"kill -9 {killed.pid}: the worker dies while Stripe's answer about a tax id is on"
                " its way. Nobody here knows now whether it was made."
            )
            async with asyncio.timeout(_PATIENCE):
                successor = await self._theatre.next_worker(killed)
            self.memory.workers = (killed.pid, successor.pid)
            self._show.say(
                f"A new worker (pid {successor.pid}) goes on from Temporal's history. It asks"
                " Stripe again with the same key, and is told of the same tax id."
            )
            await self._until_end(row)
            scene.told = f"pid {killed.pid} → {successor.pid}"

    async def _outage(self, made: asyncio.Event, failing: asyncio.Event) -> None:
        row = self._one("outage")
        await made.wait()
        with self._show.scene("outage") as scene:
            async with self._outside.fault("error_503", "POST", CUSTOMERS):
                before = await self._outside.faulted("POST", CUSTOMERS)
                await self._prove_identity(row)
                await _until(lambda: self._failed_since(before), "Stripe was never asked")
                failing.set()
                await self._watch.until(row, lambda row: row.parked, "parked")
                waiting = await self._waiting(row)
                self._show.say(
                    f"Stripe makes no customers (503), and the step's time is up: it parks. The"
                    f" {waiting.owner} reads why: {waiting.why.text}."
                )
                await self._read(1.5)
            self._show.say(
                "Stripe is back. The operator retries, with a signed decision and a reason that is"
                " kept for good; the step goes on under its old key."
            )
            await self._callers.retry(waiting, REPAIRED)
            await self._until_end(row)
            scene.told = "parked, retried, active"
        self.memory.parked = waiting

    # What applicants do, and what is waited for

    async def _sign_up(self, row: Row) -> None:
        onboarding = await self._callers.sign_up(self._run, row.applicant)
        self._watch.follow(row, onboarding.id)

    async def _prove_identity(self, row: Row, outcome: str = "verified") -> None:
        await self._until_asked(row)
        session = await self._session(row)
        await self._outside.submit(session, "verified" if outcome == "verified" else "failed")

    async def _until_asked(self, row: Row) -> None:
        """Until the applicant is asked for proof of identity."""
        await self._watch.until(row, _is_asked, "asked for proof of identity")

    async def _session(self, row: Row) -> str:
        """The identity session that Stripe opened for an onboarding."""
        known = self.memory.sessions
        if _id(row) not in known:
            for session in await self._outside.sessions(self.memory.since):
                known[session.client_reference_id or ""] = session.id
        if _id(row) not in known:
            raise Derailed(f"Stripe has no identity session for {row.applicant.name}")
        return known[_id(row)]

    async def _until_end(self, row: Row) -> None:
        end = row.applicant.end
        await self._watch.until(row, lambda row: row.ended, end)
        if row.stage != end:
            raise Derailed(f"{row.applicant.name} is {row.stage}, and was to be {end}")

    async def _until_tax_id(self, row: Row) -> None:
        """Until Stripe has a tax id for an applicant, whoever knows of it here."""

        async def there() -> bool:
            customer = await self._customer(row)
            return customer is not None and bool(await self._outside.tax_ids(customer.id))

        await _until(there, f"Stripe has made no tax id for {row.applicant.name}")

    async def _customer(self, row: Row) -> CustomerAtStripe | None:
        email = row.applicant.application.email
        customers = await self._outside.customers(self.memory.since)
        return next((one for one in customers if one.email == email), None)

    async def _failed_since(self, before: int) -> bool:
        return await self._outside.faulted("POST", CUSTOMERS) > before

    async def _waiting(self, row: Row) -> Waiting:
        """What the attention list says of an onboarding, once it is on it."""
        found: list[Waiting] = []

        async def listed() -> bool:
            assert row.onboarding is not None
            process = row.onboarding.workflow_id
            found[:] = [one for one in await self._callers.waiting() if one.workflow_id == process]
            return bool(found)

        await _until(listed, f"{row.applicant.name} is not on the attention list")
        return found[0]

    async def _read(self, sentences: float = 1.0) -> None:
        """Leave people the time to read what was said."""
        await asyncio.sleep(self._pace * sentences)

    def _all(self, scene: Scene) -> list[Row]:
        return [row for row in self._show.rows if _plays(row, scene)]

    def _one(self, scene: Scene) -> Row:
        (row,) = self._all(scene)
        return row


def _plays(row: Row, scene: Scene) -> bool:
    return row.applicant.scene == scene


def _is_asked(row: Row) -> bool:
    progress = row.onboarding.progress if row.onboarding else None
    return progress is not None and progress.waiting is not None


def _id(row: Row) -> str:
    assert row.onboarding is not None, "who has not signed up has no onboarding"
    return row.onboarding.id


async def _until(condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Returns once the condition holds. Raises Derailed, saying `otherwise`."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while not await condition():
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise Derailed(f"{otherwise} after {_PATIENCE:.0f} s") from None
