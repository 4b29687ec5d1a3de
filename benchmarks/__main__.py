"""Measure, show, judge: `python -m benchmarks [--quick] [--json]`.

Exit codes: 0 all goals met (or --quick), 1 a goal was missed, others as `perdure` has them.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from rich.console import Console

from benchmarks.measuring import FULL, QUICK, measure
from workers.ending import end_after

_WIDTH = 110
"""Columns of the tables, whatever they are written to."""


def main() -> int:
    """Read the arguments and measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no verdict")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    aside = Console(stderr=True)
    report = asyncio.run(measure(QUICK if options.quick else FULL, aside.log))
    if options.json:
        print(json.dumps(report.as_json(), indent=2))  # noqa: T201
    else:
        report.show(Console(width=_WIDTH))
    return 0 if options.quick or report.is_met else 1


if __name__ == "__main__":
    end_after("benchmarks", main)
