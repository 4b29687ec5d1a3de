"""A customer's life, from the end of the onboarding to the day that they leave."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from workflows import search_attributes
from workflows.conduct import CLOCK
from workflows.decisions import Taken
from workflows.onboarding.life import (
    CUSTOMER_LIFE,
    CompareNow,
    LifeState,
    Offboarding,
    System,
    TakeUp,
)
from workflows.onboarding.life_steps import LifeSteps
from workflows.onboarding.watches.documents import RenewingDocuments
from workflows.onboarding.watches.identity import ProvingIdentityAgain
from workflows.onboarding.watches.screening import ScreeningAgain
from workflows.onboarding.watches.systems import COMPARISONS, ComparingSystems
from workflows.process import Stopped

ENOUGH = 1000
"""So many events of history, and a life goes on in a new run.

Lives under way are replayed by it: another number needs a patch (`workflow.patched`).
"""
_REMEMBERED = 50
"""So many of the updates that were taken. A signature is good for five minutes."""
PROOF = "proof"
SCREENING = "screening"
PAPERS = "papers"


@workflow.defn(name=CUSTOMER_LIFE)
class CustomerLife(ComparingSystems, ProvingIdentityAgain, ScreeningAgain, RenewingDocuments):
    """One customer. What is due is seen to beside each other: one that waits holds up no other.

    The process goes on in a new run when its history has grown. What is parked then is found again
    there, and parks again; a request that was under way keeps its key.
    """

    @workflow.init
    def __init__(self, state: LifeState) -> None:
        super().__init__(state)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._asked: list[CompareNow] = []
        self._to_compare: set[System] = set()

    @workflow.run
    async def run(self, state: LifeState) -> str:
        """Watch over a customer until they leave."""
        return await self.carry_out(self.live)

    async def live(self) -> str:
        """The story."""
        if not self.state.entered:
            await self._take_up()
            await self.record_stage("active")
        try:
            while True:
                await self._see_to_what_is_due()
                if self._has_grown():
                    await self._begin_anew()
                await self.wait_for(
                    self._has_news, until=self._next_due(), what="what is due next", who=CLOCK
                )
                self._clear()
        except Stopped:
            # Nothing is taken back while something else may still be made.
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await self.keep_judgements()
            raise

    @workflow.update(description="Let a customer leave, or have them leave.")
    async def offboard(self, offboarding: Offboarding) -> Taken:
        """Take the customer's access away and keep what must be kept. Answers at once."""
        await self.verify(offboarding, roles=("service", "operator", "admin"))
        return self.stop_for("offboarded", offboarding)

    @offboard.validator
    def _may_offboard(self, offboarding: Offboarding) -> None:
        self.must_be_able_to_end("offboarded")

    @workflow.update(description="Compare the systems outside now.")
    async def compare_now(self, asked: CompareNow) -> Taken:
        """Compare the systems outside with what should be there. Answers at once."""
        await self.verify(asked, roles=("operator", "admin"))
        self._asked.append(asked)
        return self.taken()

    async def _see_to_what_is_due(self) -> None:
        state, now = self.state, workflow.now()
        while self._asked:
            await self.keep_decision("compare_now", self._asked.pop(0))
            state.compare_asked = True
        if state.compare_asked or state.compare_at is None or now >= state.compare_at:
            state.compare_asked = False
            state.compared += 1
            await self._take_up()
            self._to_compare.update(COMPARISONS)
        self._set_about_comparing()
        if self.proof_heard or now >= self.proof_due:
            self._set_about(PROOF, self.see_to_proof)
        if self.hits_are_due:
            self._set_about(SCREENING, self.see_to_hits)
        if self.papers_heard or now >= self.papers_due:
            self._set_about(PAPERS, self.see_to_papers)

    def _set_about_comparing(self) -> None:
        """Compare the systems that are to be; one that is being compared, when that is over.

        What it saw may be older than the question, and that is not to be forgotten.
        """
        for system in COMPARISONS:
            if system in self._to_compare and system not in self._under_way:
                self._to_compare.remove(system)
                self._set_about(system, partial(self.compare, system, self.state.compared))
        if self._to_compare and not workflow.patched("compare-again"):
            self._to_compare.clear()

    async def _take_up(self) -> None:
        """Keep what lists show, and take up the policy of today."""
        state = self.state
        taken_up = await self.step(
            LifeSteps.take_up,
            TakeUp(
                application_id=self.id,
                tenant=state.tenant,
                workflow_id=workflow.info().workflow_id,
                since=state.since,
                risk=state.risk,
                proved_at=state.proved_at,
                reverify_at=state.reverify_at,
                list_version=state.list_version,
            ),
            part=str(state.compared),
        )
        self.budgets = state.budgets = taken_up.budgets
        state.policy = taken_up.policy or state.policy
        state.screening = taken_up.screening
        state.reviews = max(state.reviews, taken_up.reviews)
        state.excluded = taken_up.excluded
        state.papers = taken_up.papers
        state.papers_round = max(state.papers_round, taken_up.round)
        state.compare_at = workflow.now() + state.policy.compare_every

    def _set_about(self, what: str, see_to: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """See to something, unless it is being seen to. Any: what its loop sends a coroutine."""
        if what not in self._under_way:
            self._under_way[what] = asyncio.create_task(see_to())

    def _has_news(self) -> bool:
        over = [name for name, task in self._under_way.items() if task.done()]
        return bool(
            self._asked
            or self.state.compare_asked
            or not self._to_compare.isdisjoint(over)
            or PROOF in over
            or PAPERS in over
            or (self.papers_heard and PAPERS not in self._under_way)
            or (self.proof_heard and PROOF not in self._under_way)
            or (self.hits_are_due and (SCREENING not in self._under_way or SCREENING in over))
            or any(self._under_way[name].exception() for name in over)
        )

    def _clear(self) -> None:
        """Forget what is over. Raises what went wrong: a defect, or a stop."""
        for name in [name for name, task in self._under_way.items() if task.done()]:
            self._under_way.pop(name).result()

    def _next_due(self) -> datetime:
        due = self.state.compare_at
        assert due is not None, "it was set when the customer was taken up"
        if PROOF not in self._under_way:
            due = min(due, self.proof_due)
        if PAPERS not in self._under_way:
            due = min(due, self.papers_due)
        return due

    # Going on in a new run

    def _has_grown(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= ENOUGH

    def _at_rest(self) -> bool:
        """Whether nobody waits for an answer, and what is under way waits for somebody."""
        under_way = sum(not task.done() for task in self._under_way.values())
        return workflow.all_handlers_finished() and self._conduct.at_rest(under_way)

    async def _begin_anew(self) -> None:
        """Go on in a new run, unless somebody asks for something meanwhile."""
        await workflow.wait_condition(
            lambda: self._at_rest() or bool(self._asked) or self._stopping()
        )
        self.check_interruption()
        self._clear()
        if self._asked or not self._at_rest():
            return
        state = self.state
        state.made = self.made
        state.version = self.version
        state.decided = self._conduct.decided[-_REMEMBERED:]
        state.noticed = self._conduct.noticed
        state.compare_asked = state.compare_asked or bool(self._under_way)
        workflow.continue_as_new(
            state,
            # All of them, so that what is parked is not said to be so before it is again.
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(search_attributes.TENANT, state.tenant),
                    SearchAttributePair(search_attributes.STAGE, state.stage),
                ]
            ),
        )
