"""What happens in the demo, scene by scene.

Everything goes the way it would in earnest: signups and decisions over the gateway's HTTP API,
webhooks from Stripe's simulator to the gateway, the applicants at the page of Stripe Identity. What
goes wrong is made to go wrong in the simulators, and the worker is really killed.

Faults are of a path, not of an applicant: while one lasts, nobody else may be about to go there.
Scenes that are played at the same time tell each other by events when that is so.
"""

from __future__ import annotations

import asyncio

from workers.demo.acting import id_of, plays, until
from workers.demo.crm import CONTACTS
from workers.demo.directory import UserInDirectory
from workers.demo.fates import Fates
from workers.demo.memory import COPIES, WITHDRAWN
from workers.demo.show import Row
from workers.stack_record import Mark
from workers.together import together

CUSTOMERS = "/v1/customers"
TAX_IDS = "/v1/customers/*/tax_ids"


class Plot(Fates):
    """The play."""

    async def play(self) -> None:
        """Play all of it. Raises Derailed where something does not come about.

        However it ends, the outside behaves again afterwards.
        """
        await self._outside.behave()
        self.memory.since = await self._outside.now()
        self.memory.stranger = (await self._make_stranger(),)
        self._show.say(
            f"{len(self._newcomers())} applicants sign up: each is one HTTP request with an "
            "Idempotency-Key, one row in Postgres and one Temporal workflow."
        )
        await together(self._signups(), self._threefold())
        await self._read()
        await self._confirmations()
        await self._straight()
        await self._webhooks()
        await together(self._expired(), self._the_rest())

    async def _the_rest(self) -> None:
        """What is played while somebody's time for documents runs out."""
        self._show.say(
            "Two are like somebody on a sanctions list, by the name of an owner or their own."
            " Somebody has to judge that; only then can two people agree."
        )
        await self._read(1.5)
        await together(self._listed(), self._namesake())
        self._show.say(
            "A VIP is greeted by a person, but not by the account manager whom Sales named. And"
            " Žofie Nováková signs up once more, under another address."
        )
        await self._read(1.5)
        await together(self._vip(), self._duplicate())
        self._show.say(
            "A company changes its application midway, and a document of its is refused. A person"
            " fails to prove who they are, is rejected, and appeals."
        )
        await self._read(1.5)
        await together(self._reminded(), self._appeal())
        await self._read()
        await self._withdrawal()
        settling = asyncio.Event()
        await together(self._conflict(settling), self._crm_outage(settling))
        # The step that fails takes its time to give up: enough for a worker to die meanwhile.
        made, failing = asyncio.Event(), asyncio.Event()
        await together(self._killed(made, failing), self._outage(made, failing))

    # The scenes

    async def _signups(self) -> None:
        signups = (self._sign_up(row) for row in self._newcomers() if not plays(row, "threefold"))
        await together(*signups)

    async def _confirmations(self) -> None:
        self._show.say(
            "Each has a mail with a link, and presses the button behind it: a row in Postgres, and"
            " a hint to the workflow, which looks there."
        )
        await together(*(self._confirm(row) for row in self._newcomers()))
        await self._read()

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
                " provisions billing, directory and CRM at once, and sends one mail."
            )
            await self._read()
            await together(*(self._prove_all(row) for row in rows))
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
                assert rows[0].onboarding is not None
                await self._outside.fail_identity(rows[0].onboarding.id)
                await together(*(self._prove_all(row) for row in rows))
            await together(*(self._until_end(row) for row in rows))
            scene.told = f"{len(rows)} active"
        await self._read()

    async def _withdrawal(self) -> None:
        row = self._one("withdrawal")
        with self._show.scene("withdrawal") as scene:
            async with self._outside.fault("stripe", "timeout_after_commit", "POST", TAX_IDS):
                await self._prove_all(row)
                await until(lambda: self._tax_id(row), "Stripe made no tax id")
                await self._until_done(row, besides="billing")
                self._show.say(
                    "All is made in three systems, but Stripe's answer about the tax id got lost."
                    " In this very moment the applicant withdraws."
                )
                await self._read(0.5)
                await self._callers.withdraw(id_of(row), WITHDRAWN)
            self._show.say(
                "What is in flight is first brought to its end: nobody knows yet what Stripe did."
                " Then all is undone, the last first, in all three systems."
            )
            await self._until_end(row)
            scene.told = "nothing left anywhere"
        await self._read()

    async def _conflict(self, settling: asyncio.Event) -> None:
        row = self._one("conflict")
        with self._show.scene("conflict") as scene:
            self._show.say(
                f"The directory has a user with the address of {row.applicant.name}, made by"
                " somebody else. It must be neither taken over nor changed."
            )
            await self._prove_all(row)
            waiting = await self._until_parked(row, "conflict")
            settling.set()
            await self._read()
            self._show.say(
                f"{waiting.step} parks: {waiting.why.type}. The customer and the contact are made"
                f" meanwhile. An operator is asked: {' or '.join(waiting.choices)}?"
            )
            await self._read(1.5)
            self.memory.stranger += await self._settled()
            self._show.say(
                "The operator finds an old account, renames it by hand in the directory, and"
                " retries. After a no, the step asks again under a new key."
            )
            await self._read()
            await self._resolve("conflict", waiting)
            await self._until_end(row)
            scene.told = "parked, settled, active"
        if "crm_outage" not in self.memory.parked:
            self._show.say(
                "Meanwhile HubSpot takes no contacts any more: 503. Only that part of an onboarding"
                " waits: the customer at Stripe and the user are made all the same."
            )

    async def _crm_outage(self, settling: asyncio.Event) -> None:
        row = self._one("crm_outage")
        await settling.wait()  # who has the conflict needs nothing of the CRM any more
        with self._show.scene("crm_outage") as scene:
            async with self._outside.fault("crm", "error_503", "POST", CONTACTS):
                await self._prove_all(row)
                await self._until_done(row, besides="crm")
                waiting = await self._until_parked(row, "crm_outage")
                self._show.say(
                    f"Customer and user are made, the contact is parked: {waiting.why.text}."
                )
                await self._read(1.5)
            self._show.say(
                "HubSpot is back, and the operator retries: the contact goes on under its old key,"
                " then the company. Nothing that was made is made again."
            )
            await self._resolve("crm_outage", waiting)
            await self._until_end(row)
            scene.told = "parked, retried, active"
        await self._read()

    async def _killed(self, made: asyncio.Event, failing: asyncio.Event) -> None:
        row = self._one("killed")
        with self._show.scene("killed") as scene:
            async with self._outside.fault("stripe", "timeout_after_commit", "POST", TAX_IDS):
                await self._prove_all(row)
                await until(lambda: self._tax_id(row), "Stripe made no tax id")
                made.set()
                await self._until_done(row, besides="billing")
                await failing.wait()
                killed = self._theatre.kill_worker()
            self._show.say(
                f"kill -9 {killed.pid}: the worker dies while Stripe's answer about a tax id is on"
                " its way. Nobody here knows now whether it was made."
            )
            successor = await until(lambda: self._successor(killed), "no worker came after it")
            self.memory.workers = (killed.pid, successor.pid)
            self._show.say(
                f"A new worker (pid {successor.pid}) goes on from Temporal's history. It asks"
                " Stripe again with the same key, and is told of the same tax id."
            )
            await self._until_end(row)
            scene.told = f"pid {killed.pid} → {successor.pid}"
        if "outage" not in self.memory.parked:
            self._show.say(
                "Meanwhile Stripe makes no customers any more: 503. That step tries again and"
                " again, until the time that the policy gives it is up."
            )

    async def _outage(self, made: asyncio.Event, failing: asyncio.Event) -> None:
        row = self._one("outage")
        await made.wait()
        with self._show.scene("outage") as scene:
            async with self._outside.fault("stripe", "error_503", "POST", CUSTOMERS):
                before = await self._outside.faulted("stripe", "POST", CUSTOMERS)
                await self._prove_all(row)
                await until(lambda: self._failed_since(before), "Stripe was not asked")
                await self._until_done(row, besides="billing")
                failing.set()
                waiting = await self._until_parked(row, "outage")
                self._show.say(
                    "Its time is up: the step parks, and the operators get one mail. Why is on"
                    f" the attention list: {waiting.why.text}."
                )
                await self._read(1.5)
                self._show.say(
                    "Nobody knows when Stripe is back. The operator gives up, with a signed"
                    " decision and a reason that is kept for good; user and contact are undone."
                )
                await self._resolve("outage", waiting)
                await self._until_end(row)
            scene.told = "parked, given up, undone"

    # What only single scenes need

    async def _make_stranger(self) -> UserInDirectory:
        """Somebody makes a user by hand, with the address of an applicant to come."""
        applicant = self._one("conflict").applicant
        return await self._outside.directory.make_by_hand(
            applicant.application.email, "Somebody else"
        )

    async def _settled(self) -> tuple[UserInDirectory, UserInDirectory]:
        """The operator looks at the stranger, and renames it; as it was, and as it is."""
        directory, stranger = self._outside.directory, self.memory.stranger[0]
        found = await directory.user(stranger.id)
        return found, await directory.rename_by_hand(found.id, f"old.{found.name}")

    async def _tax_id(self, row: Row) -> bool:
        """Whether Stripe has a tax id for an applicant, whoever knows of it here."""
        email = row.applicant.application.email
        customers = await self._outside.customers(self.memory.since)
        theirs = [one for one in customers if one.email == email]
        return bool(theirs) and bool(await self._outside.tax_ids(theirs[0].id))

    async def _failed_since(self, before: int) -> bool:
        return await self._outside.faulted("stripe", "POST", CUSTOMERS) > before

    async def _successor(self, killed: Mark) -> Mark | None:
        """The worker that came after the one that was killed."""
        worker = self._theatre.worker()
        return worker if worker != killed else None
