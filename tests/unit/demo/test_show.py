from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.unit.demo.books import world as books
from tests.unit.demo.world import NOW, onboarding
from workers.demo.cast import SECOND_ACT, TITLES, Run
from workers.demo.lines import Lines
from workers.demo.live import LiveTable
from workers.demo.show import SYSTEMS, Row, Show
from workflows.progress import Attention, Progress, Reason, StepProgress

LONG_AGO = timedelta(hours=1)
LONGEST = " ".join(["word"] * 30)
"""Two lines of a terminal of 80 columns, as long as a sentence of the plot may be."""


def doing(stage: str, *, parked: bool = False, stopping: str | None = None) -> Progress:
    reason = Reason(kind="out of time", type="stripe.server", text="Stripe failed (status 503)")
    step = StepProgress(
        step="billing.create_customer",
        kind="remote",
        summary="Create the customer in billing",
        state="parked" if parked else "running",
        started_at=datetime.now(UTC),
        reason=reason if parked else None,
    )
    attention = Attention(
        step=step.step,
        summary=step.summary,
        owner="operator",
        since=NOW,
        reason=reason,
        choices=("retry", "abort"),
    )
    return Progress(
        workflow_id="onboarding/example/" + "a" * 26,
        stage=stage,
        stopping=stopping,
        attention=(attention,) if parked else (),
        steps=(step,),
    )


@pytest.fixture
def show() -> Show:
    show = Show("abcdef", [Row(applicant) for applicant in Run("abcdef").cast()])
    stages = ("active", "active", "withdrawn", "provisioning", "provisioning", "validating")
    for row, stage in zip(show.rows, stages, strict=False):
        show.see(row, onboarding(row.applicant.application, stage))
    return show


def test_a_terminal_of_80_by_24_holds_everybody_and_a_larger_one_all_of_it(show: Show) -> None:
    show.say(LONGEST)
    for row in show.rows:
        if row.onboarding:
            signed_up = row.onboarding.created_at - LONG_AGO
            row.onboarding = row.onboarding.model_copy(update={"created_at": signed_up})
    first_act = [name for name in TITLES if name not in SECOND_ACT]
    for name in first_act:
        with show.scene(name) as scene:
            scene.told = "parked, retried, active"
    for width, height in ((80, 24), (100, 40), (120, 50)):
        console = Console(file=io.StringIO(), width=width, height=height)
        console.print(LiveTable(show, console).picture())
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert len(lines) < height
        assert max(cell_len(line) for line in lines) <= width
        titles = [TITLES[name] for name in first_act][0 if height > 24 else -1 :]
        for shown in (*(row.applicant.name for row in show.rows), *titles):
            assert any(shown in line for line in lines), shown
        assert "…" not in "".join(lines)


def test_the_second_act_shows_the_nights_in_the_place_of_the_applicants(show: Show) -> None:
    show.say(LONGEST)
    with show.scene("week_end") as scene:
        scene.told = "BREAKS, BREAKS"
    show.nights = books.nights()
    for width, height in ((80, 24), (120, 50)):
        console = Console(file=io.StringIO(), width=width, height=height)
        console.print(LiveTable(show, console).picture())
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert len(lines) < height
        assert max(cell_len(line) for line in lines) <= width
        paid = ["3 · 300.00"] if width > 80 else []
        for shown in ("Mon 12 Jan", "Tue 13 Jan (2)", "INCOMPLETE", *paid):
            assert any(shown in line for line in lines), shown
        assert any(TITLES["week_end"] in line for line in lines)
        assert show.rows[0].applicant.name not in "".join(lines)
        assert "…" not in "".join(lines)


def test_a_row_says_what_is_done_or_waited_for(show: Show) -> None:
    row = show.rows[0]
    application = row.applicant.application
    show.see(row, onboarding(application, "provisioning", doing("provisioning")))
    assert row.now == "Create the customer in billing"
    show.see(row, onboarding(application, "provisioning", doing("provisioning", stopping="yes")))
    assert row.now == "taken back: Create the customer in billing"
    show.see(row, onboarding(application, "provisioning", doing("provisioning", parked=True)))
    assert (row.parked, row.now) == (True, "parked: Stripe failed (status 503)")


def test_each_system_has_its_own_mark(show: Show) -> None:
    row = show.rows[0]
    application = row.applicant.application
    progress = doing("provisioning", parked=True)
    user, contact = (
        progress.steps[0].model_copy(update={"step": step, "state": state})
        for step, state in (
            ("directory.create_user", "succeeded"),
            ("crm.create_contact", "running"),
        )
    )
    steps = (*progress.steps, user, contact)
    parked = progress.model_copy(update={"steps": steps})
    show.see(row, onboarding(application, "provisioning", parked))
    assert [row.work(system) for system in SYSTEMS] == ["parked", "done", "doing"]
    assert "● ● ● ● ● ●   ● ■ ● ◐ · ·" in picture(show)
    show.see(row, onboarding(application, "active"))
    assert "● ● ● ● ● ●   ● ● ● ● ● ●" in picture(show)


def picture(show: Show) -> str:
    console = Console(file=io.StringIO(), width=80, height=24)
    console.print(LiveTable(show, console).picture())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_was_known_stays_while_no_worker_answers(show: Show) -> None:
    row = show.rows[0]
    application = row.applicant.application
    show.see(row, onboarding(application, "provisioning", doing("provisioning")))
    show.see(row, onboarding(application, "provisioning", None))
    assert row.now == "Create the customer in billing"


def test_without_a_terminal_each_change_is_one_line() -> None:
    show = Show("abcdef", [Row(applicant) for applicant in Run("abcdef").cast()])
    written = io.StringIO()
    show.changed = Lines(show, written).write
    row = show.rows[0]
    show.say("They sign up.")
    for stage in ("validating", "validating", "active"):
        show.see(row, onboarding(row.applicant.application, stage))
    with show.scene("straight") as scene:
        scene.told = "4 active"
    told = [line.split(" s  ", 1)[1] for line in written.getvalue().splitlines()]
    assert told == [
        "— They sign up.",
        "Beispiel Werke GmbH: validating",
        "Beispiel Werke GmbH: active",
        "✔ Straight through: 4 active",
    ]
    show.nights = books.nights()[:2]
    show.changed()
    show.changed()
    told = [line.split(" s  ", 1)[1] for line in written.getvalue().splitlines()]
    assert told[4:] == ["Mon 12 Jan: BALANCED", "Tue 13 Jan: INCOMPLETE"]


def test_a_scene_that_fails_says_why(show: Show) -> None:
    with pytest.raises(ValueError, match="lost"), show.scene("outage"):
        raise ValueError("the plot is lost")
    assert (show.scenes["outage"].state, show.scenes["outage"].told) == (
        "failed",
        "the plot is lost",
    )
