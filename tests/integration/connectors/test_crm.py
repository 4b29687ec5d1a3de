"""The CRM by HubSpot: what is sent, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import ConnectorError, Refused
from connectors.http_api import HttpApi
from connectors.hubspot.crm import UNIQUE, HubSpotCrm
from tests.simulated import SimulatorHandle

CONTACTS = "/crm/v3/objects/contacts"
UPSERT = f"{CONTACTS}/batch/upsert"


async def _create(crm: HubSpotCrm, key: str = "prd_1") -> str:
    return await crm.create_contact(
        key, email="ada@example.com", country="DE", name="Ada Lovelace", company=None
    )


async def _records(world: SimulatorHandle, kind: str = "contacts") -> list[dict[str, Any]]:
    wanted = f"{UNIQUE},email,lastname,company,name,country"
    answer = await world.crm.request("GET", f"/crm/v3/objects/{kind}?properties={wanted}")
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def test_records_carry_our_key_and_what_sales_needs(
    hubspot_crm: HubSpotCrm, world: SimulatorHandle
) -> None:
    contact = await _create(hubspot_crm)
    await hubspot_crm.create_contact(
        "prd_2", email="info@example.com", country="FR", name=None, company="Example SA"
    )
    company = await hubspot_crm.create_company("prd_3", name="Example SA", country="FR")
    ada, info = await _records(world)
    assert ada["id"] == contact
    assert ada["properties"].items() >= {
        (UNIQUE, "prd_1"),
        ("email", "ada@example.com"),
        ("lastname", "Ada Lovelace"),
        ("country", "DE"),
    }
    assert info["properties"]["company"] == "Example SA"
    assert "lastname" not in info["properties"]
    [there] = await _records(world, "companies")
    assert there["id"] == company
    assert there["properties"].items() >= {("name", "Example SA"), (UNIQUE, "prd_3")}


async def test_a_contact_that_somebody_typed_in_is_a_conflict(
    hubspot_crm: HubSpotCrm, world: SimulatorHandle
) -> None:
    typed = {"properties": {"email": "ada@example.com"}, "associations": []}
    assert (await world.crm.request("POST", CONTACTS, json=typed)).status_code == 201
    with pytest.raises(Refused) as refused:
        await _create(hubspot_crm)
    assert refused.value.type == "crm.conflict"
    assert "example.com" not in refused.value.text
    [there] = await _records(world)
    assert UNIQUE not in there["properties"]


async def test_a_wrong_token_and_a_wrong_address_are_refusals(world: SimulatorHandle) -> None:
    for base, token, type_ in (
        (world.crm.url, "wrong", "crm.auth"),
        (f"{world.crm.url}/nowhere", world.crm.token, "crm.invalid_request"),
    ):
        http = HttpApi("crm.connection", base, token)
        with pytest.raises(Refused) as refused:
            await _create(HubSpotCrm(http))
        assert refused.value.type == type_
        await http.close()


async def test_no_failure_repeats_who_applied(
    hubspot_crm: HubSpotCrm, world: SimulatorHandle
) -> None:
    with pytest.raises(ConnectorError) as failed:
        await hubspot_crm.create_contact(
            "prd_1", email="Ada without an address", country="DE", name="Ada", company=None
        )
    assert failed.value.type == "crm.invalid_request"
    assert "VALIDATION_ERROR" in failed.value.text
    assert "without" not in failed.value.text
