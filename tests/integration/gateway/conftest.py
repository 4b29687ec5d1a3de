"""A gateway in front of the house, and callers of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, get_args
from uuid import uuid4

import httpx
import pytest
import uvicorn
from stripe import WebhookSignature
from structlog.testing import capture_logs
from temporalio.client import Client

from gateway.app import create_app
from tests.house import API_KEYS, TENANT, House, somebody
from tests.patience import SOON
from workers import gateway as process
from workers.converter import CONVERTER
from workers.ports import free_port
from workflows.actor import Role
from workflows.onboarding.policy import ConsentPolicy

Found = TypeVar("Found")


class Door:
    """The gateway as a caller with a key sees it."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._key = key

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.send("GET", path, params=params)

    async def post(self, path: str, body: Any, **params: Any) -> httpx.Response:
        return await self.send("POST", path, json=body, params=params)

    async def sign_up(self, key: str | None = None, /, **form: Any) -> httpx.Response:
        """A signup; whoever has another key is somebody else."""
        key = key or str(uuid4())
        body = somebody(key) | form
        headers = {"Idempotency-Key": key}
        return await self.send("POST", "/v1/onboardings", json=body, headers=headers)

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | bytes] | None = None,
        **rest: Any,
    ) -> httpx.Response:
        given = [*(headers or {}).items(), ("Authorization", f"Bearer {self._key}")]
        raw = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in given
        ]
        return await self._http.request(method, path, headers=raw, **rest)


class Gateway:
    """A running gateway."""

    def __init__(self, http: httpx.AsyncClient, house: House) -> None:
        self.http = http
        self.house = house
        self.service = Door(http, API_KEYS["service"])
        self.support = Door(http, API_KEYS["support"])
        self.reviewer = Door(http, API_KEYS["reviewer"])
        self.reviewer_two = Door(http, API_KEYS["reviewer_two"])
        self.senior = Door(http, API_KEYS["senior_reviewer"])
        self.senior_two = Door(http, API_KEYS["senior_reviewer_two"])
        self.finance = Door(http, API_KEYS["finance_operator"])
        self.finance_approver = Door(http, API_KEYS["finance_approver"])
        self.finance_approver_two = Door(http, API_KEYS["finance_approver_two"])
        self.operator = Door(http, API_KEYS["operator"])
        self.admin = Door(http, API_KEYS["admin"])


def give_key(house: House, key: str, *, kind: str, tenant: str | None) -> None:
    """Give somebody a key with every role that a key can have; a gateway that starts knows it."""
    file = house.settings.api_keys_file
    whose = {
        "name": key,
        "kind": kind,
        "tenant": tenant,
        "roles": [role for role in get_args(Role) if role != "applicant"],
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
    }
    file.write_text(json.dumps([*json.loads(file.read_text()), whose]))


@asynccontextmanager
async def gateway_of(
    house: House,
    *,
    client: Client | None = None,
    database_port: int | None = None,
    consent: ConsentPolicy | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway of `house`; perhaps with another way to Temporal or the database, or policy."""
    if database_port is not None:
        elsewhere = house.settings.model_copy(update={"database_port": database_port})
        house = replace(house, settings=elsewhere)
    async with process.options(house.settings, client or house.client) as options:
        app = create_app(replace(options, consent=consent) if consent else options)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as http,
        ):
            yield Gateway(http, house)


@pytest.fixture
async def gateway(house: House) -> AsyncIterator[Gateway]:
    async with gateway_of(house) as running:
        yield running


@pytest.fixture
async def served(house: House) -> AsyncIterator[str]:
    """The address of a gateway that listens."""
    # The command line runs in this process too: what it says is not to be mixed with log lines.
    with capture_logs():
        async with process.options(house.settings, house.client) as options:
            port = free_port()
            config = uvicorn.Config(
                create_app(options), port=port, log_config=None, access_log=False
            )
            server = process._Server(config)
            stop = asyncio.Event()
            serving = asyncio.create_task(server.serve_until(stop))
            async with asyncio.timeout(SOON):
                while not server.started:
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{port}"
            stop.set()
            await serving


@pytest.fixture
async def reached(served: str, house: House) -> AsyncIterator[Gateway]:
    """A gateway that listens, as its callers see it."""
    async with httpx.AsyncClient(base_url=served, timeout=30) as http:
        yield Gateway(http, house)


@pytest.fixture
def key() -> str:
    """A key that no other test uses: they share a Temporal server, which never forgets."""
    return f"{uuid4()} of ada@example.com"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal, workers and the database have a second to answer."""
    for asking in ("handover", "runs"):
        monkeypatch.setattr(f"workflows.{asking}.PATIENCE", timedelta(seconds=1))
    monkeypatch.setattr("database.connection.CONNECT_TIMEOUT", 1.0)


@pytest.fixture
async def nowhere() -> Client:
    """A client for a Temporal that does not run."""
    address = f"127.0.0.1:{free_port()}"
    return await Client.connect(address, data_converter=CONVERTER, lazy=True)


@pytest.fixture
async def silence() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says a word."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def until(
    look: Callable[[], Awaitable[Found]], wanted: Callable[[Found], Any], seconds: float = SOON
) -> Found:
    """Look until it is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(found := await look()):
            await asyncio.sleep(0.05)
        return found


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"] == f"urn:perdure:problem:{code}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["x-request-id"]
    return told


def event(
    type_: str, object_id: str, *, process: str | None = None, id_: str | None = None
) -> dict[str, Any]:
    """An event as Stripe sends it."""
    metadata = {"workflow_id": process} if process else {}
    return {
        "id": id_ or f"evt_{uuid4().hex}",
        "object": "event",
        "type": type_,
        "created": int(time.time()),
        "data": {"object": {"id": object_id, "metadata": metadata}},
    }


async def deliver(gateway: Gateway, payload: Any, *, secret: str = "whsec_test") -> httpx.Response:
    """Send a webhook, signed."""
    body = payload if isinstance(payload, str) else json.dumps(payload)
    signature = WebhookSignature.generate_signature_header(body, secret)
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return await gateway.http.post("/webhooks/stripe", content=body, headers=headers)


async def link_of(gateway: Gateway, id_: str, *, mails: int = 1) -> str:
    """The path of the link in the newest of an applicant's mails, once so many have come."""
    (form,) = await gateway.house.rows(
        "SELECT form FROM applications WHERE id = :id ORDER BY version DESC LIMIT 1", id=id_
    )
    links = re.compile(rf"/confirm/{id_}[.a-z0-9]+")

    async def found() -> list[str]:
        letters = await gateway.house.outside.messages(to=form["form"]["email"])
        return [link for one in letters for link in links.findall(one.text)]

    return (await until(found, lambda found: len(found) >= mails))[-1]


async def confirm_email(gateway: Gateway, id_: str) -> None:
    """What an applicant does with the mail: open the link, and press the button."""
    pressed = await gateway.http.post(await link_of(gateway, id_))
    assert pressed.status_code == 303, pressed.text


async def prove_identity(gateway: Gateway, id_: str) -> None:
    """What an applicant does at Stripe, and what Stripe tells us of it. Confirms, if need be."""
    await confirm_email(gateway, id_)
    process = f"onboarding/{TENANT}/{id_}"

    async def sessions() -> list[str]:
        requests = (await gateway.operator.get("/v1/requests", workflow_id=process)).json()["items"]
        return [
            one["result"]["session_id"]
            for one in requests
            if one["step"] == "identity.open_session" and one["result"]
        ]

    (session,) = await until(sessions, bool)
    await gateway.house.outside.submit_identity(session, "verified")
    told = event("identity.verification_session.verified", session, process=process)
    assert (await deliver(gateway, told)).status_code == 204


async def stage_is(gateway: Gateway, id_: str, stage: str) -> dict[str, Any]:
    """Wait until an onboarding is in a stage, and return it."""

    async def look() -> dict[str, Any]:
        shown: dict[str, Any] = (await gateway.service.get(f"/v1/onboardings/{id_}")).json()
        return shown

    return await until(look, lambda shown: shown["stage"] == stage)
