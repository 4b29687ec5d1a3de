"""Onboardings whose code fails: what a bad release does."""

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.actor import Decision
    from workflows.onboarding.messages import Start
    from workflows.onboarding.workflow import CustomerOnboarding


@workflow.defn(name="CustomerOnboarding")
class Broken:
    @workflow.run
    async def run(self, start: Start) -> str:
        raise RuntimeError("a defect")


@workflow.defn(name="CustomerOnboarding")
class BrokenAnswer(CustomerOnboarding):
    """It accepts a decision, and fails before it has answered."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: Start) -> str:
        return await super().run(start)

    async def verify(self, decision: Decision, *, roles: tuple[str, ...]) -> None:
        await asyncio.sleep(0.01)
        raise RuntimeError("a defect")
