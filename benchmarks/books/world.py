"""Books to compare: files that the simulators' world writes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from workers.obstacle import Obstacle


class NoWorld(Obstacle):
    """The simulators could not write a world; what they say is on standard error."""


@dataclass(frozen=True)
class World:
    """A folder with a ledger, a report of Stripe's and a statement of the bank; its last day."""

    folder: Path
    first: date
    last: date


async def make(
    folder: Path,
    *,
    payments: int,
    first: date,
    days: int,
    seed: int,
    planted: bool,
    formats: Sequence[str],
) -> World:
    """Have a world written that has so many payments, and every discrepancy if `planted`.

    What is planted has the same ids in each world. `formats` are those of the statements.
    Raises NoWorld.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.world", "--out", str(folder)),
        *("--payments", str(payments), "--first-day", str(first), "--days", str(days)),
        *("--seed", str(seed), *(("--plant", "all") if planted else ())),
        *(word for one in formats for word in ("--statement", one)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise NoWorld(f"no world of {payments} payments could be written")
    manifest = json.loads((folder / "manifest.json").read_text())
    return World(
        folder,
        date.fromisoformat(manifest["first_day"]),
        date.fromisoformat(manifest["last_day"]),
    )
