"""An onboarding as one would write it without us: the same activities in a plain workflow.

Nothing is claimed, parked, undone or shown, and messages are dictionaries that nobody checks.
"""

import asyncio
from datetime import timedelta
from typing import Any, TypedDict

from temporalio import workflow

TASK_QUEUE = "plain"
SHORT_STEPS = (
    *("application.receive", "application.validate", "application.decide"),
    *("confirmation.open", "confirmation.read"),
)
STAGE = "application.record_stage"


class Order(TypedDict):
    """Whom to onboard, and whether everything is a regular activity after the other.

    If not, short steps in our own database are local activities, and the three systems are
    provisioned at the same time.
    """

    application_id: str
    sequential: bool


@workflow.defn
class PlainOnboarding:
    """The activities of an onboarding, without anything around them."""

    def __init__(self) -> None:
        self.confirmed = False
        self.heard = False
        self.application: dict[str, Any] = {}
        self.sequential = False

    @workflow.run
    async def run(self, order: Order) -> str:
        """Carry out the activities."""
        self.application = {"application_id": order["application_id"]}
        self.sequential = order["sequential"]
        received = await self.do("application.receive")
        policy = received["policy"]
        await self.enter("validating")
        territory = {name: policy[name] for name in ("countries", "currencies")}
        validated = await self.do(
            "application.validate", policy_version=policy["version"], **territory
        )
        await self.enter("verifying_email")
        opened = await self.do("confirmation.open", link_seconds=24 * 60 * 60)
        await self.do("confirmation.send", until=opened["until"])
        await workflow.wait_condition(lambda: self.confirmed, timeout=timedelta(days=7))
        await self.do("confirmation.read")
        await self.enter("verifying_identity")
        session = await self.do("identity.open_session")
        await workflow.wait_condition(lambda: self.heard, timeout=timedelta(days=14))
        await self.remote("identity.read_session", session)
        await self.enter("screening")
        screened = await self.do("screening.screen")
        await self.enter("deciding")
        await self.do(
            "application.decide",
            identity="verified",
            rules=received["rules"],
            screening=screened["status"],
            politically_exposed=screened["politically_exposed"],
            possible_duplicate=validated["possible_duplicate"],
        )
        await self.enter("provisioning")
        systems = (self.provision_billing(), self.provision_directory(), self.provision_crm())
        if self.sequential:
            for system in systems:
                await system
        else:
            await asyncio.gather(*systems)
        await self.enter("welcoming")
        await self.do("notice.welcome")
        await self.enter("active")
        return "active"

    async def provision_billing(self) -> None:
        """Customer and tax id."""
        customer = await self.do("billing.create_customer")
        await self.do("billing.create_tax_id", customer_id=customer["customer_id"])

    async def provision_directory(self) -> None:
        """User and membership."""
        user = await self.do("directory.create_user")
        await self.do("directory.join_group", user_id=user["user_id"])

    async def provision_crm(self) -> None:
        """The contact."""
        await self.do("crm.create_contact")

    @workflow.signal
    def email_confirmed(self, hint: dict[str, Any]) -> None:
        """The address of the applicant was confirmed."""
        self.confirmed = True

    @workflow.signal
    def identity_changed(self, hint: dict[str, Any]) -> None:
        """Something happened to the identity session."""
        self.heard = True

    async def enter(self, stage: str) -> None:
        """Keep the stage."""
        await self.do(STAGE, stage=stage)

    async def do(self, activity: str, **given: Any) -> Any:
        """Run an activity about the application."""
        request = self.application | given
        if not self.sequential and activity in (*SHORT_STEPS, STAGE):
            return await workflow.execute_local_activity(
                activity, request, start_to_close_timeout=timedelta(seconds=10)
            )
        return await self.remote(activity, request)

    async def remote(self, activity: str, request: dict[str, Any]) -> Any:
        """Run a regular activity."""
        return await workflow.execute_activity(
            activity, request, start_to_close_timeout=timedelta(seconds=20)
        )
