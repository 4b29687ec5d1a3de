"""A break is the same whatever version of an item it is about, so its age and its risk are one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.reconciliation.nights import Nights, march, mt940
from tests.integration.reconciliation.test_statement_withdrawal import reinstated, withdrawn
from tests.postgres import rows

STATEMENT = mt940(1, 2, 2, {"T9": (2, 1_000)}, opening=0)


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def open_breaks(nights: Nights) -> list[tuple[int, int]]:
    """Their numbers, and since which day of March."""
    found = await rows(
        nights.engine, "SELECT id, opened_on, at_risk_minor FROM breaks WHERE closed_on IS NULL"
    )
    assert {one["at_risk_minor"] for one in found} <= {0, 1_000}
    return sorted((one["id"], one["opened_on"].day) for one in found)


@pytest.mark.parametrize("complete", [True, False])
async def test_of_a_statement_that_is_withdrawn_and_reinstated(
    nights: Nights, *, complete: bool
) -> None:
    await nights.send(STATEMENT)
    assert (await nights.night(march(2))).status == "BREAKS"
    first = await open_breaks(nights)
    assert first
    if complete:
        await nights.send(mt940(2, 3, 3, {}, opening=1_000))
    for _ in range(2):
        await withdrawn(nights, STATEMENT)
        await reinstated(nights, STATEMENT)
        made = await nights.night(march(3))
        assert made.status == ("BREAKS" if complete else "INCOMPLETE")
        assert await open_breaks(nights) == first
        assert sum(one.at_risk_minor for one in made.breaks) == 1_000
