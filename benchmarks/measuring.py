"""One run: every variant takes its turn in every round, so that the machine's moods cancel out."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks import lists, onboardings, stack, webhooks
from benchmarks.applicants import Applicants
from benchmarks.goals import Finding, Goal, finding
from benchmarks.lists import Kind
from benchmarks.onboardings import VARIANTS, Load, Timed, Variant
from benchmarks.report import Figure, Report
from benchmarks.stack import Stack
from benchmarks.webhooks import Burst

Name = TypeVar("Name", bound=str)

CPU = Goal("CPU of an onboarding", "plain", 1.25, "at most")
LATENCY = Goal("latency of an onboarding", "plain", 1.3, "at most")
THROUGHPUT = Goal("onboardings/s", "sequential", 1.5, "at least")
WEBHOOKS = Goal("acknowledgements/s", "bare route", 0.8, "at least")
LISTS = {
    kind: Goal(f"pages/s of a long list of {kind.name}", "300 pages/s", 1.0, "at least")
    for kind in (lists.CUSTOMERS, lists.TRANSACTIONS)
}
_PAGES_PER_SECOND = 300.0


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds, onboardings in flight, one by one, and events in a burst.

    In a round `onboardings` are carried out by each variant, and `one_by_one` more alone. Of the
    simulator's `listed` objects of each kind `pages` are read.
    """

    rounds: int
    onboardings: int
    in_flight: int
    one_by_one: int
    events: int
    listed: int
    pages: int


FULL = Size(
    rounds=6,
    onboardings=40,
    in_flight=16,
    one_by_one=5,
    events=20_000,
    listed=1_000_000,
    pages=1000,
)
QUICK = Size(rounds=1, onboardings=3, in_flight=3, one_by_one=1, events=200, listed=2000, pages=40)


async def measure(size: Size, announce: Callable[[str], None]) -> Report:
    """Measure everything. Raises Obstacle, NotTheSame or NotKept."""
    announce("starting a stack of its own")
    async with stack.running() as running:
        findings, figures = await _onboardings(running, size, announce)
        acknowledged, more = await _webhooks(running, size, announce)
        findings.append(acknowledged)
        figures += more
        for kind, goal in LISTS.items():
            listed, more = await _lists(running, kind, goal, size, announce)
            findings.append(listed)
            figures += more
    return Report(findings, figures, quick=size.rounds == 1)


async def _onboardings(
    running: Stack, size: Size, announce: Callable[[str], None]
) -> tuple[list[Finding], list[Figure]]:
    loads: dict[Variant, list[Load]] = defaultdict(list)
    times: dict[Variant, list[list[Timed]]] = defaultdict(list)
    async with Applicants(running.settings, running.client, running.engine).acting():
        announce("warming up; do all variants have the same effects?")
        await onboardings.check_sameness(running, min(size.in_flight, 8))
        for turn in range(size.rounds):
            announce(f"onboardings, round {turn + 1} of {size.rounds}")
            order = _from(VARIANTS, turn)
            for variant in order:
                loads[variant].append(
                    await onboardings.load(
                        running, variant, size.onboardings, in_flight=size.in_flight
                    )
                )
            for variant in order:
                times[variant].append(await onboardings.timed(running, variant, size.one_by_one))
    cpu = {name: [1000 * one.judged_cpu for one in loads[name]] for name in VARIANTS}
    rate = {name: [one.per_second for one in loads[name]] for name in VARIANTS}
    p50 = {
        name: [statistics.median(1000 * one.seconds for one in some) for some in times[name]]
        for name in VARIANTS
    }
    findings = [
        finding(CPU, cpu["process"], cpu["plain"], "ms"),
        finding(LATENCY, p50["process"], p50["plain"], "ms"),
        finding(THROUGHPUT, rate["process"], rate["sequential"], "/s"),
    ]
    events = {name: [one.events for some in times[name] for one in some] for name in VARIANTS}
    figures = [
        _figure("onboardings/s", "/s", rate),
        _figure("latency, p50", "ms", p50),
        _figure("CPU of workers and Temporal, each", "ms", cpu),
        *(
            _figure(f"CPU of {what}, each", "ms", _cpu_of(names, loads))
            for what, names in {
                "the worker": ("worker", "plain worker"),
                "Temporal": ("temporal",),
                "Postgres": ("postgres",),
                "the simulators": ("simulators",),
            }.items()
        ),
        _figure("events in the history", "", events),
    ]
    return findings, figures


async def _webhooks(
    running: Stack, size: Size, announce: Callable[[str], None]
) -> tuple[Finding, list[Figure]]:
    events = await webhooks.events_of_an_onboarding(running)
    ways = {"gateway": webhooks.to_gateway, "bare route": webhooks.to_bare_route}
    for send in ways.values():
        await send(running, events, size.events // 4)
    bursts: dict[str, list[Burst]] = defaultdict(list)
    for turn in range(size.rounds):
        announce(f"webhooks, round {turn + 1} of {size.rounds}")
        for name in _from(tuple(ways), turn):
            bursts[name].append(await ways[name](running, events, size.events))
    rate = {name: [one.per_second for one in bursts[name]] for name in ways}
    drained = [one.handed_over_after or 0.0 for one in bursts["gateway"]]
    figures = [
        _figure("acknowledgements/s", "/s", rate),
        _figure("handed over after", "s", {"gateway": drained}),
        *(
            _figure(f"CPU of {what}, each event", "ms", _cpu_of(names, bursts))
            for what, names in {
                "the HTTP server": ("gateway", "bare route"),
                "Postgres": ("postgres",),
            }.items()
        ),
    ]
    return finding(WEBHOOKS, rate["gateway"], rate["bare route"], "/s"), figures


async def _lists(
    running: Stack, kind: Kind, goal: Goal, size: Size, announce: Callable[[str], None]
) -> tuple[Finding, list[Figure]]:
    announce(f"a list of {size.listed:,} {kind.name}")
    seeded = await lists.seed(running, kind, size.listed)
    walks = [
        await lists.walk(running, kind, listed=size.listed, pages=size.pages, turn=turn)
        for turn in range(size.rounds)
    ]
    rates = [one.per_second for one in walks]
    figures = [
        _figure(f"{kind.name} seeded", "/s", {"simulator": [seeded]}),
        _figure(
            f"pages of {kind.name} in a second of its processor",
            "/s",
            {"simulator": [one.per_processor_second for one in walks]},
        ),
    ]
    return finding(goal, rates, [_PAGES_PER_SECOND] * len(rates), "/s"), figures


def _from(names: tuple[Name, ...], turn: int) -> tuple[Name, ...]:
    """The same names, beginning with another one at each turn."""
    first = turn % len(names)
    return names[first:] + names[:first]


def _cpu_of(
    processes: tuple[str, ...], measured: Mapping[Name, Sequence[Load | Burst]]
) -> dict[Name, list[float]]:
    """Milliseconds that some processes used, by variant."""
    return {
        name: [1000 * sum(one.cpu[process] for process in processes) for one in some]
        for name, some in measured.items()
    }


def _figure(name: str, unit: str, values: Mapping[Name, Sequence[float]]) -> Figure:
    medians = {str(variant): statistics.median(some) for variant, some in values.items()}
    return Figure(name, unit, medians)
