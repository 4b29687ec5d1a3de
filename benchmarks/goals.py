"""What is to be reached, and whether it was: ratios of runs that took turns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CONFIDENCE = 0.9


@dataclass(frozen=True)
class Ratio:
    """The median of the ratios of several pairs, and between which of them it surely lies."""

    median: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class Goal:
    """A bound that the median ratio, ours to the baseline's, must keep."""

    name: str
    baseline: str
    bound: float
    kind: Literal["at most", "at least"]

    def is_met(self, ratio: Ratio) -> bool:
        """Whether the ratio keeps the bound."""
        if self.kind == "at most":
            return ratio.median <= self.bound
        return ratio.median >= self.bound


@dataclass(frozen=True)
class Finding:
    """What came out for one goal: the medians of both sides, in `unit`, and their ratio."""

    goal: Goal
    ours: float
    theirs: float
    unit: str
    ratio: Ratio

    @property
    def is_met(self) -> bool:
        """Whether the goal was reached."""
        return self.goal.is_met(self.ratio)


def finding(goal: Goal, ours: Sequence[float], theirs: Sequence[float], unit: str) -> Finding:
    """Judge pairs of figures: `ours` and `theirs` were taken one right after the other."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Finding(goal, statistics.median(ours), statistics.median(theirs), unit, ratio_of(ratios))


def ratio_of(ratios: Sequence[float]) -> Ratio:
    """The median with the tightest two of the ratios that hold it with 90 % certainty.

    Whatever the ratios are distributed like, each is as likely above the true median as below it.
    Five pairs are the fewest for which the outermost two will do.
    """
    ordered = sorted(ratios)
    number = len(ordered)
    cut, outside = 0, 2.0 * math.comb(number, 0) / 2**number
    while cut + 1 < number / 2:
        outside += 2.0 * math.comb(number, cut + 1) / 2**number
        if outside > 1 - CONFIDENCE:
            break
        cut += 1
    return Ratio(statistics.median(ordered), ordered[cut], ordered[-1 - cut], number)
