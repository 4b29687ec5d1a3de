"""What is there without our key, what got lost on its way, and what many ask for at once."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from activities.onboarding.directory import DirectoryActivities
from connectors.capabilities import Sent
from connectors.errors import Refused, Unanswered
from database import onboardings, reopening
from database.claims import RefusedBefore
from database.connection import transaction
from tests.faults import provisioning_cases as cases
from tests.faults.crashing import until_done
from tests.faults.intents import Bench, Intent, Step, named
from tests.house import TENANT, House
from tests.simulated import SimulatorHandle
from workflows.onboarding.messages import JoinGroup, workflow_id
from workflows.onboarding.steps import CrmSteps, DirectorySteps
from workflows.step import Undo

USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}
UPSERT = "/crm/v3/objects/contacts/batch/upsert"


async def somebody_elses_user(outside: SimulatorHandle, email: str) -> None:
    answer = await outside.directory.request("POST", "/v2/Users", json={**USER, "userName": email})
    assert answer.status_code == 201


async def somebody_elses_contact(outside: SimulatorHandle, email: str) -> None:
    body = {"properties": {"email": email}, "associations": []}
    answer = await outside.crm.request("POST", "/crm/v3/objects/contacts", json=body)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("step", "intend", "plant", "type_"),
    [
        (
            DirectorySteps.create_user,
            cases.create_user,
            somebody_elses_user,
            "directory.conflict",
        ),
        (CrmSteps.create_contact, cases.create_contact, somebody_elses_contact, "crm.conflict"),
    ],
)
async def test_what_has_the_address_without_our_key_is_refused_until_corrected(
    bench: Bench, step: Step, intend: Any, plant: Any, type_: str
) -> None:
    intent: Intent = await intend(bench)
    application = intent.request.application_id  # type: ignore[attr-defined]
    await plant(bench.house.outside, f"{application}@example.com")
    act = bench.act(step)
    for _ in range(2):
        with pytest.raises(RefusedBefore) as refused:
            await act(intent.request)
        assert (refused.value.type, refused.value.generation) == (type_, 1)
        assert "example.com" not in refused.value.reason
    assert await intent.happened() == 1, "only what was there before"
    async with transaction(bench.house.engine) as connection:
        version = await onboardings.revise(
            connection,
            id_=application,
            version=1,
            changes={"email": f"{secrets.token_hex(8)}@example.com"},
            created_by="test",
            event="test",
        )
    await act(intent.request.model_copy(update={"generation": 2, "version": version}))


@pytest.mark.parametrize(
    ("step", "undo", "intend", "system", "path"),
    [
        (
            DirectorySteps.create_user,
            DirectorySteps.delete_user,
            cases.create_user,
            "directory",
            "/v2/Users",
        ),
        (CrmSteps.create_contact, CrmSteps.archive_contact, cases.create_contact, "crm", UPSERT),
    ],
)
async def test_what_was_made_without_our_knowing_is_undone(
    bench: Bench, step: Step, undo: Step, intend: Any, system: str, path: str
) -> None:
    intent: Intent = await intend(bench)
    await getattr(bench.house.outside, system).fault("drop_after_commit", method="POST", path=path)
    with pytest.raises(Unanswered):
        await bench.act(step)(intent.request)
    assert await intent.happened() == 1
    key = named(undo, intent.request.request_key.rsplit("/", 1)[0])
    request = Undo(request_key=key, of=intent.request.request_key)
    undone = await until_done(bench.house, lambda: bench.act(undo)(request))
    assert undone.existed is True
    assert await intent.happened() == 0


async def test_what_somebody_else_made_is_never_undone(bench: Bench) -> None:
    intent = await cases.create_user(bench)
    application = intent.request.application_id  # type: ignore[attr-defined]
    await somebody_elses_user(bench.house.outside, f"{application}@example.com")
    with pytest.raises(RefusedBefore):
        await bench.act(DirectorySteps.create_user)(intent.request)
    key = named(DirectorySteps.delete_user, workflow_id(TENANT, application))
    request = Undo(request_key=key, of=intent.request.request_key)
    assert (await bench.act(DirectorySteps.delete_user)(request)).existed is False
    assert await intent.happened() == 1


async def test_the_first_customers_of_a_tenant_make_one_group_between_them(bench: Bench) -> None:
    await bench.house.outside.directory.reset()
    intents = [await cases.join_group(bench) for _ in range(4)]
    join = bench.act(DirectorySteps.join_group)

    async def patiently(intent: Intent) -> None:
        for _ in range(200):
            try:
                await join(intent.request)
            except Unanswered:  # another one is making it
                await asyncio.sleep(0.2)
            else:
                return
        raise AssertionError("it never got done")

    await asyncio.gather(*map(patiently, intents))
    [group] = await cases.groups(bench)
    assert len(group["members"]) == len(intents)


class StubbornDirectory:
    """Refuses to make groups until it is told not to, and may lose its answers to joins."""

    def __init__(self) -> None:
        self.refuses = True
        self.loses_answers = False
        self.groups: list[str] = []
        self.members: list[tuple[str, str]] = []

    async def create_group(self, key: str, *, name: str) -> str:
        if self.refuses:
            raise Refused("directory.auth", "the directory does not let our token do this")
        self.groups.append(f"group_{len(self.groups) + 1}")
        return self.groups[-1]

    async def find_group(self, sent: Sent) -> str | None:
        return None

    async def add_member(self, *, group_id: str, user_id: str) -> None:
        self.members.append((group_id, user_id))
        if self.loses_answers:
            raise Unanswered("directory.connection", "the answer got lost")

    async def remove_member(self, *, group_id: str, user_id: str) -> bool:
        self.members.remove((group_id, user_id))
        return True


async def joining(house: House) -> JoinGroup:
    application = await house.apply()
    key = named(DirectorySteps.join_group, workflow_id(TENANT, application))
    return JoinGroup(request_key=key, application_id=application, user_id=application)


def leaving(joined: JoinGroup) -> Undo:
    process = workflow_id(TENANT, joined.application_id)
    return Undo(request_key=named(DirectorySteps.leave_group, process), of=joined.request_key)


async def test_undoing_a_join_whose_group_never_came_to_be_makes_none(house: House) -> None:
    directory = StubbornDirectory()
    activities = DirectoryActivities(house.engine, directory)  # type: ignore[arg-type]
    joined = await joining(house)
    with pytest.raises(Refused):
        await activities.join_group(joined)
    directory.refuses = False
    assert (await activities.leave_group(leaving(joined))).existed is False
    assert directory.groups == []


async def test_undoing_a_join_makes_no_group_anew_and_leaves_the_one_that_was(house: House) -> None:
    directory = StubbornDirectory()
    directory.refuses, directory.loses_answers = False, True
    activities = DirectoryActivities(house.engine, directory)  # type: ignore[arg-type]
    joined = await joining(house)
    with pytest.raises(Unanswered):
        await activities.join_group(joined)
    assert directory.members == [("group_1", joined.user_id)]
    async with transaction(house.engine) as connection:
        key = f"tenant/{TENANT}/directory.create_group"
        await reopening.reopen(connection, key, 1, actor="ada", reason="it was deleted by hand")
    undone = await until_done(house, lambda: activities.leave_group(leaving(joined)))
    assert undone.existed is True
    assert (directory.groups, directory.members) == (["group_1"], [])


async def test_a_group_that_was_refused_holds_up_nobody_once_that_is_repaired(house: House) -> None:
    directory = StubbornDirectory()
    activities = DirectoryActivities(house.engine, directory)  # type: ignore[arg-type]
    first, second = await joining(house), await joining(house)
    with pytest.raises(Refused) as refused:
        await activities.join_group(first)
    assert refused.value.type == "directory.auth"
    directory.refuses = False
    for request in (second, first):
        await activities.join_group(request)
    assert directory.members == [
        ("group_1", second.application_id),
        ("group_1", first.application_id),
    ]
