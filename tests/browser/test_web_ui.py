"""What an operator reads in Temporal's real Web UI about an onboarding that waits for somebody."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
from pathlib import Path

from playwright.async_api import Error, Locator, Route, expect

from tests.browser.conftest import APPLICANT, Parked, WebUi

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TABS = {
    "timeline": "Create the customer in billing",
    "history": "Tell the operators",
    "user-metadata": "Who must act",
    "search-attributes": "AttentionSince",
}
"""The tabs of a run's page, and by what one sees that they are there."""


async def picture(ui: WebUi, name: str, until: Locator) -> None:
    """Keep what is seen, down to `until`, for the docs: with UPDATE_SCREENSHOTS=1 only."""
    if not os.environ.get("UPDATE_SCREENSHOTS"):
        return
    page, last = await ui.page.locator("#content").bounding_box(), await until.bounding_box()
    assert page is not None
    assert last is not None
    IMAGES.mkdir(exist_ok=True)
    await ui.page.mouse.move(0, 0)
    await ui.page.screenshot(
        path=IMAGES / f"{name}.png",
        clip={**page, "height": last["y"] + last["height"] + 24 - page["y"]},
    )


async def test_current_details_say_which_step_failed_why_and_who_must_act(
    ui: WebUi, parked: Parked
) -> None:
    await ui.show_run(parked, "user-metadata")
    frames = ui.page.locator("iframe")
    summary, details = frames.nth(0).content_frame, frames.nth(1).content_frame
    await expect(summary.locator("main")).to_have_text("Onboarding for acme")
    await expect(details.locator("p").first).to_have_text("Stage: provisioning")
    await expect(details.locator("h3")).to_contain_text("Create the customer in billing")
    step, why, who, choices = await details.locator("li").all_inner_texts()
    assert "billing.create_customer, parked since " in step
    assert "out of time (stripe.server): Stripe failed (status 503" in why
    assert who.strip() == "Who must act: operator"
    assert choices.strip() == "What can be done: retry or abort, with perdure attention resolve"
    rows = await details.locator("table tr").all_inner_texts()
    told = [[" ".join(cell.split()) for cell in row.split("\t")[:2]] for row in rows]
    assert told[:7] == [
        ["step", "state"],
        ["Send the mail with the link", "✅ succeeded"],
        ["Look whether the address is confirmed", "✅ succeeded"],
        ["Open the identity session", "✅ succeeded"],
        ["Read the identity session", "✅ succeeded"],
        ["Screen the parties against lists", "✅ succeeded"],
        ["Create the customer in billing", "🛑 parked"],
    ]
    # Which of these comes first is as the other systems are quick.
    assert sorted(told[7:]) == [
        ["Create the contact in the CRM", "✅ succeeded"],
        ["Create the user in the directory", "✅ succeeded"],
        ["Put the user into the tenant’s group", "✅ succeeded"],
    ]
    await picture(ui, "parked-onboarding", frames.nth(1))


async def test_every_activity_and_timer_in_the_history_says_what_it_is_for(
    ui: WebUi, parked: Parked
) -> None:
    await ui.show_run(parked, "history")
    begun = ui.page.get_by_test_id("event-summary-row").filter(
        has_text=re.compile("Activity Task Scheduled|Local Activity|Timer Started")
    )
    await expect(begun.filter(has_text="Tell the operators")).to_be_visible()
    events = await begun.all_inner_texts()
    summaries = [event.partition("Summary")[2].strip() for event in events]
    assert all(summaries), events
    assert set(summaries) >= {
        "Take up the application",
        "Open the identity session",
        "proof of identity: time runs out",
        "Create the customer in billing",
    }


async def test_search_attributes_say_what_waits_for_whom_and_of_whom(
    ui: WebUi, parked: Parked
) -> None:
    await ui.show_run(parked, "search-attributes")
    shown = ui.page.get_by_role("textbox", name="Search Attributes")
    await expect(shown).to_contain_text("AttentionSince")
    attributes = json.loads(await shown.inner_text())
    assert attributes["Attention"] == ["billing.create_customer"]
    assert attributes["AttentionSince"]
    assert attributes["Owner"] == "operator"
    assert attributes["Stage"] == "provisioning"
    assert attributes["Tenant"] == "acme"


async def test_the_list_can_be_filtered_by_what_waits(ui: WebUi, parked: Parked) -> None:
    row = ui.page.get_by_test_id("workflows-summary-configurable-table-row")
    await ui.show_list("Tenant = 'acme'")
    await expect(row).to_have_count(2)
    for filtered in (
        "Attention IS NOT NULL",
        "Attention = 'billing.create_customer' AND Owner = 'operator'",
        "Stage = 'provisioning' AND Tenant = 'acme'",
    ):
        await ui.show_list(filtered)
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text(parked.workflow_id)


async def test_the_list_has_columns_for_stage_attention_and_owner(
    ui: WebUi, parked: Parked
) -> None:
    await ui.show_list("Attention IS NOT NULL")
    await ui.page.get_by_label("Configure Columns").click()
    for column in ("Run ID", "Type", "Start", "End"):
        await ui.page.get_by_label(f"Remove {column} column").click()
    for column in ("Stage", "Attention", "Owner"):
        await ui.page.get_by_label(f"Add {column} column", exact=True).click()
    await ui.page.get_by_label("Close Workflows Table configuration").click()
    row = ui.page.get_by_test_id("workflows-summary-configurable-table-row")
    for cell in ("provisioning", "billing.create_customer", "operator"):
        await expect(row).to_contain_text(cell)
    await expect(ui.page.get_by_label("Close Workflows Table configuration")).to_be_hidden()
    await picture(ui, "list-by-attention", row)


async def test_nothing_that_an_applicant_told_us_reaches_the_web_ui(
    ui: WebUi, parked: Parked
) -> None:
    loaded: list[str] = []

    async def read_along(route: Route) -> None:
        with contextlib.suppress(Error):  # the page went on before the answer was there
            answer = await route.fetch()
            loaded.append(await answer.text())
            await route.fulfill(response=answer)

    await ui.page.route("**/api/**", read_along)
    written = ""
    for tab, sign in TABS.items():
        await ui.show_run(parked, tab)
        written += await ui.read(until=sign)
    await ui.show_list("Attention IS NOT NULL")
    written += await ui.read(until=parked.workflow_id)
    payloads = re.findall(r'"data":\s*"([A-Za-z0-9+/=]+)"', "".join(loaded))
    written += "".join(loaded) + "".join(base64.b64decode(one).decode() for one in payloads)
    assert '"application_id"' in written, "payloads were looked into"
    told = [APPLICANT["name"], APPLICANT["email"], APPLICANT["tax_id"]["value"]]
    assert not [one for one in told if one in written]
