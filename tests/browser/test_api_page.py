"""The API's description as people read it: a page that loads nothing from anywhere else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.house import API_KEYS
from tests.integration.gateway.conftest import served

__all__ = ["served"]

IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    yield await context.new_page()
    await context.close()


async def test_the_page_shows_and_tries_an_operation_and_asks_nobody_else(
    page: Page, served: str
) -> None:
    asked: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("console", lambda line: complaints.append(line.text) if line.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.set_default_timeout(8000)
    await page.goto(f"{served}/docs")
    operation = page.locator("#operations-onboardings-start_an_onboarding")
    await operation.locator(".opblock-summary-control").click()
    await expect(operation).to_contain_text("Store a signup and start its onboarding, once")
    await expect(operation).to_contain_text("Idempotency-Key")
    await expect(operation).to_contain_text("Beispiel Werke GmbH")
    if os.environ.get("UPDATE_SCREENSHOTS"):
        await page.screenshot(path=IMAGES / "api-page.png")

    await page.get_by_role("button", name="Authorize").first.click()
    await page.get_by_role("textbox", name="auth-bearer-value").fill(API_KEYS["service"])
    await page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
    await page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
    listing = page.locator("#operations-onboardings-list_onboardings")
    await listing.locator(".opblock-summary-control").click()
    await listing.get_by_role("button", name="Try it out").click()
    await listing.get_by_role("button", name="Execute").click()
    live = listing.locator(".live-responses-table")
    await expect(live).to_contain_text('"items": []')
    await expect(live).to_contain_text("etag:")

    places = {urlsplit(url).hostname for url in asked if urlsplit(url).scheme != "data"}
    assert places == {"127.0.0.1"}
    assert len(asked) >= 5
    assert complaints == []
