"""An application that changes midway: what rested on what it said before is void."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.onboarding.messages import (
    CHANGEABLE,
    Change,
    ForApplication,
    Received,
)
from workflows.onboarding.stages.provisioning import Provisioning
from workflows.onboarding.state import RESTS_ON, Standing
from workflows.onboarding.steps import ApplicationSteps
from workflows.process import Changed


class Changing(Provisioning):
    """An onboarding that goes through a changed application again, in a new round."""

    async def as_it_stands(self, examine: Callable[[], Awaitable[str | None]]) -> str | None:
        """What came of examining the application, once it is not changed meanwhile."""
        while True:
            try:
                return await examine()
            except Changed:
                await self.begin_round()

    async def begin_round(self) -> None:
        """Make void what rested on what was changed. What rested on the rest stands."""
        self.told_again()
        self.state.round += 1
        for change in self.state.changes:
            self.make_void(frozenset(change.fields))
        self.state.changes.clear()
        self.state.adverse_actions, self.state.appeal_until = (), None
        await self.keep_noted()

    def make_void(self, fields: frozenset[str]) -> None:
        """Forget what was found out from these fields of the application."""
        nothing = Standing()
        for check, rests_on in RESTS_ON.items():
            if rests_on & fields:
                setattr(self.state.standing, check, getattr(nothing, check))
        if "email" in fields:
            self.state.mailing = None
        if RESTS_ON["identity"] & fields:
            self.state.session_id = None
            self.state.failed_reports.clear()

    async def taken_up_again(self, received: Received) -> Received:
        """What provisioning has to make: what the application says of it now."""
        if self.state.round == 1:
            return received
        now = await self.step(
            ApplicationSteps.receive,
            ForApplication(application_id=self.applicant),
            part=self.in_round(),
        )
        makes = {"has_tax_id": now.has_tax_id, "is_company": now.is_company}
        return received.model_copy(update=makes)

    @workflow.update(description="Go through the application again: it was changed.")
    async def change(self, change: Change) -> Taken:
        """Go through a changed application again. Answers at once; checks are made void after."""
        await self.verify(change, roles=("service", "applicant", "support", "operator", "admin"))
        # Somebody else may have changed it while the signature was checked.
        self.must_be_changeable(change)
        self.version = change.version
        self.state.changes.append(change)
        self.state.changes_left -= 1
        self.note(change)
        self.tell_again()
        return self.taken()

    @change.validator
    def _may_change(self, change: Change) -> None:
        self.must_be_changeable(change)

    def must_be_changeable(self, change: Change) -> None:
        """Raises ApplicationError where it is not to be changed, or not any more.

        Of type `NotChangeable`, `NoMoreChanges` or `ChangedMeanwhile`.
        """
        told_no = self.state.appeal_until is not None
        changeable = self.stage in CHANGEABLE or self.every_system_refused
        if not changeable or not self.goes_on or told_no:
            raise ApplicationError(
                f"too late to be changed: the onboarding is {self.stage}", type="NotChangeable"
            )
        if change.version <= self.version:
            raise ApplicationError(
                f"version {self.version} is gone through already", type="ChangedMeanwhile"
            )
        if self.state.changes_left < 1:
            raise ApplicationError(
                f"the application was changed {self.state.round - 1} times, which is as often as it"
                " may be",
                type="NoMoreChanges",
            )
