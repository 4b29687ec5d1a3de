"""One simulated world for these tests, forgotten before each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectors.http_api import HttpApi
from connectors.hubspot.crm import HubSpotCrm
from connectors.scim.directory import ScimDirectory
from connectors.smtp import SmtpMail
from connectors.stripe.api import StripeApi
from connectors.stripe.billing import StripeBilling
from connectors.stripe.events import StripeEvents
from connectors.stripe.identity import StripeIdentity
from tests.simulated import SimulatorHandle, running_simulators

IMPATIENT_SECONDS = 0.4


@pytest.fixture(scope="package")
async def shared_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatorHandle]:
    async with running_simulators(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
async def world(shared_world: SimulatorHandle) -> SimulatorHandle:
    await shared_world.reset()
    await shared_world.clear_messages()
    await shared_world.clear_mail_faults()
    await shared_world.directory.reset()
    await shared_world.crm.reset()
    return shared_world


@pytest.fixture
async def api(world: SimulatorHandle) -> AsyncIterator[StripeApi]:
    stripe = StripeApi(world.api_key, base_url=world.stripe_url, timeout=5)
    yield stripe
    await stripe.close()


@pytest.fixture
async def impatient_api(world: SimulatorHandle) -> AsyncIterator[StripeApi]:
    stripe = StripeApi(world.api_key, base_url=world.stripe_url, timeout=IMPATIENT_SECONDS)
    yield stripe
    await stripe.close()


@pytest.fixture
def stripe_billing(api: StripeApi) -> StripeBilling:
    return StripeBilling(api)


@pytest.fixture
def stripe_identity(api: StripeApi) -> StripeIdentity:
    return StripeIdentity(api)


@pytest.fixture
def stripe_events(api: StripeApi) -> StripeEvents:
    return StripeEvents(api)


@asynccontextmanager
async def directory_of(world: SimulatorHandle, timeout: float = 5) -> AsyncIterator[ScimDirectory]:
    url = f"{world.directory.url}/v2"
    http = HttpApi("directory.connection", url, world.directory.token, timeout=timeout)
    yield ScimDirectory(http)
    await http.close()


@asynccontextmanager
async def crm_of(world: SimulatorHandle, timeout: float = 5) -> AsyncIterator[HubSpotCrm]:
    http = HttpApi("crm.connection", world.crm.url, world.crm.token, timeout=timeout)
    yield HubSpotCrm(http)
    await http.close()


@pytest.fixture
async def scim_directory(world: SimulatorHandle) -> AsyncIterator[ScimDirectory]:
    async with directory_of(world) as directory:
        yield directory


@pytest.fixture
async def hubspot_crm(world: SimulatorHandle) -> AsyncIterator[HubSpotCrm]:
    async with crm_of(world) as crm:
        yield crm


@pytest.fixture
def smtp_mail(world: SimulatorHandle) -> SmtpMail:
    return SmtpMail(
        world.smtp_host, world.smtp_port, sender="Perdüre <onboarding@example.com>", timeout=2
    )
