"""One simulated world for these tests, forgotten before each."""

from collections.abc import AsyncIterator

import pytest

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


@pytest.fixture
def smtp_mail(world: SimulatorHandle) -> SmtpMail:
    return SmtpMail(
        world.smtp_host, world.smtp_port, sender="Perdüre <onboarding@example.com>", timeout=2
    )
