"""The matcher that one writes at first: each line of ours is held against each one of theirs.

`python -m benchmarks.books.naive WORLD` prints the seconds and the matches, files read included.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

Line = tuple[str, str, str, Decimal]
"""Reference, kind, currency, amount."""


def match(ours: list[Line], theirs: list[Line]) -> int:
    """How many of ours have one of theirs; each is taken once."""
    left = list(theirs)
    matches = 0
    for line in ours:
        for place, other in enumerate(left):
            if line == other:
                del left[place]
                matches += 1
                break
    return matches


def _ledger(folder: Path) -> Iterator[Line]:
    with (folder / "ledger.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["account"] == "clearing":
                yield row["reference"], row["kind"], row["currency"], Decimal(row["amount"])


def _stripe(folder: Path) -> Iterator[Line]:
    with (folder / "stripe.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            reference, currency = row["source_id"], row["currency"].upper()
            yield reference, row["reporting_category"], currency, Decimal(row["gross"])
            if Decimal(row["fee"]):
                yield reference, "fee", currency, -Decimal(row["fee"])


def main(folder: Path) -> None:
    """Match the two, theirs from the last day to the first as Stripe lists them."""
    begun = time.perf_counter()
    matches = match([*_ledger(folder)], [*_stripe(folder)][::-1])
    took = time.perf_counter() - begun
    print(json.dumps({"end to end": took, "matches": matches}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
