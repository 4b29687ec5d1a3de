"""A connector to each system of the simulated world."""

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
from database.connection import engine_for
from database.identity_sessions import IdentitySessions
from database.invoice_accounts import Accounts
from tests.integration.connectors.letters import SENDER
from tests.outbox import letters_in
from tests.simulated import Mail, SimulatorHandle
from tests.simulated_api import SimulatedApi

IMPATIENT_SECONDS = 0.5
"""For what is not answered; whoever waits for an answer has time."""


@pytest.fixture
async def api(world: SimulatorHandle) -> AsyncIterator[StripeApi]:
    stripe = StripeApi(world.api_key, base_url=world.stripe_url, timeout=30)
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
async def connection(
    api: SimulatedApi, path: str = "", timeout: float = 30
) -> AsyncIterator[HttpApi]:
    capability = {"crm": "crm", "yente": "screening"}.get(api.name, "directory")
    no_answer, url = f"{capability}.connection", api.url + path
    http = HttpApi(no_answer, url, api.token, timeout=timeout, scheme=api.scheme)
    yield http
    await http.close()


@pytest.fixture
async def scim_directory(world: SimulatorHandle) -> AsyncIterator[ScimDirectory]:
    async with connection(world.directory, "/v2") as http:
        yield ScimDirectory(http)


@pytest.fixture
async def tenant_directory(world: SimulatorHandle) -> AsyncIterator[TenantDirectory]:
    async with connection(world.tenants, "/v1") as http:
        yield TenantDirectory(http)


@pytest.fixture
async def hubspot_crm(world: SimulatorHandle) -> AsyncIterator[HubSpotCrm]:
    async with connection(world.crm) as http:
        yield HubSpotCrm(http)


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
        world.smtp_host, world.smtp_port, sender="Perdüre <onboarding@example.com>", timeout=20
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
