"""What came of a performance: for machines as one object, for people as tables."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel

from workers.demo.books.report import BooksReport
from workers.demo.cast import TITLES, Scene
from workers.demo.check import Check
from workers.demo.show import Show, State


class SceneReport(BaseModel):
    """A scene: how it went, and how many seconds it took."""

    scene: Scene
    title: str
    state: State
    told: str
    seconds: float


class OnboardingReport(BaseModel):
    """An onboarding: its end, and where to look at it in Temporal's Web UI, where that goes on."""

    name: str
    scene: Scene
    id: str
    workflow_id: str
    stage: str
    expected: str
    seconds: float
    link: str | None
    look: str


class CheckReport(BaseModel):
    """A check: what must hold, what was seen, and what does not hold."""

    what: str
    holds: bool
    saw: str
    problems: tuple[str, ...]


class Durations(BaseModel):
    """Seconds: until the stack was there, of both acts, and of looking at what they left."""

    stack: float
    play: float
    books: float
    checks: float

    @property
    def show(self) -> float:
        """From the first signup to the last check."""
        return self.play + self.books + self.checks


class Report(BaseModel):
    """A performance. `derailed` says where the play did not go on as planned.

    Without `books` there was no second act, since the first one derailed.
    """

    run: str
    as_planned: bool
    derailed: str | None
    own_stack: bool
    scenes: tuple[SceneReport, ...]
    onboardings: tuple[OnboardingReport, ...]
    books: BooksReport | None
    checks: tuple[CheckReport, ...]
    seconds: Durations


def report_of(
    show: Show,
    checks: list[Check],
    *,
    derailed: str | None,
    own_stack: bool,
    web_ui: str | None,
    books: BooksReport | None,
    seconds: Durations,
) -> Report:
    """Everything in one object. `web_ui` is None where it ends with the demo."""
    return Report(
        run=show.run,
        as_planned=derailed is None and all(check.holds for check in checks),
        derailed=derailed,
        own_stack=own_stack,
        scenes=tuple(
            SceneReport(
                scene=name,
                title=TITLES[name],
                state=played.state,
                told=played.told,
                seconds=round(played.seconds, 2),
            )
            for name, played in show.scenes.items()
        ),
        onboardings=tuple(
            OnboardingReport(
                name=row.applicant.name,
                scene=row.applicant.scene,
                id=row.onboarding.id,
                workflow_id=row.onboarding.workflow_id,
                stage=row.stage,
                expected=row.applicant.end,
                seconds=round(row.seconds or 0.0, 2),
                link=link(web_ui, row.onboarding.workflow_id) if web_ui else None,
                look=row.applicant.look,
            )
            for row in show.rows
            if row.onboarding is not None
        ),
        books=books,
        checks=tuple(
            CheckReport(what=check.what, holds=check.holds, saw=check.saw, problems=check.problems)
            for check in checks
        ),
        seconds=seconds,
    )


def link(web_ui: str, workflow_id: str) -> str:
    """Where a workflow is in the Web UI; its id has slashes."""
    return f"{web_ui}/namespaces/default/workflows/{quote(workflow_id, safe='')}"
