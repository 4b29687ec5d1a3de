from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.unit.demo.world import (
    ANSWER,
    CAST,
    DONE,
    GROUP,
    NEW,
    PARKED,
    RENAMED,
    REPAIRED,
    STAGES,
    as_planned,
    changed,
    group,
    record,
    user,
    with_ledger,
)
from workers.demo.cast import Scene
from workers.demo.checks import check_all
from workers.demo.evidence import Evidence, Found, WorkflowRun
from workers.demo.memory import Memory
from workers.demo.outside import TaxIdAtStripe


def failing(evidence: Evidence) -> set[str]:
    return {check.what for check in check_all(CAST, evidence) if not check.holds}


def test_a_world_as_planned_passes_every_check() -> None:
    checks = check_all(CAST, as_planned())
    assert [check.problems for check in checks] == [()] * 21
    assert all(check.saw for check in checks)


def test_an_empty_world_passes_hardly_any() -> None:
    nothing = Evidence(
        found=(), memory=Memory(), groups=(), stranger=None, events=(), waiting=(), faults=0
    )
    failed = failing(nothing)
    assert "Everybody came to the end that was planned" in failed
    assert "Three equal signups are one onboarding" in failed
    assert "Each webhook counted once, in any order" in failed
    assert "What parked was told, and was repaired" in failed
    assert "Another worker finished the killed one's work" in failed
    assert "Somebody else's user was not touched" in failed


def twice(one: Found) -> dict[str, object]:
    return {"customers": one.customers * 2}


def foreign_tax_id(one: Found) -> dict[str, object]:
    foreign = TaxIdAtStripe(type="eu_vat", value="DE999999999")
    return {"customers": tuple(replace(each, tax_ids=(foreign,)) for each in one.customers)}


def with_memory(**changes: object) -> Evidence:
    evidence = as_planned()
    return replace(evidence, memory=replace(evidence.memory, **changes))  # type: ignore[arg-type]


def not_parked(scene: Scene) -> Evidence:
    return with_memory(parked={other: one for other, one in PARKED.items() if other != scene})


def parked_as(scene: Scene, **fields: object) -> Evidence:
    return with_memory(parked=PARKED | {scene: PARKED[scene].model_copy(update=fields)})


def of_withdrawn(**fields: object) -> Evidence:
    return changed("withdrawal", lambda _: fields)


def with_events(change: Callable[[int], dict[str, object]]) -> Evidence:
    evidence = as_planned()
    events = [
        replace(event, **change(at))  # type: ignore[arg-type]
        for at, event in enumerate(evidence.events)
    ]
    return replace(evidence, events=tuple(events))


OTHER_ANSWER = ANSWER.model_copy(update={"id": "another"})
SECOND_CONTACT = record("c_2", "prd_2", email="second@example.com", lastname="Žofie Nováková")

FALSE_WORLDS: dict[str, tuple[str, Callable[[], Evidence]]] = {
    "an applicant stays on the way": (
        "Everybody came to the end that was planned",
        lambda: changed("outage", lambda _: {"stage": "provisioning"}),
    ),
    "a second customer": (
        "One Stripe customer for each active applicant",
        lambda: changed("killed", twice),
    ),
    "a missing customer": (
        "One Stripe customer for each active applicant",
        lambda: changed("outage", lambda _: {"customers": ()}),
    ),
    "another tax id": (
        "… with its tax id, where it has one",
        lambda: changed("killed", foreign_tax_id),
    ),
    "a tax id twice": (
        "… with its tax id, where it has one",
        lambda: changed(
            "threefold",
            lambda one: {
                "customers": tuple(
                    replace(each, tax_ids=each.tax_ids * 2) for each in one.customers
                )
            },
        ),
    ),
    "a second user": (
        "One user in the directory for each",
        lambda: changed("conflict", lambda one: {"users": one.users * 2}),
    ),
    "a missing user": (
        "One user in the directory for each",
        lambda: changed("killed", lambda _: {"users": ()}),
    ),
    "a user in no group": (
        "… in the tenant's group, which is one",
        lambda: changed("straight", lambda _: {"memberships": ()}),
    ),
    "a user twice in the group": (
        "… in the tenant's group, which is one",
        lambda: changed("straight", lambda _: {"memberships": (GROUP, GROUP)}),
    ),
    "a second group": (
        "… in the tenant's group, which is one",
        lambda: replace(as_planned(), groups=(*as_planned().groups, group(identifier="group_2"))),
    ),
    "a second contact": (
        "One contact in the CRM for each",
        lambda: changed("straight", lambda one: {"contacts": (*one.contacts, SECOND_CONTACT)}),
    ),
    "a missing contact": (
        "One contact in the CRM for each",
        lambda: changed("crm_outage", lambda _: {"contacts": ()}),
    ),
    "a contact with another address": (
        "One contact in the CRM for each",
        lambda: changed("straight", lambda _: {"contacts": (SECOND_CONTACT,)}),
    ),
    "a second company": (
        "… with its company, where it is one",
        lambda: changed("crm_outage", lambda one: {"companies": one.companies * 2}),
    ),
    "a company of a person": (
        "… with its company, where it is one",
        lambda: changed("straight", lambda _: {"companies": (record("f_2", "prd_2"),)}),
    ),
    "a second link": (
        "One link for each applicant, confirmed once",
        lambda: changed("straight", lambda one: {"confirmations": one.confirmations * 2}),
    ),
    "nobody pressed the button": (
        "One link for each applicant, confirmed once",
        lambda: changed("withdrawal", lambda _: {"confirmed": 0}),
    ),
    "a second welcome": (
        "One welcome mail for each active applicant",
        lambda: changed("webhooks", lambda one: {"letters": one.letters * 2}),
    ),
    "no welcome": (
        "One welcome mail for each active applicant",
        lambda: changed("straight", lambda _: {"letters": ()}),
    ),
    "a customer of who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: changed("withdrawal", lambda _: {"customers": as_planned().found[0].customers}),
    ),
    "a user of who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: of_withdrawn(users=(user("u_maple", "maple.run@example.org"),)),
    ),
    "a place in the group of who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: of_withdrawn(memberships=(GROUP,)),
    ),
    "a contact of who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: of_withdrawn(contacts=(SECOND_CONTACT,)),
    ),
    "a company of who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: of_withdrawn(companies=(record("f_2", "prd_2"),)),
    ),
    "somebody else's user changed before anybody looked": (
        "Somebody else's user was not touched",
        lambda: with_memory(
            stranger=(NEW, user(NEW.id, NEW.name, mark="prd_1", version=2), RENAMED)
        ),
    ),
    "somebody else's user changed after that": (
        "Somebody else's user was not touched",
        lambda: replace(as_planned(), stranger=user(RENAMED.id, RENAMED.name, version=8)),
    ),
    "somebody else's user deleted": (
        "Somebody else's user was not touched",
        lambda: replace(as_planned(), stranger=None),
    ),
    "somebody else's user in our group": (
        "Somebody else's user was not touched",
        lambda: replace(as_planned(), groups=(group(NEW.id),)),
    ),
    "mail to who withdrew": (
        "Nothing left of who withdrew, in any system",
        lambda: changed("withdrawal", lambda _: {"letters": as_planned().found[0].letters}),
    ),
    "an identity session kept": (
        "Nothing left of who withdrew, in any system",
        lambda: changed("withdrawal", lambda _: {"sessions": as_planned().found[0].sessions}),
    ),
    "a withdrawal before anything was made": (
        "Nothing left of who withdrew, in any system",
        lambda: changed(
            "withdrawal", lambda one: with_ledger(one, "billing.create_tax_id", result=None)
        ),
    ),
    "a second application": (
        "Three equal signups are one onboarding",
        lambda: changed("threefold", lambda _: {"signups": 2}),
    ),
    "a second run": (
        "Three equal signups are one onboarding",
        lambda: changed("threefold", lambda one: {"runs": one.runs * 2}),
    ),
    "another answer": (
        "Three equal signups are one onboarding",
        lambda: with_memory(answers=(ANSWER, ANSWER, OTHER_ANSWER)),
    ),
    "an event twice in the inbox": (
        "Each webhook counted once, in any order",
        lambda: with_events(lambda at: {"places": (9 - at, 20)} if at == 1 else {}),
    ),
    "an event that never came": (
        "Each webhook counted once, in any order",
        lambda: with_events(lambda at: {"places": ()} if at == 1 else {}),
    ),
    "webhooks that came once": (
        "Each webhook counted once, in any order",
        lambda: with_events(lambda _: {"deliveries": 1}),
    ),
    "webhooks that came in order": (
        "Each webhook counted once, in any order",
        lambda: with_events(lambda at: {"places": (at,)}),
    ),
    "the outage not on the attention list": (
        "What parked was told, and was repaired",
        lambda: not_parked("outage"),
    ),
    "another step on the attention list": (
        "What parked was told, and was repaired",
        lambda: parked_as("crm_outage", step="notice.welcome"),
    ),
    "a conflict that cannot be retried": (
        "What parked was told, and was repaired",
        lambda: parked_as("conflict", choices=("abort",)),
    ),
    "a user that waited for the CRM": (
        "… and held up no other system",
        lambda: changed(
            "crm_outage",
            lambda one: with_ledger(one, "directory.create_user", settled_at=REPAIRED),
        ),
    ),
    "a conflict that did not wait for a person": (
        "… and held up no other system",
        lambda: changed(
            "conflict",
            lambda one: with_ledger(one, "directory.create_user", settled_at=DONE),
        ),
    ),
    "operators told twice": (
        "What parked was told, and was repaired",
        lambda: changed("outage", lambda one: {"notices": one.notices * 2}),
    ),
    "no second worker": (
        "Another worker finished the killed one's work",
        lambda: changed("killed", lambda _: {"workers": ("100@here",)}),
    ),
    "no kill": (
        "Another worker finished the killed one's work",
        lambda: with_memory(workers=None),
    ),
    "a decision that was not kept": (
        "Who decided is kept, signed, with the reason",
        lambda: changed("outage", lambda _: {"decisions": ()}),
    ),
    "a decision that nobody vouched for": (
        "Who decided is kept, signed, with the reason",
        lambda: changed(
            "withdrawal",
            lambda one: {"decisions": tuple(replace(row, signed=False) for row in one.decisions)},
        ),
    ),
    "another end at Temporal": (
        "Our database and Temporal tell the same end",
        lambda: changed("straight", lambda _: {"runs": (WorkflowRun("completed", "aborted"),)}),
    ),
    "a run ended from outside": (
        "Our database and Temporal tell the same end",
        lambda: changed("straight", lambda _: {"runs": (WorkflowRun("terminated", None),)}),
    ),
    "a stage missing in the audit trail": (
        "The audit trail has every stage",
        lambda: changed("straight", lambda _: {"trail": (*STAGES[:2], *STAGES[3:])}),
    ),
    "a stage twice in the audit trail": (
        "The audit trail has every stage",
        lambda: changed("withdrawal", lambda one: {"trail": (*one.trail, "withdrawn")}),
    ),
    "a pending request": (
        "The request ledger agrees with the outside",
        lambda: changed("killed", lambda one: with_ledger(one, "notice.welcome", state="pending")),
    ),
    "a request that somebody is at": (
        "The request ledger agrees with the outside",
        lambda: changed("withdrawal", lambda one: with_ledger(one, _CREATE, held=True)),
    ),
    "a customer that the ledger does not know": (
        "The request ledger agrees with the outside",
        lambda: changed("killed", lambda one: with_ledger(one, _CREATE, result={})),
    ),
    "something left on the attention list": (
        "Nothing waits for anybody",
        lambda: replace(as_planned(), waiting=(PARKED["outage"],)),
    ),
    "a fault left at the simulator": (
        "Nothing waits for anybody",
        lambda: replace(as_planned(), faults=1),
    ),
}
_CREATE = "billing.create_customer"


@pytest.mark.parametrize("world", FALSE_WORLDS)
def test_a_false_world_fails_the_check_that_is_about_it(world: str) -> None:
    what, falsified = FALSE_WORLDS[world]
    assert what in failing(falsified())


def test_every_check_is_failed_by_some_false_world() -> None:
    known = {check.what for check in check_all(CAST, as_planned())}
    assert {what for what, _ in FALSE_WORLDS.values()} == known


def test_what_waits_of_somebody_elses_is_no_concern() -> None:
    other = PARKED["outage"].model_copy(update={"workflow_id": "onboarding/example/other"})
    assert failing(replace(as_planned(), waiting=(other,))) == set()


def test_what_is_checked_fits_beside_what_was_seen() -> None:
    assert all(len(check.what) <= 47 for check in check_all(CAST, as_planned()))
