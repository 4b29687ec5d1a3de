"""What callers use: the client for backend services, and the command line, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner, Result

from tests.house import API_KEYS, FORM, TENANT, House
from tests.integration.gateway.conftest import (
    Gateway,
    link_of,
    prove_identity,
    stage_is,
)
from tests.patience import SOON
from workers.cli import app as command_line
from workers.obstacle import Obstacle
from workers.ports import free_port
from workflows.client import NotReachable, PerdureClient, PerdureError, Refused
from workflows.onboarding.application import Application
from workflows.onboarding.messages import onboarding_id, workflow_id

APPLICATION = Application.model_validate(FORM)


Perdure = Callable[..., Any]


@pytest.fixture
def perdure(served: str, house: House, monkeypatch: pytest.MonkeyPatch) -> Perdure:
    """The command line, as somebody with every key runs it."""
    monkeypatch.setenv("PERDURE_HOME", str(house.settings.home))
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    for role, secret in API_KEYS.items():
        monkeypatch.setenv(f"PERDURE_API_KEY_{role.upper()}", secret)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(command_line, arguments))

    return run


def out(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def refused(result: Result, exit_code: int) -> str:
    """What a command says that could not do it; `main` prints it and ends with its code."""
    assert isinstance(result.exception, Obstacle), (result.output, result.exception)
    assert result.exception.exit_code == exit_code
    return str(result.exception)


async def test_a_backend_service_starts_and_follows(
    served: str, reached: Gateway, house: House, key: str
) -> None:
    async with (
        house.working(max_cached_workflows=10),
        PerdureClient(served, API_KEYS["service"], temporal=house.client) as perdure,
    ):
        first, again = await asyncio.gather(
            perdure.start(APPLICATION, key=key), perdure.start(APPLICATION, key=key)
        )
        assert first == again
        assert first.id == onboarding_id(TENANT, key)
        handle = perdure.handle(first.workflow_id)
        stages: list[str] = []

        async def follow() -> None:
            async for progress in handle.follow(every=timedelta(milliseconds=20)):
                stages.append(progress.stage)

        following = asyncio.create_task(follow())
        await prove_identity(reached, first.id)
        assert await handle.end() == "active"
        await following
        assert stages[-1] == "active"
        assert "verifying_identity" in stages
        shown = await perdure.show(first.id)
        assert shown.application == APPLICATION
        with pytest.raises(Refused) as caught:
            await perdure.start(APPLICATION.model_copy(update={"name": "Other"}), key=key)
        assert (caught.value.status, caught.value.code) == (422, "key-reused")
        bad = APPLICATION.model_copy(update={"country": "XX"})
        with pytest.raises(Refused, match="country is not a country code"):
            await perdure.start(bad, key="another")


async def test_a_service_lists_page_by_page_and_withdraws(
    served: str, reached: Gateway, house: House, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        house.working(max_cached_workflows=10),
        PerdureClient(served, API_KEYS["service"]) as perdure,
    ):
        ids = [(await perdure.start(APPLICATION, key=f"{key} {at}")).id for at in range(3)]
        first = await stage_is(reached, ids[0], "verifying_email")
        pages = 0
        ask = perdure._ask

        async def ask_for_pages_of_two(method: str, path: str, **request: Any) -> bytes:
            nonlocal pages
            pages += 1
            request["params"] = request["params"] | {"limit": 2}
            return await ask(method, path, **request)

        with monkeypatch.context() as patched:
            patched.setattr(perdure, "_ask", ask_for_pages_of_two)
            assert [one.id async for one in perdure.onboardings()] == ids[::-1]
        assert pages == 2
        since = datetime.fromisoformat(first["created_at"])
        before = [one.id async for one in perdure.onboardings(created_before=since)]
        after = [one.id async for one in perdure.onboardings(created_from=since)]
        assert (before, after) == ([], ids[::-1])

        told = await perdure.withdraw(ids[0], reason="changed their mind")
        assert (told.stage, told.stopping) == ("verifying_email", "to be withdrawn")
        await stage_is(reached, ids[0], "withdrawn")
        told = await perdure.withdraw(ids[0], reason="changed their mind")
        assert (told.stage, told.stopping) == ("withdrawn", None)
        ended = [one.id async for one in perdure.onboardings(stages=("withdrawn", "active"))]
        assert ended == [ids[0]]
        with pytest.raises(Refused) as caught:
            await perdure.withdraw("a" * 26, reason="there is none")
        assert caught.value.code == "not-found"


async def test_a_service_that_stores_applications_itself_starts_through_temporal(
    house: House,
) -> None:
    application = await house.apply()
    async with (
        house.working(max_cached_workflows=10),
        PerdureClient("http://gateway.invalid", "none", temporal=house.client) as perdure,
    ):
        handle = await perdure.start_from(application, tenant=TENANT)
        assert handle.workflow_id == workflow_id(TENANT, application)
        again = await perdure.start_from(application, tenant=TENANT)
        assert (await again.progress()).workflow_id == handle.workflow_id


async def test_a_service_learns_that_nobody_answers() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with PerdureClient(nowhere, "none", patience=timedelta(0)) as perdure:
        with pytest.raises(NotReachable):
            await perdure.start(APPLICATION, key="k")
        with pytest.raises(PerdureError, match="temporal"):
            perdure.handle("onboarding/acme/x")


async def test_the_gateway_may_come_back_meanwhile(served: str, house: House, key: str) -> None:
    tries = 0

    class Flaky(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise httpx.ConnectError("not there yet")
            if tries == 2:
                await super().handle_async_request(request)
                raise httpx.ReadError("the answer is lost")
            return await super().handle_async_request(request)

    service = PerdureClient(served, API_KEYS["service"], transport=Flaky())
    async with house.working(max_cached_workflows=10), service as perdure:
        onboarding = await perdure.start(APPLICATION, key=key)
    assert onboarding.id == onboarding_id(TENANT, key)
    assert tries == 3


SIGN_UP = ("--name", "Żółta Łódź", "--email", "owner@example.com", "--country", "DE")


async def test_the_command_line_from_a_signup_to_its_end(
    perdure: Perdure, reached: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        sign_up = ("onboarding", "start", *SIGN_UP, "--currency", "EUR", "--key", key)
        started = out(await perdure(*sign_up, "--tax-id", "eu_vat:XX1", "--json"))
        id_, workflow = started["id"], started["workflow_id"]
        again = await perdure(*sign_up, "--tax-id", "eu_vat:XX1")
        assert again.exit_code == 0
        assert again.stdout.startswith(id_)
        assert "key" in refused(await perdure(*sign_up), 1)

        await prove_identity(reached, id_)
        async with asyncio.timeout(SOON):
            while not (listed := out(await perdure("attention", "list", "--json")))["items"]:
                await asyncio.sleep(0.1)
        assert listed["items"][0]["step"] == "billing.create_tax_id"
        for people in (
            await perdure("attention", "list"),
            await perdure("onboarding", "show", id_),
            await perdure("onboarding", "list", "--stage", "provisioning"),
            await perdure("request", "show", workflow),
        ):
            assert people.exit_code == 0, people.exception
            assert id_ in people.stdout
        shown = (await perdure("onboarding", "show", id_)).stdout
        assert "Żółta Łódź" in shown
        assert "billing.create_tax_id" in shown
        assert "retry, abort" in shown
        key_of_step = f"{workflow}/billing.create_tax_id"
        entry = out(await perdure("request", "show", key_of_step, "--json"))
        assert entry["state"] == "refused"

        resolve = ("attention", "resolve", workflow)
        step = ("--step", "billing.create_tax_id", "--reason", "looked")
        assert "retry, abort" in refused(await perdure(*resolve, "skip", *step), 1)
        resolved = await perdure(*resolve, "abort", *step)
        assert resolved.exit_code == 0, resolved.exception
        async with asyncio.timeout(SOON):
            while out(await perdure("onboarding", "show", id_, "--json"))["stage"] != "aborted":
                await asyncio.sleep(0.1)
        assert "still" not in (await perdure("attention", "list")).stdout
        withdraw = ("onboarding", "withdraw", id_, "--reason", "r", "--as", "service")
        assert "aborted" in refused(await perdure(*withdraw), 1)
        reopen = ("request", "reopen", f"{workflow}/application.receive", "--reason", "again")
        assert out(await perdure(*reopen, "--json"))["generation"] == 2


async def test_a_correction_prints_the_command_that_retries_with_it(
    perdure: Perdure, reached: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        sign_up = ("onboarding", "start", *SIGN_UP, "--currency", "EUR", "--key", key)
        started = out(await perdure(*sign_up, "--tax-id", "eu_vat:XX1", "--json"))
        id_, workflow = started["id"], started["workflow_id"]
        correct = ("onboarding", "correct", id_)
        early = await perdure(*correct, "--name", "Żółta Łódź 2")
        assert "change the application instead" in refused(early, 1)
        await prove_identity(reached, id_)
        async with asyncio.timeout(SOON):
            while not out(await perdure("attention", "list", "--json"))["items"]:
                await asyncio.sleep(0.1)
        elsewhere = await perdure(*correct, "--email", "new@example.com")
        assert "email went to billing, the CRM and the directory" in refused(elsewhere, 1)
        right = (*correct, "--tax-id", "eu_vat:DE123456789")
        told = (await perdure(*right, "--version", "1")).stdout
        assert told.startswith(f"{id_}  version 2\n")
        assert "changed since" in refused(await perdure(*right, "--version", "1"), 1)
        again = out(await perdure(*correct, "--tax-id", "eu_vat:DE987654321", "--json"))
        assert again["version"] == 3
        (command,) = again["to_retry"]
        assert command.replace("--version 3", "--version 2") in told
        assert command.startswith(f"perdure attention resolve {workflow} retry ")
        retried = await perdure(*shlex.split(command)[1:])
        assert retried.exit_code == 0, retried.exception
        async with asyncio.timeout(SOON):
            while out(await perdure("onboarding", "show", id_, "--json"))["stage"] != "active":
                await asyncio.sleep(0.1)
        assert "active" in refused(await perdure(*right), 1)
        application = out(await perdure("onboarding", "show", id_, "--json"))["application"]
        assert application["email"] == "owner@example.com"
        assert application["tax_id"]["value"] == "DE987654321"


async def test_a_mistyped_address_is_changed_and_mailed_by_a_command(
    perdure: Perdure, served: str, reached: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        sign_up = ("onboarding", "start", *SIGN_UP, "--currency", "EUR", "--key", key)
        id_ = out(await perdure(*sign_up, "--json"))["id"]
        first = await link_of(reached, id_)
        resend = ("onboarding", "resend-confirmation", id_, "--reason", "found no mail")
        await asyncio.sleep(2)
        told = await perdure(*resend, "--tenant", TENANT)
        assert told.stdout == f"{id_}  verifying_email  the mail goes out\n", told.exception
        address = f"{uuid4()}@example.com"
        change = ("onboarding", "change", id_, "--email", address, "--reason", "mistyped")
        changed = out(await perdure(*change, "--json"))
        assert (changed["version"], changed["fields"]) == (2, ["email"])
        assert "says so already" in refused(await perdure(*change), 1)
        second = await link_of(reached, id_)
        async with PerdureClient(served, API_KEYS["service"]) as service:
            with pytest.raises(Refused) as caught:
                await service.confirm(first.rpartition("/")[2])
            assert (caught.value.status, caught.value.code) == (410, "address-changed")
            with pytest.raises(Refused) as caught:
                await service.resend_confirmation(id_, reason="once more")
            assert caught.value.code in ("too-soon", "still-sending")
            confirmed = await service.confirm(second.rpartition("/")[2])
            assert (confirmed, confirmed.id) == (
                await service.confirm(second.rpartition("/")[2]),
                id_,
            )
        async with asyncio.timeout(SOON):
            while not out(await perdure("onboarding", "show", id_, "--json"))["identity_link"]:
                await asyncio.sleep(0.1)
        assert "verifying_identity" in refused(await perdure(*resend, "--tenant", TENANT), 1)


async def test_the_command_line_says_what_is_wrong(
    perdure: Perdure, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = await perdure("onboarding", "list")
    assert nothing.stdout == "No onboardings.\n"
    assert (await perdure("attention", "list")).stdout == "Nothing waits for anybody.\n"
    said = refused(await perdure("onboarding", "start", *SIGN_UP, "--currency", "ZZZ"), 1)
    assert "currency: is not a currency code" in said
    assert "no such onboarding" in refused(await perdure("onboarding", "show", "nobody"), 1)
    role = ("request", "reopen", "x", "--reason", "r", "--generation", "1", "--as", "operator")
    assert "role admin" in refused(await perdure(*role), 1)
    for wrong in (
        ("onboarding", "start"),
        ("onboarding", "start", *SIGN_UP, "--currency", "EUR", "--tax-id", "DE123"),
        ("attention", "resolve", "x", "explode", "--reason", "r"),
        ("onboarding", "list", "--limit", "1000"),
        ("onboarding", "correct", "x"),
        ("onboarding", "correct", "x", "--tax-id", "DE123"),
    ):
        assert (await perdure(*wrong)).exit_code == 2
    monkeypatch.setenv("PERDURE_GATEWAY_URL", f"http://127.0.0.1:{free_port()}")
    assert "does not answer" in refused(await perdure("onboarding", "list"), 3)
    monkeypatch.delenv("PERDURE_API_KEY_OPERATOR")
    assert "PERDURE_API_KEY_OPERATOR" in refused(await perdure("onboarding", "list"), 2)


@pytest.mark.parametrize(
    "command",
    [
        *(f"onboarding {one}" for one in ("start", "list", "show", "withdraw")),
        *(f"onboarding {one}" for one in ("correct", "resend-confirmation")),
        *(f"attention {one}" for one in ("list", "resolve")),
        *(f"request {one}" for one in ("show", "reopen")),
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    told = CliRunner().invoke(command_line, [*command.split(), "--help"])
    assert told.exit_code == 0
    for part in ("Example:", "Exit codes:", "--json", "--as"):
        assert part in told.stdout
