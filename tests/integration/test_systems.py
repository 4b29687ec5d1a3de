"""One system in the place of another: a setting, and neither workflow nor activity notices."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.integration.gateway.conftest import gateway_of
from tests.integration.test_worker import Handle, at_stripe, prove_identity, started, until
from tests.outbox import letters_in
from tests.patience import SOON
from workers import settings as setting

SWAPPED = {
    "identity": "manual",
    "billing": "invoice",
    "directory": "tenant_api",
    "crm": "csv",
    "mail": "outbox",
    "screening": "yente",
}
ONE_BY_ONE = (pytest.mark.slow, pytest.mark.alone, pytest.mark.release)
"""All at once are swapped for each change."""

# Of the form that a VAT id has, but too long: every system for billing refuses it.
IMPOSSIBLE = {"type": "eu_vat", "value": "DE00000000000000"}
POSSIBLE = {"type": "eu_vat", "value": "DE123456789"}
EVERYTHING = {"accounts": 1, "users": 1, "memberships": 1, "contacts": 1}
NOTHING = dict.fromkeys(EVERYTHING, 0)


def swapped(house: House, *names: str) -> House:
    """The house with other systems; what the swapped ones would need is not even set."""
    given: dict[str, Any] = {name: SWAPPED[name] for name in names}
    if "directory" in names:
        given["directory_url"] = f"{house.outside.tenants.url}/v1"
    if "crm" in names:
        given |= {"hubspot_token": None, "hubspot_api_base": None}
    if {"identity", "billing"} <= set(names):
        given |= {"stripe_api_key": None, "stripe_api_base": None}
    if "screening" in names:
        given |= {"screening_list": None}
    if "mail" in names:
        given |= {"smtp_host": "nowhere.invalid"}
    before = {name: getattr(house.settings, name) for name in house.settings.model_fields_set}
    return dataclasses.replace(house, settings=setting.load(**before | given))


async def prove(house: House, handle: Handle) -> None:
    """Do what the applicant does, or what a reviewer finds out."""
    if house.settings.identity == "stripe":
        await prove_identity(house, handle)
        return
    await until(handle, lambda progress: progress.waiting and "identity" in progress.waiting.what)
    sql = "SELECT id FROM identity_sessions WHERE workflow_id = :id"
    ((session,),) = [tuple(row.values()) for row in await house.rows(sql, id=handle.id)]
    async with gateway_of(house) as gateway:
        path = f"/v1/identity-sessions/{session}/verified"
        told = await gateway.reviewer.post(path, {"reason": "passport seen in a video call"})
        assert told.status_code == 200, told.text
        await until(handle, lambda progress: progress.stage != "verifying_identity")


async def left(house: House, application: str, process: str) -> dict[str, int]:
    """What there is of a customer, in whichever systems."""
    address = f"{application}@example.com"
    users, memberships = await _in_directory(house, address)
    contacts = await _in_crm(house, address)
    return {
        "accounts": await _accounts(house, process),
        "users": users,
        "memberships": memberships,
        "contacts": contacts,
    }


async def _accounts(house: House, process: str) -> int:
    if house.settings.billing == "stripe":
        return len(await at_stripe(house, "/v1/customers", process))
    return len(
        await house.rows("SELECT * FROM billing_accounts WHERE workflow_id = :id", id=process)
    )


async def _in_directory(house: House, address: str) -> tuple[int, int]:
    async def at(path: str) -> list[dict[str, Any]]:
        scim = house.settings.directory == "scim"
        api = house.outside.directory if scim else house.outside.tenants
        answer = await api.request("GET", ("/v2/" if scim else "/v1/") + path)
        found: list[dict[str, Any]] = answer.json()["Resources" if scim else "items"]
        return found

    if house.settings.directory == "scim":
        users = [user["id"] for user in await at("Users") if user["userName"] == address]
        groups = [group.get("members", []) for group in await at("Groups")]
        members = [member["value"] for group in groups for member in group]
    else:
        users = [user["id"] for user in await at("users") if user["email"] == address]
        groups = [await at(f"groups/{group['id']}/members") for group in await at("groups")]
        members = [member["id"] for group in groups for member in group]
    return len(users), sum(member in users for member in members)


async def _in_crm(house: House, address: str) -> int:
    if house.settings.crm == "csv":
        rows = _exported(house.settings.crm_folder / "contacts")
        return sum(row["email"] == address for row in rows)
    answer = await house.outside.crm.request("GET", "/crm/v3/objects/contacts")
    found = answer.json()["results"]
    return sum(one["properties"]["email"] == address for one in found)


def _exported(folder: Path) -> list[dict[str, str]]:
    """What an import of all the files would have in the end."""
    rows = []
    for file in folder.glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as text:
            rows += list(csv.DictReader(text))
    away = {row["id"] for row in rows if row["action"] == "archive"}
    return [row for row in rows if row["id"] not in away]


async def letters(house: House, address: str) -> list[str]:
    if house.settings.mail == "outbox":
        found = letters_in(house.settings.mail_folder)
        return [one.subject for one in found if address in one.recipients]
    return [one.subject for one in await house.outside.messages(to=address)]


@pytest.mark.parametrize(
    "names",
    [tuple(SWAPPED), *(pytest.param((name,), marks=ONE_BY_ONE) for name in SWAPPED)],
    ids="+".join,
)
async def test_a_customer_is_onboarded_and_another_withdrawn_with_nothing_left(
    house: House, names: tuple[str, ...]
) -> None:
    house = swapped(house, *names)
    async with house.working():
        gone, leaving = await started(house, tax_id=IMPOSSIBLE)
        await prove(house, leaving)
        await _all_but_the_tax_id_is_made(leaving)
        assert await left(house, gone, leaving.id) == EVERYTHING
        await leaving.cancel()
        assert await asyncio.wait_for(leaving.result(), SOON) == "withdrawn"
        assert await left(house, gone, leaving.id) == NOTHING

        application, handle = await started(house, tax_id=POSSIBLE)
        await prove(house, handle)
        assert await asyncio.wait_for(handle.result(), SOON) == "active"
    assert await left(house, application, handle.id) == EVERYTHING
    link, welcome = "Confirm your e-mail address", "Welcome"
    assert sorted(await letters(house, f"{application}@example.com")) == [link, welcome]
    assert await letters(house, f"{gone}@example.com") == [link]
    assert len(await letters(house, house.settings.operators_email)) >= 1
    if "billing" in names:
        (tax_id,) = await house.rows("SELECT type, value FROM billing_tax_ids")
        assert tax_id == POSSIBLE
    if "identity" in names:
        sessions = await house.rows("SELECT workflow_id, state FROM identity_sessions")
        states = {row["workflow_id"]: row["state"] for row in sessions}
        assert states == {leaving.id: "closed", handle.id: "verified"}
    if "screening" in names:
        assert (await house.outside.yente.counters()).executed("POST", "/match/{dataset}") == 2
    history = (await handle.fetch_history()).to_json()
    kept = history + str(await house.rows("SELECT * FROM requests"))
    for secret in (f"{application}@", "DE123456789", "有限公司"):
        assert secret not in kept


@pytest.mark.slow
async def test_while_the_list_does_not_answer_it_parks_and_then_goes_on(house: House) -> None:
    house = swapped(house, "screening")
    await house.outside.yente.outage()
    async with house.working(max_cached_workflows=10), gateway_of(house) as gateway:
        _, handle = await started(house)
        await prove_identity(house, handle)
        progress = await until(handle, lambda progress: progress.attention)
        (parked,) = progress.attention
        assert (parked.step, parked.reason.type) == ("screening.screen", "screening.server")
        assert progress.stage == "screening"
        await house.outside.yente.clear_faults()
        decision = {"workflow_id": handle.id, "step": parked.step, "action": "retry"}
        told = await gateway.operator.post(
            "/v1/attention/resolve", decision | {"reason": "the list is up again"}
        )
        assert told.status_code == 202
        assert await asyncio.wait_for(handle.result(), SOON) == "active"


async def _all_but_the_tax_id_is_made(handle: Handle) -> None:
    progress = await until(handle, lambda progress: progress.attention)
    assert [one.step for one in progress.attention] == ["billing.create_tax_id"]
    assert progress.attention[0].reason.type.endswith(".invalid_request")

    def done(progress: Any) -> bool:
        states = {step.step: step.state for step in progress.steps}
        return all(
            states.get(step) == "succeeded"
            for step in ("directory.join_group", "crm.create_contact")
        )

    await until(handle, done)
