"""Workflows that log, and that fail; alone here, since the sandbox imports their module anew."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class Talkative:
    """Logs before and after each of its waits."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.wanted = 0

    def has_heard_enough(self) -> bool:
        """Whether the next word has come."""
        return len(self.heard) >= self.wanted

    @workflow.run
    async def run(self) -> int:
        """Log what was heard, until it is enough."""
        workflow.logger.info("begun")
        for number in range(4):
            self.wanted = number + 1
            await workflow.wait_condition(self.has_heard_enough)
            workflow.logger.info("heard", extra={"number": number})
        workflow.logger.warning("ended")
        return len(self.heard)

    @workflow.signal
    def hear(self, word: str) -> None:
        """Hear a word."""
        workflow.logger.info("told", extra={"word": word})
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        """What was heard: a question runs all of the code again, and writes nothing."""
        return self.heard


@workflow.defn
class Failing:
    """Asks for what fails."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        await workflow.execute_activity(
            "fails",
            schedule_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
