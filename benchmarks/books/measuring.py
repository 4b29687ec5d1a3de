"""Reconciliation measured: ours and plain SQL take turns, each in a process and a database."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.books import databases, readers, world
from benchmarks.books.databases import Databases
from benchmarks.books.world import World
from benchmarks.goals import Finding, Goal, finding
from benchmarks.report import Figure, Report
from workers.obstacle import Obstacle

END_TO_END = Goal("reconciling files end to end", "plain SQL", 1.5, "at most")
GROWTH = Goal("seconds of a payment, growing", "the small world", 1.0, "at most")
INCREMENT = Goal("a day's files, much being there", "plain SQL", 2.0, "at most")
MEMORY = Goal("memory of the worker", "600 MiB", 1.0, "at most")

_MEMORY = 600.0
_FIRST = date(2025, 3, 3)
_DAYS = 30
_BETWEEN = timedelta(days=60)
"""From the beginning of one world to that of the next: its days, and the quiet ones after them."""

_SEED = 1
"""Of the first world, which alone has discrepancies."""

Took = dict[str, float]


class Failed(Obstacle):
    """A measured process failed; the text names it."""


@dataclass(frozen=True)
class Size:
    """How many payments each world has; one brings a little over two items to each side.

    rounds   pairs of ours and plain
    large    compared end to end; `small` is what growth is measured from
    there    what is there already where `new` comes in
    naive    what the quadratic matcher is given
    entries  days with statement entries that readers read
    """

    rounds: int
    small: int
    large: int
    there: int
    new: int
    naive: int
    entries: int


FULL = Size(3, 4_800, 480_000, 1_200_000, 12_000, 9_600, 2_000)
QUICK = Size(1, 200, 400, 400, 200, 200, 60)


async def measure(size: Size, announce: Callable[[str], None]) -> Report:
    """Measure everything about books. Raises Obstacle."""
    with tempfile.TemporaryDirectory(prefix="perdure-bench-") as folder:
        async with databases.running() as made:
            measuring = _Measuring(size, announce, Path(folder), made)
            findings, figures = await measuring.end_to_end()
            increment, more = await measuring.increment()
            figures += [*more, *await measuring.naive(), *await measuring.readers()]
    return Report([*findings, increment], figures, quick=size.rounds == 1)


@dataclass(frozen=True)
class _Measuring:
    size: Size
    announce: Callable[[str], None]
    folder: Path
    databases: Databases

    async def end_to_end(self) -> tuple[list[Finding], list[Figure]]:
        """Worlds of two sizes, each from its files to what is stored, with nothing there."""
        ours: list[Took] = []
        plain: list[Took] = []
        little: list[Took] = []
        async with (
            self._world(self.size.small) as small,
            self._world(self.size.large) as large,
        ):
            for turn in range(self.size.rounds):
                self.announce(f"end to end, round {turn + 1} of {self.size.rounds}")
                for name in _turned(("plain", "ours", "small"), turn):
                    async with self.databases.fresh() as url:
                        if name == "plain":
                            plain.append(await _plain(url, large))
                        elif name == "ours":
                            ours.append(await _ours(url, large))
                        else:
                            little.append(await _ours(url, small))
        seconds = _of(ours, "end to end")
        findings = [
            finding(END_TO_END, seconds, _of(plain, "end to end"), "s"),
            finding(
                GROWTH,
                [1e6 * one / self.size.large for one in seconds],
                [1e6 * one / self.size.small for one in _of(little, "end to end")],
                "µs",
            ),
            finding(MEMORY, _of(ours, "memory"), [_MEMORY] * len(ours), "MiB"),
        ]
        return findings, _steps("end to end", ours, plain)

    async def increment(self) -> tuple[Finding, list[Figure]]:
        """Another day's files on top of many; each round is a day further."""
        ours: list[Took] = []
        plain: list[Took] = []
        async with self.databases.fresh() as url:
            async with self._world(self.size.there) as there:
                self.announce(f"{self.size.there:,} payments that are there already")
                await _ours(url, there)
            for turn in range(self.size.rounds + 1):
                first = _FIRST + _BETWEEN * (turn + 1)
                async with self._world(self.size.new, first=first, seed=_SEED + turn + 1) as new:
                    self.announce(f"a day's files, round {turn} of {self.size.rounds}")
                    for name in _turned(("plain", "ours"), turn):
                        if name == "plain":
                            plain.append(await _plain(url, new))
                        else:
                            ours.append(await _ours(url, new))
        # In the first, plain takes over what is there: whatever it read is still in memory.
        del ours[0], plain[0]
        seconds = _of(ours, "end to end"), _of(plain, "end to end")
        return finding(INCREMENT, *seconds, "s"), _steps("a day's files", ours, plain)

    async def naive(self) -> list[Figure]:
        """What a matcher takes that holds each against each."""
        self.announce("the quadratic matcher")
        async with self._world(self.size.naive) as books, self.databases.fresh() as url:
            ours = await _ours(url, books)
            naive = await _run("naive", str(books.folder))
        values = {"ours": ours["end to end"], "quadratic": naive["end to end"]}
        return [Figure(f"{self.size.naive:,} payments", "s", values)]

    async def readers(self) -> list[Figure]:
        """Statement files of each format, after a turn to warm up."""
        self.announce("statement readers")
        async with self._world(1, days=self.size.entries, formats=(*readers.ENDINGS,)) as books:
            read = {
                kind: [
                    await asyncio.to_thread(
                        readers.read, books.folder / f"statement.{ending}", kind
                    )
                    for _ in range(self.size.rounds + 1)
                ][1:]
                for kind, ending in readers.ENDINGS.items()
            }
        return [
            Figure(
                f"entries/s of {kind}",
                "/s",
                {
                    "ours": statistics.median(one.ours for one in those),
                    "library": statistics.median(one.library for one in those),
                },
            )
            for kind, those in read.items()
        ]

    @contextlib.asynccontextmanager
    async def _world(
        self,
        payments: int,
        *,
        first: date = _FIRST,
        days: int = _DAYS,
        seed: int = _SEED,
        formats: Sequence[str] = ("camt.053",),
    ) -> AsyncIterator[World]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield await world.make(
                Path(folder),
                payments=max(payments, days),
                first=first,
                days=days,
                seed=seed,
                planted=seed == _SEED,
                formats=formats,
            )


async def _ours(url: str, books: World) -> Took:
    return await _run("ours", url, str(books.folder), str(books.last))


async def _plain(url: str, books: World) -> Took:
    return await _run("plain", url, str(books.folder))


async def _run(module: str, *arguments: str) -> Took:
    """What a process of its own prints. Raises Failed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"benchmarks.books.{module}", *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise Failed(f"benchmarks.books.{module} ended with {process.returncode}")
    took: Took = json.loads(told)
    return took


def _of(measured: Sequence[Took], name: str) -> list[float]:
    return [one[name] for one in measured]


def _steps(what: str, ours: Sequence[Took], plain: Sequence[Took]) -> list[Figure]:
    """The medians of each step of both."""
    ways = {"ours": ours, "plain SQL": plain}
    names = dict.fromkeys(name for those in ways.values() for one in those for name in one)
    return [
        Figure(
            f"{what}: {name}",
            {"memory": "MiB"}.get(name, "" if name.endswith(" in all") else "s"),
            {
                way: statistics.median(_of(those, name))
                for way, those in ways.items()
                if all(name in one for one in those)
            },
        )
        for name in names
    ]


def _turned(names: Sequence[str], turn: int) -> Sequence[str]:
    first = turn % len(names)
    return [*names[first:], *names[:first]]
