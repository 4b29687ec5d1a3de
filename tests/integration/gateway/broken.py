"""An onboarding whose code fails: what a bad release does."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.onboarding.messages import Start


@workflow.defn(name="CustomerOnboarding")
class Broken:
    @workflow.run
    async def run(self, start: Start) -> str:
        raise RuntimeError("a defect")
