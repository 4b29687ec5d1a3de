"""The page behind the link in the mail, as applicants see it: on a desk and on a telephone."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.house import House
from tests.integration.gateway.conftest import served
from workers import keys
from workflows.onboarding.confirmation_link import Link

__all__ = ["served"]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTHS = {1200: 800, 390: 480}
TO_TOUCH = 44
"""How high a button is, at the least, that thumbs find: in pixels."""


@pytest.fixture(params=WIDTHS)
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A browser that runs no scripts."""
    size = {"width": request.param, "height": WIDTHS[request.param]}
    context = await browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        java_script_enabled=False,
        color_scheme="light",
        locale="en-GB",
    )
    yield await context.new_page()
    await context.close()


async def link_of(house: House, *, until: float) -> str:
    application = await house.apply()
    link = Link(application, 1, int(until))
    return keys.link_seals(house.settings).token(link, f"{application}@example.com")


async def fits(page: Page, part: Locator) -> None:
    """Nothing of it is beyond the edges of the window."""
    box, size = await part.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]


async def test_an_applicant_presses_the_button_and_reads_that_it_counts(
    page: Page, served: str, house: House
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: complaints.append(line.text))

    await page.goto(f"{served}/confirm/{await link_of(house, until=time.time() + 60)}")
    await expect(page.get_by_role("heading")).to_have_text("Confirm your e-mail address")
    button = page.get_by_role("button", name="Confirm")
    for part in (page.locator("main"), button):
        await fits(page, part)
    box = await button.bounding_box()
    assert box is not None
    assert box["height"] >= TO_TOUCH
    size = page.viewport_size
    if os.environ.get("UPDATE_SCREENSHOTS") and size and size["width"] == min(WIDTHS):
        await page.screenshot(path=IMAGES / "confirmation-page.png")
    assert await house.rows("SELECT * FROM confirmations") == []

    await button.click()
    await expect(page.get_by_role("heading")).to_have_text("Thank you")
    await fits(page, page.locator("main"))
    assert len(await house.rows("SELECT * FROM confirmations")) == 1
    await page.reload()
    await expect(page.get_by_role("heading")).to_have_text("Thank you")
    assert {urlsplit(url).hostname for url in asked if url.startswith("http")} == {"127.0.0.1"}
    assert complaints == []


async def test_an_applicant_who_comes_late_reads_what_to_do(
    page: Page, served: str, house: House
) -> None:
    await page.goto(f"{served}/confirm/{await link_of(house, until=time.time() - 60)}")
    await expect(page.get_by_role("heading")).to_have_text("This link has expired")
    await expect(page.get_by_role("main")).to_contain_text("send the mail again")
    await expect(page.get_by_role("button")).to_have_count(0)
    await fits(page, page.locator("main"))
