"""What a bank said is neither overlooked nor lost, in whatever order it came."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation.statement_withdrawal import withdraw
from tests.integration.reconciliation.nights import Nights, march, mt940
from tests.postgres import rows

EMPTY = mt940(1, 2, 2, {}, opening=0)
OTHERWISE = mt940(1, 2, 2, {"A": (2, 500)}, opening=0)
SECOND, THIRD = (mt940(0, day, day, {}, opening=0) for day in (2, 3))
"""Days without an entry, of a bank that names all its statements alike."""


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def states(nights: Nights) -> list[str]:
    """The states of all statements, as they came."""
    return [
        one["state"] for one in await rows(nights.engine, "SELECT * FROM statements ORDER BY id")
    ]


@pytest.mark.parametrize("sent", [(EMPTY, OTHERWISE), (EMPTY, OTHERWISE, EMPTY + b"\n")])
async def test_a_contradiction_from_before_the_account_was_known_is_put_before_people(
    nights: Nights, sent: tuple[bytes, ...]
) -> None:
    await nights.forget_bank_account()
    for content in sent:
        await nights.send(content)
        await nights.intake.read_waiting()
    await nights.know_bank_account()

    made = await nights.night(march(2))
    lacks = [one.lack for one in made.missing]
    assert (made.status, lacks) == ("INCOMPLETE", ["statement_contradicted"])


async def test_a_contradiction_of_what_waited_twice_is_put_before_people(nights: Nights) -> None:
    await nights.forget_bank_account()
    await nights.send(EMPTY)
    for content in (EMPTY + b"\n", OTHERWISE):
        await nights.send(content, tenant="acme")
    await nights.intake.read_waiting()
    assert await states(nights) == ["unknown_account", "unknown_account", "contradicted"]
    await nights.know_bank_account()

    made = await nights.night(march(2))
    lacks = [one.lack for one in made.missing]
    assert (made.status, lacks) == ("INCOMPLETE", ["statement_contradicted"])


async def test_what_gave_way_before_the_account_was_known_is_of_the_account_too(
    nights: Nights,
) -> None:
    await nights.forget_bank_account()
    await nights.send(EMPTY.replace(b":62F:C260302EUR0,00", b":62F:C260302EUR1,00"))
    await nights.intake.read_waiting()
    await nights.know_bank_account()
    await nights.send(EMPTY)
    await nights.intake.read_waiting()

    assert await states(nights) == ["superseded", "counts"]
    found = await rows(nights.engine, "SELECT DISTINCT account, tenant FROM statements")
    assert found == [{"account": nights.account.id, "tenant": "acme"}]


async def test_each_empty_day_of_a_bank_that_names_all_alike_is_told(nights: Nights) -> None:
    await nights.send(SECOND + THIRD)
    assert (await nights.night(march(2))).status == "BALANCED"

    last = await nights.night(march(3))
    assert (last.status, last.missing) == ("BALANCED", ())
    assert await states(nights) == ["counts", "counts"]


async def test_empty_days_that_waited_for_their_account_are_told_each(nights: Nights) -> None:
    await nights.forget_bank_account()
    await nights.send(SECOND + THIRD)
    await nights.intake.read_waiting()
    await nights.send(SECOND + THIRD + b"\n", tenant="acme")
    await nights.intake.read_waiting()
    await nights.know_bank_account()

    last = await nights.night(march(3))
    assert last.missing == ()
    assert await states(nights) == [*("counts", "counts"), *("again", "again")]


async def test_an_empty_day_that_was_withdrawn_takes_no_other_with_it(nights: Nights) -> None:
    file = await nights.send(SECOND)
    await nights.night(march(2))
    [one] = await rows(nights.engine, "SELECT id FROM statements")
    async with transaction(nights.engine) as connection:
        await withdraw(connection, file, one["id"], by="finance", reason="of another account")
    await nights.send(THIRD)
    await nights.night(march(3))

    assert await states(nights) == ["withdrawn", "counts"]
