"""Which corrections would end with every system knowing the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from gateway.correctable import must_be_changeable, must_be_correctable
from gateway.problems import Problem
from workflows.onboarding.messages import CHANGEABLE, TRANSITIONS
from workflows.progress import Attention, Choice, Progress, Reason, StepProgress, StepState

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
Why = Literal["refused", "out of time"]


def progress(
    parked: dict[str, Why],
    *,
    stopping: str | None = None,
    choices: tuple[Choice, ...] = ("retry", "abort"),
    **others: StepState,
) -> Progress:
    """Where steps stand; `billing__create_customer="running"` is a step that is not parked."""
    why = {step: Reason(kind=kind, type="t", text="t") for step, kind in parked.items()}
    states = {step.replace("__", "."): state for step, state in others.items()}
    return Progress(
        workflow_id="onboarding/acme/x",
        stage="provisioning",
        stopping=stopping,
        attention=tuple(
            Attention(step=step, summary="s", owner="o", since=AT, reason=one, choices=choices)
            for step, one in why.items()
        ),
        steps=tuple(
            StepProgress(
                step=step,
                kind="remote",
                summary="s",
                state=states.get(step, "parked"),
                started_at=AT,
                reason=why.get(step),
            )
            for step in why.keys() | states.keys()
        ),
    )


def refused_for(where: Progress, *fields: str) -> Problem:
    with pytest.raises(Problem) as caught:
        must_be_correctable(where, fields)
    assert caught.value.status_code == 409
    return caught.value


@pytest.mark.parametrize(
    "where",
    [
        progress({}),
        progress({"billing.create_customer": "out of time"}),
        progress({"directory.delete_user": "refused"}, stopping="to be aborted"),
    ],
    ids=["nothing parked", "outcome not known", "being undone"],
)
def test_without_a_refused_step_there_is_nothing_to_correct_for(where: Progress) -> None:
    assert refused_for(where, "tax_id").code == "not-correctable"


CREATING = ("billing.create_customer", "directory.create_user", "crm.create_contact")


def to_retry(where: Progress, *fields: str) -> tuple[str, ...]:
    return tuple(one.step for one in must_be_correctable(where, fields))


def test_what_every_system_refused_is_changed_and_checked_again_but_the_tax_id() -> None:
    where = progress(dict.fromkeys(CREATING, "refused"), identity__read_session="succeeded")
    for field in ("name", "email", "country", "currency"):
        problem = refused_for(where, field)
        assert problem.code == "not-correctable"
        assert "/change" in str(problem.detail), "the way out"
    must_be_changeable(where)
    assert to_retry(where, "tax_id") == CREATING


@pytest.mark.parametrize("state", ["running", "succeeded"])
def test_what_one_system_may_have_is_not_changed(state: StepState) -> None:
    refused = dict.fromkeys(CREATING[1:], "refused")
    where = progress(refused, billing__create_customer=state)  # type: ignore[arg-type]
    with pytest.raises(Problem) as caught:
        must_be_changeable(where)
    assert caught.value.code == "not-changeable"


def test_what_was_taken_back_before_counts_no_more() -> None:
    again = {f"{step}/again-1": "refused" for step in CREATING}
    made: dict[str, StepState] = {step.replace(".", "__"): "succeeded" for step in CREATING}
    where = progress(again, **made)  # type: ignore[arg-type]
    latest = tuple(sorted(where.steps, key=lambda one: "again" in one.step))
    must_be_changeable(where.model_copy(update={"steps": latest}))


@pytest.mark.parametrize(
    ("step", "system"),
    [
        ("billing__create_customer", "billing"),
        ("directory__create_user", "the directory"),
        ("crm__create_contact", "the CRM"),
        ("crm__create_company", "the CRM"),
    ],
)
@pytest.mark.parametrize("state", ["running", "succeeded"])
def test_what_a_system_was_given_stays_but_the_tax_id(
    step: str, system: str, state: StepState
) -> None:
    where = progress({"billing.create_tax_id": "refused"}, **{step: state})  # type: ignore[arg-type]
    for field in ("name", "email", "country", "currency", "kind"):
        problem = refused_for(where, field, "tax_id")
        assert problem.code == "given-already"
        assert f": {field} went to {system} already" in str(problem.detail)
    assert to_retry(where, "tax_id") == ("billing.create_tax_id",)


def test_what_a_system_may_have_counts_as_given() -> None:
    where = progress({"directory.create_user": "refused", "crm.create_contact": "out of time"})
    assert "email went to the CRM" in str(refused_for(where, "email").detail)
    assert to_retry(where, "tax_id") == ("directory.create_user",)


def test_a_tax_id_that_billing_has_stays() -> None:
    where = progress({"directory.create_user": "refused"}, billing__create_tax_id="succeeded")
    problem = refused_for(where, "tax_id")
    assert problem.code == "given-already"
    assert "tax_id went to billing" in str(problem.detail)


def test_the_way_out_is_one_that_can_be_chosen() -> None:
    made: dict[str, StepState] = {"billing__create_customer": "succeeded"}
    in_time = progress({"directory.create_user": "refused"}, **made)  # type: ignore[arg-type]
    assert "or abort: everything is undone" in str(refused_for(in_time, "email").detail)
    mail = progress({"notice.welcome": "refused"}, choices=("retry", "skip"), **made)
    assert str(refused_for(mail, "email").detail).endswith("or skip the step.")


@pytest.mark.parametrize("stage", sorted(CHANGEABLE))
def test_what_can_be_changed_is_not_corrected(stage: str) -> None:
    where = progress({"confirmation.send/1": "refused"}).model_copy(update={"stage": stage})
    must_be_changeable(where)
    assert "change the application" in str(refused_for(where, "name").detail)


@pytest.mark.parametrize("stage", sorted(set(TRANSITIONS) - CHANGEABLE))
def test_what_a_system_may_have_is_not_changed(stage: str) -> None:
    with pytest.raises(Problem) as caught:
        must_be_changeable(progress({}).model_copy(update={"stage": stage}))
    assert (caught.value.status_code, caught.value.code) == (409, "not-changeable")


def test_what_is_being_undone_is_not_changed() -> None:
    where = progress({}, stopping="to be withdrawn").model_copy(update={"stage": "deciding"})
    with pytest.raises(Problem) as caught:
        must_be_changeable(where)
    assert "to be withdrawn" in caught.value.detail
