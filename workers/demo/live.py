"""The show on a terminal: a table that lives, the scenes, and a sentence about now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from workers.demo.books.tables import live_table
from workers.demo.cast import SECOND_ACT, TITLES, Scene
from workers.demo.show import SYSTEMS, WAY, Played, Row, Show, way_of

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAMES_PER_SECOND = 8
_WIDE = 120
_LEGEND = (
    *("Received", "Valid", "E-mail", "Identity", "Lists", "Decided", "Review", "Papers"),
    *("Billing", "Directory", "CRM"),
    *("Welcome", "Active"),
)
"""The marks of a row: the stages, with the systems in the place of `provisioning`."""
_FRAME = 5
"""Lines that there are always: title, heading, a sentence of two, and one that stays empty."""
_GAPS, _BELOW = 3, 3
"""Lines that there are where there is room: for air, and for the legend and what is under it."""


class LiveTable:
    """Draws the show, over and over."""

    def __init__(self, show: Show, console: Console) -> None:
        self._show = show
        self._console = console

    @contextmanager
    def open(self) -> Iterator[None]:
        """The show is seen while this lasts; its last picture stays."""
        with Live(
            get_renderable=self.picture,
            console=self._console,
            refresh_per_second=_FRAMES_PER_SECOND,
        ):
            yield

    def picture(self) -> RenderableType:
        """All of it, as it is now."""
        width, height = self._console.size
        wide, second = width >= _WIDE, self._show.second_act
        nights = self._show.nights
        room = height - len(nights if second else self._show.rows) - _FRAME
        spare = room - len(self._of_the_act())
        gap = [Text()] if spare >= _GAPS + _BELOW else []
        below = spare >= _BELOW
        return Padding(
            Group(
                self._title(),
                *gap,
                live_table(nights, wide=wide) if second else self._applicants(wide=wide),
                *gap,
                *([_legend()] if below and not second else []),
                *gap,
                *self._scenes(room),
                *([Text()] if below else []),
                Text(self._show.sentence, style="italic"),
            ),
            (0, 1),
        )

    def _title(self) -> RenderableType:
        line = Table.grid(expand=True)
        line.add_column()
        line.add_column(justify="right")
        line.add_row(
            Text("perdure demo", style="bold"),
            Text(f"run {self._show.run} · {self._show.seconds:5.1f} s", style="dim"),
        )
        return line

    def _scenes(self, lines: int) -> list[RenderableType]:
        """The scenes, as far as there is room: of many those that are played, and the latest."""
        scenes = self._of_the_act()
        last = max([at for at, (_, one) in scenes if one.state != "to come"], default=0)

        def remoteness(one: tuple[int, tuple[Scene, Played]]) -> tuple[bool, int]:
            number, (_, played) = one
            return played.state not in ("playing", "failed"), abs(last - number)

        near = sorted(scenes, key=remoteness)[: max(lines, 1)]
        return [
            _scene(f"{number:2} {TITLES[name]}", played)
            for number, (name, played) in sorted(near, key=lambda one: one[0])
        ]

    def _of_the_act(self) -> list[tuple[int, tuple[Scene, Played]]]:
        """The scenes of the act that is played, as people count them."""
        return [
            (number, one)
            for number, one in enumerate(self._show.scenes.items(), 1)
            if (one[0] in SECOND_ACT) is self._show.second_act
        ]

    def _applicants(self, *, wide: bool) -> RenderableType:
        gap = (0, 2 if wide else 1, 0, 0)
        table = Table(box=None, expand=True, pad_edge=False, padding=gap, header_style="dim")
        table.add_column("", no_wrap=True, justify="right", width=2, style="dim")
        table.add_column("applicant", no_wrap=True, width=19)
        heading = " ".join(name[0] for name in _LEGEND)
        table.add_column(heading, no_wrap=True, width=len(heading))
        if wide:
            table.add_column("stage", no_wrap=True, width=18)
        table.add_column("now", no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column("time", no_wrap=True, justify="right", width=8)
        for row in self._show.rows:
            stage = [Text(row.stage.replace("_", " "), style=_style(row))] if wide else []
            time_ = "" if row.seconds is None else f"{row.seconds:.1f} s"
            table.add_row(
                str(row.applicant.number),
                Text(row.applicant.name),
                _marks(row),
                *stage,
                Text(row.now, style=_style(row)),
                Text(time_, style="dim" if row.ended else ""),
            )
        return table


def _marks(row: Row) -> Text:
    """One mark for each stage, and for each system at the stage that provisions them."""
    here = WAY.index(row.reached) if row.reached else -1
    marks = []
    theirs = way_of(row.applicant)
    for at, stage in enumerate(WAY):
        if stage not in theirs:
            marks.append(Text(" "))
            continue
        if stage != "provisioning":
            marks.append(_mark(row, at - here, row.parked))
            continue
        for system in SYSTEMS:
            work = row.work(system)
            done = work == "done" and not row.ended
            marks.append(_mark(row, -1 if at == here and done else at - here, work == "parked"))
    return Text(" ").join(marks)


def _mark(row: Row, ahead: int, parked: bool) -> Text:
    """Behind, now (`ahead` is 0), or to come."""
    if row.stage == "active" or ahead < 0:
        undone = row.ended and row.stage != "active"
        return Text("○", "magenta") if undone else Text("●", "green")
    if ahead > 0:
        return Text("·", "dim")
    if row.ended:
        return Text("↶", "bold magenta")
    if parked:
        return Text("■", "bold red")
    return Text("◌", "cyan") if row.asked else Text("◐", "bold yellow")


def _style(row: Row) -> str:
    if row.stage == "active":
        return "green"
    if row.ended:
        return "magenta"
    if row.parked:
        return "bold red"
    return "cyan" if row.asked else "yellow" if row.onboarding else "dim"


def _legend() -> Text:
    legend = Text(style="dim")
    for name in _LEGEND:
        legend.append(name[0], "bold not dim")
        legend.append(f"{name[1:]} ")
    legend.rstrip()
    return legend


def _scene(title: str, played: Played) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1, 0, 0))
    line.add_column(width=1)
    line.add_column(width=43, no_wrap=True)
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    line.add_column(width=8, justify="right", no_wrap=True)
    frame = _FRAMES[int(time.monotonic() * _FRAMES_PER_SECOND) % len(_FRAMES)]
    mark, style = {
        "to come": ("·", "dim"),
        "playing": (frame, "bold yellow"),
        "played": ("✔", "green"),
        "failed": ("✘", "bold red"),
    }[played.state]
    came = played.state != "to come"
    line.add_row(
        Text(mark, style=style),
        Text(title, style="bold" if played.state == "playing" else "" if came else "dim"),
        Text(played.told, style=style if played.state == "failed" else "dim"),
        Text(f"{played.seconds:.1f} s" if came else "", style="dim"),
    )
    return line
