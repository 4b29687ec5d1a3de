"""Measure, show, judge: `python -m benchmarks [onboarding | books] [--quick] [--json]`.

Exit codes: 0 all goals met (or --quick), 1 a goal was missed, others as `perdure` has them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from rich.console import Console

from benchmarks import measuring
from benchmarks.books import measuring as books
from benchmarks.report import Report
from workers.ending import end_after

_WIDTH = 110
"""Columns of the tables, whatever they are written to."""


def main() -> int:
    """Read the arguments and measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=(*_MEASURED, "all"), default="all", help="all of it, unless said"
    )
    parser.add_argument("--quick", action="store_true", help="see that it works; no verdict")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    aside = Console(stderr=True)
    report = asyncio.run(_measure(options.what, quick=options.quick, announce=aside.log))
    if options.json:
        print(json.dumps(report.as_json(), indent=2))  # noqa: T201
    else:
        report.show(Console(width=_WIDTH))
    return 0 if options.quick or report.is_met else 1


async def _measure(what: str, *, quick: bool, announce: Callable[[str], None]) -> Report:
    """One after the other: they would be in each other's way. Raises Obstacle."""
    names = _MEASURED if what == "all" else (what,)
    reports = [await _MEASURED[name](quick, announce) for name in names]
    return Report(
        [one for report in reports for one in report.findings],
        [one for report in reports for one in report.figures],
        quick=quick,
    )


_MEASURED: Mapping[str, Callable[[bool, Callable[[str], None]], Awaitable[Report]]] = {
    "onboarding": lambda quick, announce: measuring.measure(
        measuring.QUICK if quick else measuring.FULL, announce
    ),
    "books": lambda quick, announce: books.measure(books.QUICK if quick else books.FULL, announce),
}


if __name__ == "__main__":
    end_after("benchmarks", main)
