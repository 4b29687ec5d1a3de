"""What fell through at the door is picked up by the chores that run by schedule."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta

import pytest

from activities import upkeep
from tests.documents import PDF, ask, in_spool, row_of, spool_of, take_in
from tests.house import House
from tests.integration.test_worker import at_stripe, started, until
from tests.patience import SOON
from workflows.bringing_back import bring_back, bring_life_back
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.life import CUSTOMER_LIFE, customer_workflow_id
from workflows.onboarding.messages import TASK_QUEUE, Start, workflow_id
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.upkeep import Chore, Report, Upkeep


async def do(house: House, chore: Chore) -> Report:
    """Run a chore as its schedule does."""
    return await house.client.execute_workflow(
        Upkeep.run, chore, id=f"upkeep/{chore}/test", task_queue=TASK_QUEUE
    )


async def closed(house: House, process: str, status: str) -> None:
    """Wait until lists show that a run was closed: they are a moment behind."""
    query = f"WorkflowId = '{process}' AND ExecutionStatus = '{status}'"
    async with asyncio.timeout(SOON):
        while not [run async for run in house.client.list_workflows(query)]:
            await asyncio.sleep(0.05)


async def test_an_application_that_was_stored_and_never_started_is_started(house: House) -> None:
    application = await house.apply()
    process = workflow_id("acme", application)
    await house.rows("UPDATE onboardings SET created_at = now() - interval '1 minute'")
    async with house.working():
        assert (await do(house, "hand_over")).found == 1
        assert (await do(house, "hand_over")).found == 0
        handle = house.client.get_workflow_handle(process, result_type=str)
        await until(handle, lambda progress: progress.waiting)


async def test_an_event_that_no_webhook_brought_is_swept_in_and_handed_over(house: House) -> None:
    async with house.working():
        _, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        sessions = await at_stripe(house, "/v1/identity/verification_sessions", handle.id)
        await house.outside.submit_identity(str(sessions[0]["id"]), "verified")
        assert (await do(house, "sweep")).found >= 1
        assert (await do(house, "hand_over")).found >= 1
        assert await asyncio.wait_for(handle.result(), SOON) == "active"
        assert (await do(house, "sweep")).found == 0, "what is known is not new"


async def test_what_a_crash_left_in_the_spool_is_swept_and_nothing_else(house: House) -> None:
    waiting, ended = await house.apply(), await house.apply()
    for application in (waiting, ended):
        await ask(house, application)
    wanted = await take_in(house, waiting)
    unwanted = await take_in(house, ended)
    await house.rows("UPDATE onboardings SET ended_at = now() WHERE id = :id", id=ended)
    orphan, under_way, cut_off = (spool_of(house).begin() for _ in range(3))
    orphan.write(PDF)
    orphan.keep("0" * 32)
    two_hours_ago = time.time() - 7200
    for file in house.settings.spool.rglob("*"):
        if file.is_file() and file != under_way._path:
            os.utime(file, (two_hours_ago, two_hours_ago))
    async with house.working():
        assert (await do(house, "sweep_spool")).found == 3
        assert (await do(house, "sweep_spool")).found == 0
    assert in_spool(house) == sorted([wanted, under_way._path.name])
    assert [(await row_of(house, one))["state"] for one in (wanted, unwanted)] == [
        "received",
        "gone",
    ]
    for part in (orphan, under_way, cut_off):
        part.close()


async def test_a_run_ended_from_outside_is_listed_until_its_process_goes_on(house: House) -> None:
    async with house.working():
        application, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        run = (await handle.describe()).run_id
        await handle.terminate("by mistake")
        await closed(house, handle.id, "Terminated")
        for _ in range(2):
            await do(house, "find_lost_runs")
            assert await lost(house, handle.id) == [{"run_id": run, "status": "terminated"}]
        # What happens meanwhile is told to nobody; the process asks when it is back.
        sessions = await at_stripe(house, "/v1/identity/verification_sessions", handle.id)
        await house.outside.submit_identity(str(sessions[0]["id"]), "verified")
        await bring_back(house.client, Start(application_id=application, tenant="acme"), run)
        await house.rows("DELETE FROM lost_runs")
        await do(house, "find_lost_runs")
        assert await lost(house, handle.id) == [], "a later run goes on"
        again = house.client.get_workflow_handle(handle.id, result_type=str)
        assert await asyncio.wait_for(again.result(), SOON) == "active"


async def customers_to_tell(house: House) -> None:
    """Three customers whose processes are lost, and then three who are watched over."""
    for number, name in enumerate("abcdef"):
        process = customer_workflow_id("acme", name * 26)
        await house.rows(
            """INSERT INTO customers (id, tenant, workflow_id, stage, since, risk, proved_at,
                                      reverify_at)
               VALUES (:id, 'acme', :process, 'active', now() + :after, 'low', now(), now())""",
            id=name * 26,
            process=process,
            after=timedelta(minutes=number),
        )
        if number >= 3:
            await house.client.start_workflow(CUSTOMER_LIFE, id=process, task_queue="nobody")


async def told_of_lists(house: House) -> str:
    sql = "SELECT left(id, 1) AS name FROM customers WHERE list_told IS NOT NULL ORDER BY id"
    return "".join(str(row["name"]) for row in await house.rows(sql))


async def test_every_customer_is_told_of_a_new_list_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 2)
    await customers_to_tell(house)
    async with house.working():
        assert (await do(house, "tell_of_lists")).found == 3
        assert await told_of_lists(house) == "def"
        assert (await do(house, "tell_of_lists")).found == 0, "who was told is left alone"


async def test_lost_customers_do_not_keep_the_others_from_being_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 2)
    monkeypatch.setattr(upkeep, "_TELLING_SECONDS", 0)  # a page a run
    await customers_to_tell(house)
    async with house.working():
        assert [(await do(house, "tell_of_lists")).found for _ in range(4)] == [0, 1, 2, 0]
    assert await told_of_lists(house) == "def"


async def test_a_customer_whom_temporal_cannot_know_does_not_keep_the_others_from_being_told(
    house: House,
) -> None:
    await customers_to_tell(house)
    await house.rows("UPDATE customers SET workflow_id = '' WHERE id LIKE 'a%'")
    async with house.working():
        assert (await do(house, "tell_of_lists")).found == 3
    assert await told_of_lists(house) == "def"


@pytest.mark.parametrize(
    ("process", "type_", "also"),
    [
        ("onboarding/acme/" + "m" * 26, CustomerOnboarding, {"email_confirmed"}),
        (customer_workflow_id("acme", "m" * 26), CustomerLife, set()),
    ],
)
async def test_what_is_brought_back_is_told_to_look_at_all_that_it_listens_to(
    house: House, process: str, type_: type, also: set[str]
) -> None:
    handle = await house.client.start_workflow(type_.__name__, id=process, task_queue="nobody")
    run = handle.first_execution_run_id
    assert run is not None
    if type_ is CustomerLife:
        await bring_life_back(house.client, process, run)
    else:
        await bring_back(house.client, Start(application_id="m" * 26, tenant="acme"), run)
    signals = {
        event.workflow_execution_signaled_event_attributes.signal_name
        async for event in handle.fetch_history_events()
    } - {""}
    assert signals == {"identity_changed", "documents_changed", "hit_judged"} | also
    assert all(hasattr(type_, signal) for signal in signals)
    await handle.terminate("seen")


async def lost(house: House, process: str) -> list[dict[str, object]]:
    """The lost runs of one process: other tests left some on the same server."""
    sql = "SELECT run_id, status FROM lost_runs WHERE workflow_id = :id"
    return await house.rows(sql, id=process)
