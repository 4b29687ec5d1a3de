"""A workflow that says something before and after a pause."""

from temporalio import workflow


@workflow.defn
class Talking:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.info("before the pause")
        await workflow.sleep(0.01)
        workflow.logger.info("after the pause", extra={"email": "ada@example.com"})
