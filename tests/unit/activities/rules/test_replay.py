"""What was decided is decided anew, and what one table says anew is told to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities.rules.book import load_rules
from activities.rules.replay import Difference, difference
from database.rules import StandingRuling
from tests.unit.activities.rules.examples import NOBODY, RULES
from workflows.onboarding.rules import QUESTIONS, RISK, TIER, TierFacts
from workflows.rules import Facts, Ruling

Edit = Callable[[str, str, str], None]
HELD = load_rules(RULES, QUESTIONS)
TIERED = TierFacts(kind="person", risk="low", monthly_volume=30_000, account_manager=False)
RICH = NOBODY.model_copy(update={"monthly_volume": 30_000})


def past(onboarding: str, ruled: Ruling, facts: Facts, **other: Any) -> StandingRuling:
    said = ruled.model_dump(mode="json")
    known = {"table", "version", "row", "reason", "inputs_hash"}
    values: dict[str, Any] = {
        "onboarding": onboarding,
        "stage": "active",
        "table": ruled.table,
        "version": ruled.version,
        "row": ruled.row,
        "decided_at": datetime(2026, 1, 1, tzinfo=UTC),
        "inputs": facts.model_dump(mode="json"),
        "answer": {name: value for name, value in said.items() if name not in known},
    }
    return StandingRuling(**(values | other))


async def compared(candidate: Path, *rulings: StandingRuling) -> Difference:
    async def each() -> AsyncIterator[StandingRuling]:
        for one in rulings:
            yield one

    return await difference(each(), load_rules(candidate, QUESTIONS))


def both(onboarding: str) -> tuple[StandingRuling, StandingRuling]:
    return (
        past(onboarding, HELD.answer(TIER, TIERED), TIERED),
        past(onboarding, HELD.answer(RISK, RICH), RICH),
    )


async def test_the_same_rules_change_nobody() -> None:
    found = await compared(RULES, *both("a"), *both("b"))
    assert (found.onboardings, found.decisions) == (2, 4)
    assert not found.changes
    assert not found.untold


async def test_who_would_change_is_told_with_before_and_after(folder: Path, edit: Edit) -> None:
    edit("customer_tier", "monthly_volume >= 20000", "monthly_volume >= 40000")
    edit("customer_tier", "monthly_volume < 20000", "monthly_volume < 40000")
    found = await compared(folder, *both("a"))
    (change,) = found.changes
    assert (change.onboarding, change.table) == ("a", "customer_tier")
    assert (change.row, change.new_row) == ("vip-person", "person")
    assert (change.before, change.after) == ({"tier": "vip"}, {"tier": "standard"})


async def test_another_row_that_says_the_same_is_no_change(folder: Path, edit: Edit) -> None:
    edit("customer_tier", 'id = "vip-person"', 'id = "rich-person"')
    assert not (await compared(folder, *both("a"))).changes


async def test_what_one_table_says_anew_is_told_to_the_next(folder: Path, edit: Edit) -> None:
    """The candidate finds such persons risky, and who is risky is no VIP by rule."""
    edit("onboarding_risk", "monthly_volume > 50000", "monthly_volume > 5000")
    edit(
        "onboarding_risk",
        'risk = "medium"\ncodes = []\nreason = "A person who',
        'risk = "high"\ncodes = []\nreason = "A person who',
    )
    found = await compared(folder, *both("a"))
    told = {one.table: (one.new_row, one.after) for one in found.changes}
    assert told == {
        "onboarding_risk": ("large-person", {"risk": "high", "route": "review"}),
        "customer_tier": ("otherwise", {"tier": "standard", "route": "review"}),
    }


async def test_what_one_onboarding_is_told_is_not_told_to_another(folder: Path, edit: Edit) -> None:
    edit("onboarding_risk", 'route = "go_on"\nrisk = "low"', 'route = "go_on"\nrisk = "high"')
    alone = past("b", HELD.answer(TIER, TIERED), TIERED)
    found = await compared(folder, *both("a"), alone)
    assert {one.onboarding for one in found.changes} == {"a"}


async def test_a_decision_that_lacks_an_input_of_the_candidate_cannot_be_told() -> None:
    lacking = past("a", HELD.answer(RISK, NOBODY), NOBODY, inputs={"kind": "person"})
    found = await compared(RULES, lacking)
    (untold,) = found.untold
    assert (untold.onboarding, untold.table) == ("a", "onboarding_risk")
    assert "has to be told country" in untold.why


async def test_an_input_that_is_told_no_more_does_not_matter() -> None:
    one = past("a", HELD.answer(RISK, NOBODY), NOBODY)
    more = past("a", HELD.answer(RISK, NOBODY), NOBODY, inputs={**one.inputs, "moon": "full"})
    assert await compared(RULES, more) == await compared(RULES, one)


async def test_a_table_that_is_asked_no_more_is_passed_over() -> None:
    old = past("a", HELD.answer(RISK, NOBODY), NOBODY, table="horoscope")
    found = await compared(RULES, old)
    assert (found.onboardings, found.decisions, found.untold) == (1, 0, [])
