from __future__ import annotations
import asyncio
from urllib.parse import quote
from pathlib import Path
from tests.house import House
from tests.browser.conftest import WebUi
from tests.integration.test_worker import prove_identity, started, until

OUT = Path("/tmp/docs_explore")

async def test_explore(house: House, ui: WebUi) -> None:
    async with house.working():
        application, handle = await started(house)
        a2, h2 = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault("error_503", path="/v1/customers*", times=None)
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.attention)
        await asyncio.sleep(1)
        run = (await handle.describe()).run_id
        page = ui.page
        page.on("request", lambda r: print("REQ", r.url) if "127.0.0.1" not in r.url else None)
        for part in ("", "timeline", "history", "search-attributes", "metadata", "workers", "relationships", "pending-activities", "user-metadata", "queries"):
            await page.goto(ui.of_run(handle.id, run, part) if part else ui.of_run(handle.id, run))
            await page.wait_for_load_state("networkidle") if False else await asyncio.sleep(2.5)
            await page.screenshot(path=OUT / f"{part or 'run'}.png", full_page=True)
            (OUT / f"{part or 'run'}.txt").write_text(page.url + "\n" + await page.inner_text("body"))
            (OUT / f"{part or 'run'}.html").write_text(await page.content())
        q = quote("Attention IS NOT NULL")
        await page.goto(f"{ui.url}/namespaces/default/workflows?query={q}")
        await asyncio.sleep(3)
        await page.screenshot(path=OUT / "list.png", full_page=True)
        (OUT / "list.txt").write_text(page.url + "\n" + await page.inner_text("body"))
        (OUT / "list.html").write_text(await page.content())
