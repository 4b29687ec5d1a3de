"""Who is known already, also of two who come at the same time; and nobody is named for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from database.connection import engine_for
from tests.house import TENANT
from tests.integration.test_deciding import Bench
from workflows.onboarding.messages import (
    Validate,
    workflow_id,
)
from workflows.onboarding.policy import DuplicatesPolicy

ADA = {
    "name": "Adela Vzorová",
    "email": "adela@example.com",
    "date_of_birth": "1990-04-01",
    "tax_id": None,
}


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    engine = engine_for(database)
    yield Bench(engine)
    await engine.dispose()


async def known(bench: Bench, id_: str, *, round_: int = 1, version: int = 1) -> bool:
    """Whether somebody is known already, as the step that validates finds."""
    part = "" if round_ == 1 else f"/round-{round_}"
    validated = await bench.steps.validate(
        Validate(
            request_key=f"{workflow_id(TENANT, id_)}/application.validate{part}",
            application_id=id_,
            version=version,
            countries=("DE", "AT"),
            currencies=("EUR",),
            policy_version="1",
            duplicates=DuplicatesPolicy(likeness=0.6),
        )
    )
    return validated.possible_duplicate


async def ends(bench: Bench, id_: str, stage: str) -> None:
    await bench.rows(
        "UPDATE onboardings SET stage = :stage WHERE id = :id RETURNING id", id=id_, stage=stage
    )


async def noted(bench: Bench, id_: str) -> dict[str, set[str]]:
    rows = await bench.rows("SELECT * FROM duplicates WHERE onboarding = :id", id=id_)
    return {row["other"]: set(row["alike"]) for row in rows}


async def test_of_many_who_come_at_once_one_is_the_first(bench: Bench) -> None:
    ids = [await bench.applied(**ADA) for _ in range(8)]
    found = await asyncio.gather(*(known(bench, id_) for id_ in ids))
    assert sorted(found) == [False] + [True] * 7
    (holder,) = {
        row["onboarding"] for row in await bench.rows("SELECT onboarding FROM known_applicants")
    }
    for id_ in ids:
        if id_ != holder:
            assert {"e_mail", "name_and_birth"} <= (await noted(bench, id_))[holder]


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ({}, {"name": "Berta Beispiel", "date_of_birth": None}, {"e_mail"}),
        (
            {},
            {"email": "Adela+two@EXAMPLE.com", "name": "Xaver", "date_of_birth": None},
            {"e_mail"},
        ),
        ({}, {"email": "a@example.org", "name": "VZOROVA, Adela"}, {"name_and_birth", "name"}),
        (
            {"tax_id": {"type": "eu_vat", "value": "DE 123.456-789"}},
            {
                "email": "b@example.org",
                "name": "Xaver",
                "date_of_birth": None,
                "tax_id": {"type": "eu_vat", "value": "DE123456789"},
            },
            {"tax_id"},
        ),
        ({}, {"email": "b@example.org", "name": "Adela Vzorova", "date_of_birth": None}, {"name"}),
    ],
)
async def test_who_is_alike_is_told_apart_with_the_reason(
    bench: Bench, first: dict[str, Any], second: dict[str, Any], alike: set[str]
) -> None:
    one = await bench.applied(**(ADA | first))
    two = await bench.applied(**(ADA | second))
    assert not await known(bench, one)
    assert await known(bench, two)
    assert await noted(bench, two) == {one: alike}


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Berta Beispiel"},
        {"date_of_birth": "1991-04-01"},
        {"country": "AT", "date_of_birth": None},
        {"kind": "company", "date_of_birth": None},
    ],
)
async def test_who_is_not_alike_enough_is_somebody_else(
    bench: Bench, other: dict[str, Any]
) -> None:
    assert not await known(bench, await bench.applied(**ADA))
    somebody_else = await bench.applied(**(ADA | {"email": "c@example.org"} | other))
    assert not await known(bench, somebody_else)


async def test_who_came_to_nothing_may_apply_again_and_the_old_case_is_linked(
    bench: Bench,
) -> None:
    first, second, third = [await bench.applied(**ADA) for _ in range(3)]
    assert not await known(bench, first)
    await ends(bench, first, "rejected")
    assert not await known(bench, second)
    (row,) = await bench.rows("SELECT earlier_case FROM onboardings WHERE id = :id", id=second)
    assert row["earlier_case"] == first
    assert await known(bench, third), "the second lives"


async def test_who_was_told_apart_stands_in_for_the_first_once_that_came_to_nothing(
    bench: Bench,
) -> None:
    first, second, third = [await bench.applied(**ADA) for _ in range(3)]
    assert not await known(bench, first)
    assert await known(bench, second)
    await ends(bench, second, "active")
    await ends(bench, first, "withdrawn")
    assert await known(bench, third)
    assert second in await noted(bench, third)


async def test_an_appeal_is_no_duplicate_of_what_it_appeals_against(bench: Bench) -> None:
    first = await bench.applied(**ADA)
    assert not await known(bench, first)
    await ends(bench, first, "rejected")
    appeal = await bench.applied(**ADA, appeal_of=first)
    assert not await known(bench, appeal)
    (row,) = await bench.rows("SELECT earlier_case FROM onboardings WHERE id = :id", id=appeal)
    assert row["earlier_case"] is None


async def test_once_a_reviewer_has_linked_them_it_is_no_question_any_more(bench: Bench) -> None:
    first, second = [await bench.applied(**ADA) for _ in range(2)]
    assert not await known(bench, first)
    assert await known(bench, second)
    await bench.rows("UPDATE duplicates SET relation = 'link' RETURNING other")
    assert not await known(bench, second, round_=2)


async def test_a_changed_address_is_free_for_others(bench: Bench) -> None:
    first = await bench.applied(**ADA)
    assert not await known(bench, first)
    await bench.rows(
        """INSERT INTO applications (id, version, tenant, form, created_by)
           SELECT id, 2, tenant, form || '{"email": "new@example.com"}', 'test'
           FROM applications WHERE id = :id RETURNING id""",
        id=first,
    )
    assert not await known(bench, first, round_=2, version=2)
    other = ADA | {"name": "Xaver", "date_of_birth": "1950-01-01"}
    assert not await known(bench, await bench.applied(**other))
    assert await known(bench, await bench.applied(**(other | {"email": "new@example.com"})))


async def test_the_table_names_nobody(bench: Bench) -> None:
    await known(bench, await bench.applied(**ADA))
    rows = await bench.rows("SELECT * FROM known_applicants")
    assert len(rows) == 2
    for told in ("adela", "example.com", "1990", "vzor"):
        assert told not in str(rows).casefold()
