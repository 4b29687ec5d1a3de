"""What an applicant, an owner, a reviewer or a document says is in our database, and nowhere else.

Canaries are planted wherever somebody tells us something, and then looked for: in histories as
Temporal keeps them (bytes, not JSON: there every payload is in base64), in search attributes and
memos, in what we log and in what is measured.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from tests.documents import PDF
from tests.house import House
from tests.integration.gateway.conftest import Gateway, gateway_of, prove_identity, stage_is, until
from workers.converter import CONVERTER
from workers.ports import free_port

CANARIES = (
    "Canary Werke",
    "canary.office",
    "Canary Owner",
    "Canary Signatory",
    "1971-02-03",
    "DE777888999",
    "Canary Comment",
    "Canary Appeal",
    "Canary Content",
    "Canary-File",
)
"""Of the applicant, whom it names, a comment, an appeal, a document and what its file is called."""


@asynccontextmanager
async def measured(house: House) -> AsyncIterator[tuple[Client, str]]:
    """A client whose measurements can be read, and where."""
    address = f"127.0.0.1:{free_port()}"
    telemetry = TelemetryConfig(metrics=PrometheusConfig(bind_address=address))
    client = await Client.connect(
        house.client.service_client.config.target_host,
        data_converter=CONVERTER,
        runtime=Runtime(telemetry=telemetry),
    )
    yield client, f"http://{address}/metrics"


@pytest.fixture
def application(key: str) -> dict[str, Any]:
    """A company, one of whose owners is on the list."""
    listed = {"name": "Vasko Drenov", "country": "BG", "date_of_birth": "1961-04-17"}
    return {
        "kind": "company",
        "name": f"Canary Werke {key[:8]} GmbH",
        "email": f"canary.office.{key[:8]}@example.com",
        "tax_id": {"type": "eu_vat", "value": "DE777888999"},
        "owners": [
            {**listed, "share_percent": 40},
            {
                "name": "Canary Owner",
                "country": "DE",
                "date_of_birth": "1971-02-03",
                "share_percent": 60,
            },
        ],
        "signatory": {"name": "Canary Signatory", "country": "DE", "date_of_birth": "1971-02-03"},
    }


async def under_review(gateway: Gateway, id_: str, door: Any) -> str:
    """Wait until an onboarding is reviewed, and comment on it; the path of the review."""
    await stage_is(gateway, id_, "reviewing")
    path = f"/v1/reviews/{id_}-1"
    said = await door.post(f"{path}/comments", {"text": "Canary Comment: they called us"})
    assert said.status_code == 201, said.text
    return path


async def judge_hits(gateway: Gateway, id_: str) -> None:
    path = f"/v1/onboardings/{id_}/screening"
    for hit in (await gateway.reviewer_two.get(path)).json()["hits"]:
        found = {"verdict": "false_positive", "reason": "compared with the register"}
        answer = await gateway.reviewer_two.send(
            "POST", f"{path}/hits/{hit['id']}/judgement", json=found, headers={"If-Match": "*"}
        )
        assert answer.status_code == 200, answer.text


async def decide(door: Any, path: str, **body: Any) -> None:
    answer = await door.send("POST", path, json=body, headers={"If-Match": '"1"'})
    assert answer.status_code == 202, answer.text


async def deliver_documents(gateway: Gateway, id_: str) -> None:
    """Everything that is asked for, with canaries within and in its name; all is accepted."""
    path = f"/v1/onboardings/{id_}/documents"
    for kind in (await gateway.service.get(path)).json()["missing"]:
        sent = await gateway.service.send(
            "POST",
            path,
            params={"kind": kind},
            content=PDF + b"Canary Content " + kind.encode(),
            headers={
                "Content-Type": "application/pdf",
                "Content-Disposition": 'attachment; filename="Canary-File.pdf"',
            },
        )
        assert sent.status_code == 201, sent.text
        acceptance = f"{path}/{sent.json()['id']}/acceptance"

        async def judged(acceptance: str = acceptance) -> int:
            return (await gateway.reviewer.post(acceptance, {})).status_code

        await until(judged, lambda status: status == 202)


@pytest.mark.slow
async def test_nothing_that_anybody_told_us_is_anywhere_but_in_our_database(
    house: House, key: str, application: dict[str, Any], written: io.StringIO
) -> None:
    async with measured(house) as (client, metrics):
        house = replace(house, client=client)
        async with gateway_of(house) as gateway, house.working(max_cached_workflows=10):
            signed = await gateway.service.sign_up(key, **application)
            first = str(signed.json()["id"])
            await prove_identity(gateway, first)
            path = await under_review(gateway, first, gateway.senior)
            await judge_hits(gateway, first)
            no = {"codes": ["details_not_confirmed"], "reason": "cannot be who they say"}
            await decide(gateway.senior, f"{path}/reject", **no)
            await stage_is(gateway, first, "rejected")

            why = {"reason": "Canary Appeal: it is a namesake"}
            appealed = await gateway.service.post(f"/v1/onboardings/{first}/appeal", why)
            second = str(appealed.json()["id"])
            await prove_identity(gateway, second)
            path = await under_review(gateway, second, gateway.senior_two)
            agreed = {"reason": "the register confirms it"}
            await decide(gateway.senior_two, f"{path}/approve", **agreed)
            await stage_is(gateway, second, "awaiting_documents")
            await deliver_documents(gateway, second)
            await stage_is(gateway, second, "active")
            processes = [f"onboarding/acme/{first}", f"onboarding/acme/{second}"]
            processes.append(f"customer/acme/{second}")
            customer = f"/v1/customers/{second}"
            shown = await until(lambda: gateway.operator.get(customer), lambda it: it.is_success)
            assert "Canary Werke" in shown.text, "who may see it sees it"
            async with httpx.AsyncClient() as http:
                told = {"metrics": (await http.get(metrics)).content}
        for process in processes:
            handle = client.get_workflow_handle(process)
            events = (await handle.fetch_history()).events
            told[process] = b"".join(one.SerializeToString() for one in events)
            description = (await handle.describe()).raw_description
            told[f"{process}, described"] = description.SerializeToString()
    told["logs"] = written.getvalue().encode()
    assert second.encode() in told[processes[1]], "payloads are read as they are"
    assert b"temporal_" in told["metrics"]
    assert b"answered" in told["logs"]
    for where, bytes_ in told.items():
        for canary in CANARIES:
            assert canary.lower().encode() not in bytes_.lower(), f"{canary} in {where}"
    kept = await house.rows("SELECT input, result, refusal FROM requests")
    for canary in CANARIES:
        assert canary not in str(kept), "the ledger holds ids, too"
