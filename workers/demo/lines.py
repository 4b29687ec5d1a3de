"""The show where there is no terminal: one line for each change."""

from __future__ import annotations

from typing import IO

from workers.demo.cast import TITLES, Scene
from workers.demo.show import Show, State


class Lines:
    """Writes what has changed since the last look."""

    def __init__(self, show: Show, stream: IO[str]) -> None:
        self._show = show
        self._stream = stream
        self._sentence = ""
        self._states: dict[Scene, State] = {}
        self._rows: dict[str, tuple[str, bool]] = {}
        self._nights: dict[str, str] = {}

    def write(self) -> None:
        """Write what is new."""
        show = self._show
        if show.sentence != self._sentence:
            self._sentence = show.sentence
            self._line(f"— {show.sentence}")
        for row in show.rows:
            now = (row.stage, row.parked)
            if row.onboarding and self._rows.get(row.applicant.key) != now:
                self._rows[row.applicant.key] = now
                parked = f" ({row.now})" if row.parked else ""
                self._line(f"{row.applicant.name}: {row.stage}{parked}")
        for night in show.nights:
            if self._nights.get(night.run.id) != night.now:
                self._nights[night.run.id] = night.now
                self._line(f"{night.name}: {night.now}")
        for name, played in show.scenes.items():
            if played.state in ("played", "failed") and self._states.get(name) != played.state:
                self._states[name] = played.state
                mark = "✔" if played.state == "played" else "✘"
                self._line(f"{mark} {TITLES[name]}: {played.told}")

    def _line(self, text: str) -> None:
        print(f"{self._show.seconds:6.1f} s  {text}", file=self._stream, flush=True)
