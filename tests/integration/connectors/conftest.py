"""One simulated world for these tests, forgotten before each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.csv_export import CsvCrm
from connectors.drop_folder import DropFolder
from connectors.http_api import HttpApi
from connectors.hubspot.crm import HubSpotCrm
from connectors.invoicing import InvoiceBilling
from connectors.manual_identity import ManualIdentity
from connectors.outbox import OutboxMail
from connectors.scim.directory import ScimDirectory
from connectors.smtp import SmtpMail
from connectors.stripe.api import StripeApi
from connectors.stripe.billing import StripeBilling
from connectors.stripe.events import StripeEvents
from connectors.stripe.identity import StripeIdentity
from connectors.tenant_api.directory import TenantDirectory
from database.accounts import Accounts
from database.connection import engine_for
from database.identity_sessions import IdentitySessions
from tests.integration.connectors.letters import SENDER
from tests.outbox import letters_in
from tests.simulated import Mail, SimulatorHandle, running_simulators

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
    await shared_world.tenants.reset()
    await shared_world.yente.reset()
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


@asynccontextmanager
async def tenants_of(world: SimulatorHandle, timeout: float = 5) -> AsyncIterator[TenantDirectory]:
    url = f"{world.tenants.url}/v1"
    http = HttpApi("directory.connection", url, world.tenants.token, timeout=timeout)
    yield TenantDirectory(http)
    await http.close()


@pytest.fixture
async def tenant_directory(world: SimulatorHandle) -> AsyncIterator[TenantDirectory]:
    async with tenants_of(world) as directory:
        yield directory


@pytest.fixture
def csv_crm(tmp_path: Path) -> CsvCrm:
    crm = CsvCrm(tmp_path / "crm")
    crm.prepare()
    return crm


@pytest.fixture
async def invoice_billing(database: str) -> AsyncIterator[InvoiceBilling]:
    engine = engine_for(database)
    yield InvoiceBilling(Accounts(engine))
    await engine.dispose()


@pytest.fixture
async def manual_identity(database: str) -> AsyncIterator[ManualIdentity]:
    engine = engine_for(database)
    yield ManualIdentity(IdentitySessions(engine))
    await engine.dispose()


@pytest.fixture
def smtp_mail(world: SimulatorHandle) -> SmtpMail:
    return SmtpMail(
        world.smtp_host, world.smtp_port, sender="Perdüre <onboarding@example.com>", timeout=2
    )


@dataclass(frozen=True)
class Post:
    """A way for mail to go, and what arrived by it."""

    mail: SmtpMail | OutboxMail
    arrived: Callable[[], Awaitable[list[Mail]]]


@pytest.fixture
def smtp_post(smtp_mail: SmtpMail, world: SimulatorHandle) -> Post:
    return Post(smtp_mail, world.messages)


@pytest.fixture
def outbox_post(tmp_path: Path) -> Post:
    folder = DropFolder(tmp_path / "outbox", no_answer="mail.folder")
    folder.prepare()

    async def arrived() -> list[Mail]:
        return letters_in(tmp_path / "outbox")

    return Post(OutboxMail(folder, sender=SENDER), arrived)
