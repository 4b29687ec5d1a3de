"""What was found: a table for people, JSON for machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.goals import Finding


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured figure for people to look at, apart from any goal; `values` by variant."""

    name: str
    unit: str
    values: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Report:
    """All of it. `quick` runs show that the benchmark works; they are too short to judge by."""

    findings: Sequence[Finding]
    figures: Sequence[Figure]
    quick: bool

    @property
    def is_met(self) -> bool:
        """Whether every goal was reached."""
        return all(finding.is_met for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "quick": self.quick,
            "met": None if self.quick else self.is_met,
            "findings": [
                dataclasses.asdict(one) | {"met": None if self.quick else one.is_met}
                for one in self.findings
            ],
            "figures": [dataclasses.asdict(one) for one in self.figures],
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        console.print(self._goals())
        console.print(self._beside())
        if self.quick:
            console.print("Too short to judge by: run it without --quick for a verdict.")

    def _goals(self) -> Table:
        table = Table("ours ÷ the baseline", "baseline", title="Goals")
        for heading in ("ours", "baseline", "ratio", "90 % interval", "goal"):
            table.add_column(heading, justify="right")
        table.add_column("")
        for one in self.findings:
            bound = f"{'≤' if one.goal.kind == 'at most' else '≥'} {one.goal.bound:.2f}"
            verdict = "[green]met[/]" if one.is_met else "[red]missed[/]"
            table.add_row(
                one.goal.name,
                one.goal.baseline,
                f"{_figure(one.ours)} {one.unit}",
                f"{_figure(one.theirs)} {one.unit}",
                f"{one.ratio.median:.2f}",
                f"{one.ratio.low:.2f}–{one.ratio.high:.2f} ({one.ratio.pairs} pairs)",
                bound,
                "–" if self.quick else verdict,
            )
        return table

    def _beside(self) -> Table:
        variants = list(dict.fromkeys(name for one in self.figures for name in one.values))
        table = Table("median of", "unit", title="Beside it")
        for variant in variants:
            table.add_column(variant, justify="right")
        for one in self.figures:
            cells = [_figure(one.values[name]) if name in one.values else "" for name in variants]
            table.add_row(one.name, one.unit, *cells)
        return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
