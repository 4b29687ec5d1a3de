"""Measure, show, judge: `python -m benchmarks [--quick] [--json]`.

Exit codes: 0 all goals met (or --quick), 1 a goal was missed, others as `perdure` has them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from rich.console import Console

from benchmarks.measuring import FULL, QUICK, measure
from workers.obstacle import Obstacle

_WIDTH = 110
"""Columns of the tables, whatever they are written to."""


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no verdict")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    aside = Console(stderr=True)
    try:
        report = asyncio.run(measure(QUICK if options.quick else FULL, aside.log))
    except Obstacle as obstacle:
        print(f"benchmarks: {obstacle}", file=sys.stderr)  # noqa: T201
        sys.exit(obstacle.exit_code)
    if options.json:
        print(json.dumps(report.as_json(), indent=2))  # noqa: T201
    else:
        report.show(Console(width=_WIDTH))
    sys.exit(0 if options.quick or report.is_met else 1)


if __name__ == "__main__":
    main()
