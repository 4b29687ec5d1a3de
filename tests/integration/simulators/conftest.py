"""Whom these tests ask, who is told, and a world of their own for those that kill it."""

import functools
from collections.abc import AsyncIterator

import httpx
import pytest
import stripe

from tests.integration.simulators.receiver import Receiver, Reception, receiving
from tests.simulated import SimulatorHandle, running_simulators
from tests.simulated_api import SimulatedApi


@pytest.fixture(scope="package")
async def mortal_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatorHandle]:
    async with running_simulators(tmp_path_factory.mktemp("mortal_world")) as running:
        yield running


@pytest.fixture
async def own_world(mortal_world: SimulatorHandle) -> SimulatorHandle:
    """For tests that end the process."""
    if not mortal_world.running:
        await mortal_world.start()
    await mortal_world.forget()
    return mortal_world


@pytest.fixture
async def directory(shared_world: SimulatorHandle) -> SimulatedApi:
    await shared_world.directory.reset()
    return shared_world.directory


@pytest.fixture
async def crm(shared_world: SimulatorHandle) -> SimulatedApi:
    await shared_world.crm.reset()
    return shared_world.crm


@pytest.fixture
async def tenants(shared_world: SimulatorHandle) -> SimulatedApi:
    await shared_world.tenants.reset()
    return shared_world.tenants


@pytest.fixture
def client(world: SimulatorHandle) -> stripe.StripeClient:
    return client_of(world)


@pytest.fixture(scope="package")
async def shared_http(shared_world: SimulatorHandle) -> AsyncIterator[httpx.AsyncClient]:
    async with http_of(shared_world) as raw:
        yield raw


@pytest.fixture
def http(world: SimulatorHandle, shared_http: httpx.AsyncClient) -> httpx.AsyncClient:
    return shared_http


@pytest.fixture(scope="package")
async def reception() -> AsyncIterator[Reception]:
    async with receiving() as open_to_all:
        yield open_to_all


@pytest.fixture
def receiver(reception: Reception) -> Receiver:
    return reception.receiver()


def client_of(world: SimulatorHandle, timeout: float = 30) -> stripe.StripeClient:
    return _client(world.api_key, world.stripe_url, timeout)


@functools.cache  # making one costs more than most tests do
def _client(api_key: str, url: str, timeout: float) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": url},
        http_client=stripe.HTTPXClient(timeout=timeout),
        max_network_retries=0,
    )


def http_of(world: SimulatorHandle) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=world.stripe_url, auth=(world.api_key, ""), timeout=30)
