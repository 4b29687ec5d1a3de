"""The outside that tests of connectors and of simulators share, forgotten before each."""

from collections.abc import AsyncIterator

import pytest

from tests.simulated import SimulatorHandle, running_simulators


@pytest.fixture(scope="session")
async def shared_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatorHandle]:
    async with running_simulators(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
async def world(shared_world: SimulatorHandle) -> SimulatorHandle:
    await shared_world.forget()
    return shared_world
