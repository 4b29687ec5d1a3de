"""The Web UI as people see it: a Temporal server that has one, and the system's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from workers.ports import free_port
from workers.temporal_server import TemporalServer
from workflows import search_attributes

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium. Without it there is nothing to see, which CI does not accept."""
    for name in _NAMES:
        if program := shutil.which(name):
            return program
    reason = (
        "There is no Chromium. Install it (Debian: apt-get install chromium), then run "
        "`make check` again."
    )
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@dataclass
class WebUi:
    """Temporal's Web UI, and a window to look at it through."""

    url: str
    page: Page

    def of_run(self, workflow_id: str, run_id: str, *parts: str) -> str:
        """The address of a run's page: `history`, `timeline`, …"""
        from urllib.parse import quote

        path = "/".join((quote(workflow_id, safe=""), run_id, *parts))
        return f"{self.url}/namespaces/default/workflows/{path}"


@pytest.fixture(scope="session")
async def temporal_with_ui(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """The server and Web UI of `perdure up`."""
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
async def temporal(temporal_with_ui: TemporalServer) -> Client:
    """What a house connects to: here the server that has a Web UI."""
    return await Client.connect(
        temporal_with_ui.address, data_converter=pydantic_data_converter
    )


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def ui(browser: Browser, temporal_with_ui: TemporalServer) -> AsyncIterator[WebUi]:
    """A window of a fixed size, language and time zone."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC",
        color_scheme="light",
    )
    yield WebUi(temporal_with_ui.ui_url, await context.new_page())
    await context.close()
