"""The whole house for a test: our database, Temporal, the outside, and settings that join them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from database import onboardings
from database.connection import engine_for, transaction
from tests.postgres import rows
from tests.simulated import INVENTED_LIST, REPOSITORY, SimulatorHandle, running_simulators
from workers import onboarding as worker
from workers import settings as setting
from workers.converter import CONVERTER
from workers.settings import Settings
from workflows import search_attributes
from workflows.onboarding.messages import onboarding_id

TENANT = "acme"
API_KEYS = {
    "service": "key-of-a-service",
    "support": "key-of-sami",
    "reviewer": "key-of-rita",
    "reviewer_two": "key-of-rosa",
    "senior_reviewer": "key-of-selma",
    "senior_reviewer_two": "key-of-sven",
    "finance_operator": "key-of-fiona",
    "finance_approver": "key-of-fred",
    "finance_approver_two": "key-of-fay",
    "operator": "key-of-olga",
    "admin": "key-of-ada",
}

FORM: dict[str, Any] = {
    "kind": "person",
    "name": "Żółta Łódź 有限公司",
    "email": "owner@example.com",
    "country": "DE",
    "currency": "EUR",
    "tax_id": {"type": "eu_vat", "value": "DE123456789"},
}


def somebody(key: str) -> dict[str, Any]:
    """A form of somebody like no one else: whoever is like another is put before a reviewer."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    number = int(digest, 16) % 10**9
    return FORM | {
        "name": f"{FORM['name']} {digest[:16]}",
        "email": f"{digest[:26]}@example.com",
        "tax_id": {"type": "eu_vat", "value": f"DE{number:09}"},
    }


@pytest.fixture(scope="session")
async def outside() -> AsyncIterator[SimulatorHandle]:
    """The simulators that the tests of a session share."""
    with tempfile.TemporaryDirectory(prefix="perdure-outside-") as folder:
        async with running_simulators(Path(folder)) as simulators:
            yield simulators


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server that the tests of a session share."""
    binary = Path(sys.executable).parent / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        data_converter=CONVERTER,
        search_attributes=search_attributes.ALL,
        dev_server_log_level="error",
    ) as environment:
        yield environment.client


@dataclass
class House:
    """What a test needs of us."""

    settings: Settings
    engine: AsyncEngine
    client: Client
    outside: SimulatorHandle

    async def apply(self, key: str | None = None, **form: Any) -> str:
        """Store an application, as the gateway does; the answer is its id."""
        identifier = onboarding_id(TENANT, key or secrets.token_hex(8))
        async with transaction(self.engine) as connection:
            await onboardings.store(
                connection,
                id_=identifier,
                tenant=TENANT,
                form={**somebody(identifier), "email": f"{identifier}@example.com", **form},
                created_by="test",
            )
        return identifier

    @asynccontextmanager
    async def working(self, *, max_cached_workflows: int = 0) -> AsyncIterator[None]:
        """Our worker, in this process; by default every task replays."""
        async with worker.running(
            self.settings, self.client, max_cached_workflows=max_cached_workflows
        ):
            yield

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return await rows(self.engine, sql, **values)


def settings_for(folder: Path, database: str, outside: SimulatorHandle, client: Client) -> Settings:
    """Settings of a house in `folder`: what `perdure up` would have made."""
    key = Ed25519PrivateKey.generate()
    keys = [
        {
            "name": f"test-{role}",
            "kind": "service" if role == "service" else "person",
            "tenant": TENANT if role == "service" else None,
            "roles": [role.removesuffix("_two")],
            "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        }
        for role, secret in API_KEYS.items()
    ]
    (folder / "api_keys.json").write_text(json.dumps(keys))
    address = urlsplit(database)
    return setting.load(
        home=folder,
        database_host=address.hostname,
        database_port=address.port,
        database_user=address.username,
        database_name=address.path.lstrip("/"),
        database_password=address.password,
        temporal_address=client.service_client.config.target_host,
        api_keys_file=folder / "api_keys.json",
        actor_signing_key=base64.b64encode(key.private_bytes_raw()).decode(),
        actor_public_keys=(base64.b64encode(key.public_key().public_bytes_raw()).decode(),),
        applicant_hash_key="a-key-of-a-test",
        confirmation_secrets=("a secret of links in a test's house",),
        stripe_api_key=outside.api_key,
        stripe_api_base=outside.stripe_url,
        stripe_webhook_secrets=("whsec_test",),
        directory_url=f"{outside.directory.url}/v2",
        directory_token=outside.directory.token,
        hubspot_api_base=outside.crm.url,
        hubspot_token=outside.crm.token,
        screening_list=INVENTED_LIST,
        screening_key="key-of-parties",
        yente_url=outside.yente.url,
        yente_api_key=outside.yente.token,
        smtp_host="127.0.0.1",
        smtp_port=outside.smtp_port,
        policy="demo",
        rules=patient_rules(folder),
        gateway_rate=1_000_000,
        gateway_burst=1_000_000,
    )


def patient_rules(folder: Path) -> Path:
    """The rules of the business, where people have minutes for what they have seconds for in demos.

    A slow machine must not run a reviewer out of time in the middle of a test.
    """
    rules = Path(shutil.copytree(REPOSITORY / "rules", folder / "rules", dirs_exist_ok=True))
    policy = (rules / "policy.toml").read_text()
    for quick, patient in (
        ('an_hour_takes = "0.5 seconds"', 'an_hour_takes = "1 minute"'),
        ('expires_after = "20 seconds"', 'expires_after = "5 minutes"'),
        ('deliver_within = "30 seconds"', 'deliver_within = "5 minutes"'),
    ):
        assert policy.count(quick) == 1, f"the demo no longer says {quick}"
        policy = policy.replace(quick, patient)
    (rules / "policy.toml").write_text(policy)
    return rules


@pytest.fixture
async def house(
    tmp_path: Path, database: str, outside: SimulatorHandle, temporal: Client
) -> AsyncIterator[House]:
    """A house with an empty database; nothing of it goes on after the test."""
    await outside.clear_faults()
    await outside.clear_mail_faults()
    for api in outside.apis:
        await api.reset()
    engine = engine_for(database)
    yield House(settings_for(tmp_path, database, outside, temporal), engine, temporal, outside)
    async for run in temporal.list_workflows("ExecutionStatus = 'Running'"):
        with contextlib.suppress(RPCError):  # it may have ended meanwhile
            await temporal.get_workflow_handle(run.id, run_id=run.run_id).terminate("test over")
    await engine.dispose()
