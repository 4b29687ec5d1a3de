"""Books to compare: files that the simulators' world writes."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

SEED = 1


@dataclass(frozen=True)
class World:
    """A folder with a ledger, a report of Stripe's and a statement of the bank; its last day."""

    folder: Path
    first: date
    last: date

    @property
    def ledger(self) -> Path:
        """Our ledger."""
        return self.folder / "ledger.csv"

    @property
    def stripe(self) -> Path:
        """Stripe's itemised report."""
        return self.folder / "stripe.csv"

    @property
    def statement(self) -> Path:
        """The bank's statements."""
        return self.folder / "statement.xml"


async def make(folder: Path, *, payments: int, first: date, days: int, seed: int = SEED) -> World:
    """Have a world written that has every discrepancy, and so many payments."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.world", "--out", str(folder)),
        *("--payments", str(payments), "--first-day", str(first), "--days", str(days)),
        *("--plant", "all", "--seed", str(seed)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise RuntimeError("the world could not be written")
    manifest = json.loads((folder / "manifest.json").read_text())
    return World(
        folder,
        date.fromisoformat(manifest["first_day"]),
        date.fromisoformat(manifest["last_day"]),
    )
