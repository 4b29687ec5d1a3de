"""A day that is run again with nothing new has the certificate that stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import certificates, runs
from tests.integration.reconciliation.nights import Nights, march, mt940
from workflows.reconciliation.certificate import certificate_id
from workflows.reconciliation.messages import Run


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def certificates_of(nights: Nights) -> dict[int, str | None]:
    async with transaction(nights.engine) as connection:
        listed = await runs.many(connection, tenant=None, limit=10)
    return {row["ordinal"]: row["certificate_id"] for row in listed}


async def test_it_has_the_certificate_of_the_run_that_found_the_same(nights: Nights) -> None:
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    made = certificate_id(await nights.night(march(2)))
    await nights.night(march(2))
    assert await certificates_of(nights) == {1: made, 2: made}
    async with transaction(nights.engine) as connection:
        again = await runs.id_of(connection, Run(account="acme", day=march(2), ordinal=2))
        assert await runs.certificate_of(connection, again) == made
        told = await certificates.as_of(connection, "acme", march(2), ordinal=2)
        assert told is not None
        assert told.id == made


async def test_it_has_one_of_its_own_where_something_came(nights: Nights) -> None:
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    first = certificate_id(await nights.night(march(2)))
    await nights.charge(march(2), "ch_1", 10_000)
    second = certificate_id(await nights.night(march(2)))
    assert first != second
    assert await certificates_of(nights) == {1: first, 2: second}
