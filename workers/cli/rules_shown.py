"""What `perdure rules` shows to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from activities.rules.coverage import Coverage
from activities.rules.inputs import shown
from activities.rules.replay import Difference
from activities.rules.table import Looked, Row, Table
from workers.cli.gateway_call import clock, show_table
from workers.terminal import say

_MANY = 10
_PAGE = 100


def show_coverage(table: Table, found: Coverage) -> None:
    """One table: its size, then what there is to say of its rows."""
    say(f"{table.name}  version {table.version}  {len(table.rows)} rows, {found.cases} cases")
    for row in found.unreachable:
        why = f"what it is for goes to {', '.join(row.taken_by)}" if row.taken_by else "never holds"
        say(f"  never reached: {row.row} ({why})")
    if found.gaps:
        say(f"  gaps, caught by the last row only ({table.rows[-1].id}):")
        for gap in found.gaps[:_MANY]:
            say(f"    {_case(gap)}")
        if len(found.gaps) > _MANY:
            say(f"    and {len(found.gaps) - _MANY} more: --json has them all")
    softer = [one for one in found.overlaps if one.softer]
    if softer:
        say("  a milder row stands above a stricter one, where both hold:")
    for one in softer:
        say(f"    {one.row} above {one.below}, as for {_case(one.example)}")
    stricter = [one for one in found.overlaps if not one.softer]
    if stricter:
        say("  overlaps, decided by the upper row:")
    for upper, below in groupby(stricter, key=lambda one: one.row):
        say(f"    {upper} above {', '.join(one.below for one in below)}")
    say("")


def show_explanation(table: Table, looked: Sequence[Looked], decided: Row) -> None:
    """The rows in turn, then the outcome."""
    say(f"{table.name}  version {table.version}\n")
    rows: list[tuple[Any, ...]] = []
    for one in looked:
        condition = " ".join(one.row.when.text.split()) if one.row.when else "(always)"
        came_to = {None: "not looked at", True: "holds", False: "no"}[one.held]
        parts = "\n".join(f"{text}: {'yes' if held else 'no'}" for text, held in one.comparisons)
        rows.append((one.row.number, one.row.id, came_to, condition, parts))
    show_table(("", "row", "came to", "condition", "its parts"), rows)
    say(f"\n{decided.id}: {decided.reason}")
    for name, value in decided.answer.items():
        say(f"  {name} = {shown(value)}")


def show_difference(found: Difference) -> None:
    """Who would be decided otherwise, and a line that sums it up."""
    rows = [
        (
            one.onboarding,
            one.stage,
            one.table,
            f"{one.row} → {one.new_row}",
            "\n".join(
                f"{name}: {shown(one.before[name])} → {shown(one.after[name])}"
                for name in one.after
            ),
            clock(one.decided_at.isoformat()),
        )
        for one in found.changes[:_PAGE]
    ]
    if rows:
        show_table(("onboarding", "stage", "table", "row", "would change", "decided"), rows)
        say("")
    if len(found.changes) > _PAGE:
        say(f"and {len(found.changes) - _PAGE} more: --json has them all")
    for untold in found.untold[:_PAGE]:
        say(f"cannot be told: {untold.onboarding}, {untold.table}: {untold.why}")
    otherwise = len({one.onboarding for one in found.changes})
    say(
        f"{otherwise} of {found.onboardings} onboardings would be decided otherwise "
        f"({found.decisions} decisions looked at)."
    )


def _case(case: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in case.items()) or "every case"
