"""Make a world of files: python -m simulators.world --days 3 --payments 200 --plant all --out DIR

Prints what was written and what is to be found in it.
"""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import get_args

from simulators.bank.statements import FORMATS
from simulators.world.bed import TooShort
from simulators.world.files import write
from simulators.world.planting import ALL, DISCREPANCIES, plant
from simulators.world.shape import KnownBy, Shape


def main() -> None:
    """Read the arguments and write the files."""
    options = _parser().parse_args()
    shape = Shape(
        seed=options.seed,
        first_day=options.first_day,
        days=options.days,
        quiet_days=options.quiet_days,
        payments=options.payments,
        currencies=tuple(options.currency or ("EUR",)),
        known_by=options.key,
    )
    wanted = [name for text in options.plant for name in text.split(",") if name]
    names = [each for name in wanted for each in (ALL if name == "all" else (name,))]
    try:
        world = plant(shape, names, exact=not options.any_amounts)
    except TooShort as error:
        sys.exit(f"{error}: give more --days or --quiet-days.")
    except KeyError as error:
        sys.exit(f"There is no discrepancy {error}; there are {', '.join(DISCREPANCIES)}.")
    manifest = write(world, options.out, options.statement or ["camt.053"], options.page)
    rows = sum(sum(books.rows.values()) for books in manifest.books.values())
    breaks = len([*manifest.breaks])
    print(f"{options.out}: {rows} rows, {breaks} breaks to be found, {manifest.status}")  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.world",
        description="Days of payments as files, with planted discrepancies and a manifest.",
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first-day", type=date.fromisoformat, default=Shape.first_day)
    parser.add_argument("--days", type=int, default=Shape.days, help="with payments")
    parser.add_argument("--quiet-days", type=int, default=Shape.quiet_days, help="days after them")
    parser.add_argument("--payments", type=int, default=Shape.payments, help="in all")
    parser.add_argument("--currency", action="append", help="EUR; may be given several times")
    parser.add_argument(
        "--key", choices=get_args(KnownBy), default=Shape.known_by, help="of the ledger's lines"
    )
    parser.add_argument(
        "--plant",
        action="append",
        default=[],
        help="`all` but those that keep the proof from being made; a name or a number; a list",
    )
    parser.add_argument("--any-amounts", action="store_true", help="not those of the definitions")
    parser.add_argument(
        "--statement", action="append", choices=sorted(FORMATS), help="camt.053; several"
    )
    parser.add_argument("--page", type=int, help="the most entries that a page of a statement has")
    return parser


if __name__ == "__main__":
    main()
