from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.demo.books import world as books
from tests.unit.demo.world import CAST, as_planned, changed, onboarding
from workers import laptop
from workers.demo import review
from workers.demo.checks import check_all
from workers.demo.evidence import Evidence
from workers.demo.report import Durations, Report, link, report_of
from workers.demo.show import Row, Show

WEB_UI = "http://127.0.0.1:8233"


def report(evidence: Evidence, derailed: str | None = None, web_ui: str | None = WEB_UI) -> Report:
    rows = [Row(one, onboarding(one.application, one.end)) for one in CAST]
    show = Show("abcdef", rows)
    return report_of(
        show,
        check_all(CAST, evidence),
        derailed=derailed,
        own_stack=True,
        web_ui=web_ui,
        books=books.report(stays=web_ui is not None),
        seconds=Durations(stack=1, play=20, books=20, checks=1),
    )


def test_it_is_as_planned_only_if_every_check_holds_and_the_play_came_to_its_end() -> None:
    assert report(as_planned()).as_planned
    assert not report(changed("crm_outage", lambda _: {"letters": ()})).as_planned
    assert not report(as_planned(), derailed="no worker came after it").as_planned


def test_people_read_how_each_night_came_out_and_as_what_the_planted_was_found(
    clone: Path,
) -> None:
    console = Console(file=io.StringIO(), width=80)
    review.show(report(as_planned()), laptop.settings(), console, stays=True)
    assert isinstance(console.file, io.StringIO)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert "Mon 12 Jan BALANCED 0 0 0.00 2 0.00 0.0 s" in lines
    assert "Tue 13 Jan (2) BREAKS 0 0 0.00 2 0.00 0.0 s" in lines
    assert "paid, booked a day late missing_ours 10.00 Tue, closed Wed" in lines
    assert "a deposit like Stripe's unidentified_deposit 10.00 Tue" in lines
    assert "page file:///home/page.html" in lines


def test_a_first_act_that_derails_has_no_second(clone: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    alone = report(as_planned(), derailed="lost").model_copy(update={"books": None})
    review.show(alone, laptop.settings(), console, stays=True)
    assert isinstance(console.file, io.StringIO)
    assert "BALANCED" not in console.file.getvalue()


def test_a_link_leads_to_an_id_with_slashes() -> None:
    assert link("http://127.0.0.1:8233", "onboarding/example/abc") == (
        "http://127.0.0.1:8233/namespaces/default/workflows/onboarding%2Fexample%2Fabc"
    )


def test_people_read_which_check_failed_and_why(clone: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    failed = report(changed("crm_outage", lambda _: {"letters": ()}), derailed="Derailed: lost")
    review.show(failed, laptop.settings(), console, stays=True)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert " ✘ One welcome mail for each active applicant" in said
    assert "隼電機合同会社: []" in said
    assert " ✔ Nothing waits for anybody" in said
    assert "Not as planned: 27 of 29 checks hold.\n Derailed: lost" in said


@pytest.mark.parametrize("stays", [True, False])
def test_no_link_is_shown_to_what_ends_with_the_demo(stays: bool, clone: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    shown = report(as_planned(), web_ui=WEB_UI if stays else None)
    assert [one.link is not None for one in shown.onboardings] == [stays] * len(CAST)
    review.show(shown, laptop.settings(), console, stays=stays)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert ("http://" in said) == stays
    assert ("`perdure up` brings back" in said) != stays
    assert stays or max(map(len, said.splitlines())) <= 80
