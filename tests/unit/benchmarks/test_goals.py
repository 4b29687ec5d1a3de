from __future__ import annotations

import pytest

from benchmarks.goals import Goal, finding, ratio_of


def test_a_median_of_five_pairs_lies_between_the_outermost() -> None:
    ratio = ratio_of([1.2, 1.0, 1.1, 1.4, 1.3])
    assert (ratio.low, ratio.median, ratio.high, ratio.pairs) == (1.0, 1.2, 1.4, 5)


def test_of_eight_pairs_the_two_outermost_may_be_bad_luck() -> None:
    ratio = ratio_of([0.1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 9.9])
    assert (ratio.low, ratio.high) == (1.1, 1.6)


def test_one_pair_is_its_own_interval() -> None:
    assert ratio_of([2.0]).low == 2.0


@pytest.mark.parametrize(
    ("kind", "bound", "met"),
    [("at most", 1.25, True), ("at most", 1.1, False), ("at least", 1.2, True)],
)
def test_a_goal_is_judged_by_the_median_of_the_ratios(kind: str, bound: float, met: bool) -> None:
    goal = Goal("cost", "baseline", bound, "at most" if kind == "at most" else "at least")
    found = finding(goal, [12.0, 24.0, 9.0], [10.0, 20.0, 30.0], "ms")
    assert found.ratio.median == 1.2
    assert found.is_met is met


def test_figures_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        finding(Goal("cost", "baseline", 1.0, "at most"), [1.0, 2.0], [1.0], "ms")
