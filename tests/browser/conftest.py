"""The Web UI as people see it: a server that has one, a parked onboarding, Chromium to look."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Error, Page, async_playwright, expect
from temporalio.client import Client
from temporalio.service import RPCError

from database.connection import engine_for
from tests.house import House, settings_for
from tests.integration.test_worker import prove_identity, started, until
from tests.postgres import fresh_database
from tests.simulated import SimulatorHandle
from workers.converter import CONVERTER
from workers.ports import free_port
from workers.postgres import Postgres
from workers.temporal_server import TemporalServer
from workflows import search_attributes

APPLICANT: dict[str, Any] = {
    "name": "Canary Trading Ltd",
    "email": "canary@example.org",
    "tax_id": {"type": "eu_vat", "value": "DE246813579"},
}
"""What nobody may find in the Web UI."""

PATIENCE = 20
"""Seconds that the Web UI has to show something."""

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",  # Chromium's sandbox refuses root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


@dataclass(frozen=True)
class Parked:
    """An onboarding that waits for an operator, and another one that goes its way."""

    workflow_id: str
    run_id: str
    going_its_way: str


@dataclass(frozen=True)
class WebUi:
    """The Web UI in a window of a fixed size, language and time zone."""

    url: str
    page: Page

    async def show_run(self, parked: Parked, tab: str) -> None:
        """Open a tab of a run's page: `timeline`, `history`, `user-metadata`, …"""
        run = f"{quote(parked.workflow_id, safe='')}/{parked.run_id}"
        await self.page.goto(f"{self.url}/namespaces/default/workflows/{run}/{tab}")

    async def show_list(self, query: str) -> None:
        """Open the list of runs, filtered."""
        await self.page.goto(f"{self.url}/namespaces/default/workflows?query={quote(query)}")

    async def read(self, *, until: str) -> str:
        """All text of the page and of the frames in it, once `until` is part of it."""
        async with asyncio.timeout(PATIENCE):
            while until not in (text := await self._text()):
                await asyncio.sleep(0.1)
        return text

    async def _text(self) -> str:
        # Rendered markdown is in frames, and each look at it renders it anew.
        texts = []
        for frame in self.page.frames:
            with contextlib.suppress(Error):
                texts.append(await frame.inner_text("body", timeout=1000))
        return "\n".join(texts)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium. In CI its absence is a failure: nothing would have been looked at."""
    for name in _PROGRAMS:
        if program := shutil.which(name):
            return program
    reason = "There is no Chromium to look with. Install it; on Debian: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def temporal_server(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TemporalServer]:
    """Temporal and its Web UI, as `perdure up` starts them."""
    server = TemporalServer(
        tmp_path_factory.mktemp("temporal"),
        free_port(),
        free_port(),
        search_attributes=search_attributes.ALL,
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
async def temporal(temporal_server: TemporalServer) -> Client:
    """In this folder the server that a house uses is the one with a Web UI."""
    return await Client.connect(temporal_server.address, data_converter=CONVERTER)


@pytest.fixture(scope="session")
async def parked(
    postgres_server: Postgres,
    migrated_template: str,
    outside: SimulatorHandle,
    temporal: Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Parked]:
    """An onboarding by the real worker that Stripe's outage has parked; the worker goes on."""
    async with fresh_database(postgres_server, migrated_template) as database:
        engine = engine_for(database)
        folder = tmp_path_factory.mktemp("house")
        house = House(settings_for(folder, database, outside, temporal), engine, temporal, outside)
        async with house.working(max_cached_workflows=100):
            (_, handle), (_, other) = await started(house, **APPLICANT), await started(house)
            await until(other, lambda progress: progress.waiting)
            await until(handle, lambda progress: progress.waiting)
            await outside.fault("error_503", path="/v1/customers*", times=None)
            await prove_identity(house, handle)
            await until(handle, lambda progress: progress.attention)
            await outside.clear_faults()
            yield Parked(handle.id, (await handle.describe()).run_id, other.id)
            for run in (handle, other):
                with contextlib.suppress(RPCError):  # it may have ended meanwhile
                    await run.terminate("the test is over")
        await engine.dispose()


@pytest.fixture
async def ui(browser: Browser, temporal_server: TemporalServer) -> AsyncIterator[WebUi]:
    """The Web UI, as if nobody had looked at it before."""
    context = await browser.new_context(
        viewport={"width": 1500, "height": 1000},
        locale="en-GB",
        timezone_id="UTC",
        color_scheme="light",
        reduced_motion="reduce",
    )
    yield WebUi(temporal_server.ui_url, await context.new_page())
    await context.close()
