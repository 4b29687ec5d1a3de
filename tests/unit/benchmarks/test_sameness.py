"""What was measured counts only where every baseline did what our process does."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.onboardings import VARIANTS, NotTheSame, Variant, compare

UPSERT = "POST /crm/v3/objects/contacts/batch/upsert done"
EFFECTS = {UPSERT: 8, "POST /v1/customers done": 8, "decision": 8, "active": 8}
BASELINES = [variant for variant in VARIANTS if variant != "process"]


def found(**other: Counter[str]) -> dict[Variant, Counter[str]]:
    return {variant: other.get(variant, Counter(EFFECTS)) for variant in VARIANTS}


def test_the_same_effects_may_be_measured() -> None:
    compare(found())


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("times", [0, 7, 9])
def test_a_baseline_that_leaves_a_call_out_or_adds_one_is_refused(
    baseline: Variant, times: int
) -> None:
    effects = Counter({**EFFECTS, UPSERT: times})
    with pytest.raises(NotTheSame, match=rf"{baseline} and our process differ in .*{UPSERT}"):
        compare(found(**{baseline: +effects}))


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_baseline_that_asks_for_something_else_is_refused(baseline: Variant) -> None:
    with pytest.raises(NotTheSame, match="PATCH /crm"):
        compare(found(**{baseline: Counter({**EFFECTS, "PATCH /crm done": 8})}))


def test_what_our_process_alone_leaves_out_is_refused_too() -> None:
    with pytest.raises(NotTheSame, match="decision"):
        compare(found(process=+Counter({**EFFECTS, "decision": 0})))
