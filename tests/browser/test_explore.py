from __future__ import annotations
import asyncio
from pathlib import Path
import pytest
from tests.house import House
from tests.integration.test_worker import prove_identity, started, until
from workers.temporal_server import TemporalServer

OUT = Path("/tmp/docs_explore")

@pytest.mark.timeout(3000)
async def test_explore(house: House, temporal_with_ui: TemporalServer) -> None:
    async with house.working():
        application, handle = await started(house)
        a2, h2 = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault("error_503", path="/v1/customers*", times=None)
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.attention)
        run = (await handle.describe()).run_id
        (OUT / "url").write_text(f"{temporal_with_ui.ui_url}\n{handle.id}\n{run}\n")
        while not (OUT / "stop").exists():
            await asyncio.sleep(0.5)
