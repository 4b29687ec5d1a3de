"""What people see of a process while it rests, and what Temporal is not bothered with meanwhile."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.scripted import Scripted
from tests.workflow.test_onboarding import prove_identity
from workflows.onboarding.steps import ApplicationSteps, BillingSteps


async def details(one: Onboarding) -> str:
    """What the Web UI shows."""
    metadata: WorkflowMetadata = await one.handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


async def stage_when(one: Onboarding, stage: str) -> None:
    async with asyncio.timeout(SOON):
        while (await one.handle.describe()).search_attributes.get("Stage") != [stage]:
            await asyncio.sleep(0.02)


async def stages_told(one: Onboarding) -> list[str]:
    """The stages that Temporal was told, in their order."""
    upserts = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        for event in (await one.handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    ]
    return [upsert["Stage"].data.decode().strip('"') for upsert in upserts if "Stage" in upsert]


async def test_stages_that_pass_at_once_are_told_by_their_last(onboarding: Begin) -> None:
    async with onboarding(Scripted()) as one:
        await prove_identity(one)
        assert await one.handle.result() == "active"
        told = await stages_told(one)
    assert told == [
        *("verifying_email", "verifying_identity", "screening"),
        *("provisioning", "welcoming", "active"),
    ]


async def test_details_show_a_step_while_it_runs_and_when_it_is_done(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(BillingSteps.create_customer)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["billing.create_customer"].wait()
        await stage_when(one, "provisioning")
        shown = await details(one)
        assert "**Stage:** provisioning" in shown
        row = next(line for line in shown.splitlines() if "Create the customer" in line)
        assert "running" in row
        released.set()
        assert await one.handle.result() == "active"
        shown = await details(one)
        assert "**Stage:** active" in shown
        assert "running" not in shown


async def test_a_stage_in_which_our_database_hangs_is_shown(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.validate)
    async with onboarding(world) as one:
        await stage_when(one, "validating")
        assert "Validate the application" in await details(one)
        released.set()
        await prove_identity(one)
        assert await one.handle.result() == "active"
