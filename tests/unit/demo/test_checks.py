from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
    RUN,
    as_planned,
    changed,
    group,
    record,
    user,
    with_ledger,
)
from workers.demo.cases import Case
from workers.demo.cast import MANAGER, Scene
from workers.demo.checks import check_all
from workers.demo.evidence import Evidence, Found
from workers.demo.memory import Memory
from workers.demo.outside import TaxIdAtStripe
from workers.demo.temporal import WorkflowRun


def failing(evidence: Evidence) -> set[str]:
    return {check.what for check in check_all(CAST, evidence) if not check.holds}


def test_a_world_as_planned_passes_every_check() -> None:
    checks = check_all(CAST, as_planned())
    assert [check.problems for check in checks] == [()] * 29
    assert all(check.saw for check in checks)


def test_an_empty_world_passes_hardly_any() -> None:
    nothing = Evidence(
        run=RUN,
        found=(),
        memory=Memory(),
        groups=(),
        stranger=None,
        events=(),
        waiting=(),
        faults=0,
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

NOTHING_LEFT = "Nothing left of who is no customer, anywhere"
DECIDED_BY = "Who decided is kept, signed, with the reason"
RULED = "Each ruling is kept, with its row and version"
JUDGED = "Each hit was judged, and is remembered"
REVIEWED = "Only who may decide did, as many as it takes"
DOCUMENTS = "Documents are kept by their content"
REJECTED = "A rejection says why, and names no list"
MERGED = "The duplicate was merged into the first"
APPEALED = "The appeal was heard by others"


def by_key(key: str) -> Found:
    return next(one for one in as_planned().found if one.applicant.key == key)


def of(key: str, change: Callable[[Found], dict[str, Any]]) -> Evidence:
    evidence = as_planned()
    found = [
        replace(one, **change(one)) if one.applicant.key == key else one for one in evidence.found
    ]
    return replace(evidence, found=tuple(found))


def of_case(key: str, change: Callable[[Case], dict[str, Any]]) -> Evidence:
    return of(key, lambda one: {"case": replace(one.case, **change(one.case))})


def with_rulings(case: Case, **fields: Any) -> dict[str, Any]:
    return {"rulings": tuple(replace(row, **fields) for row in case.rulings)}


def with_hits(case: Case, **fields: Any) -> dict[str, Any]:
    return {"hits": tuple(replace(hit, **fields) for hit in case.hits)}


def with_reviews(case: Case, **fields: Any) -> dict[str, Any]:
    return {"reviews": tuple(replace(row, **fields) for row in case.reviews)}


def with_papers(case: Case, **fields: Any) -> dict[str, Any]:
    first, *others = case.papers
    return {"papers": (replace(first, **fields), *others)}


def with_letters(one: Found, more: str) -> dict[str, Any]:
    told = (letter.model_copy(update={"text": letter.text + more}) for letter in one.letters)
    return {"letters": tuple(told)}


def with_people(one: Found, **fields: Any) -> dict[str, Any]:
    by_rule, *others = one.decisions
    return {"decisions": (by_rule, *(replace(row, **fields) for row in others))}


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
        lambda: changed("crm_outage", lambda _: {"customers": ()}),
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
        NOTHING_LEFT,
        lambda: changed("withdrawal", lambda _: {"customers": as_planned().found[0].customers}),
    ),
    "a user of who withdrew": (
        NOTHING_LEFT,
        lambda: of_withdrawn(users=(user("u_maple", "maple.run@example.org"),)),
    ),
    "a place in the group of who withdrew": (
        NOTHING_LEFT,
        lambda: of_withdrawn(memberships=(GROUP,)),
    ),
    "a contact of who withdrew": (
        NOTHING_LEFT,
        lambda: of_withdrawn(contacts=(SECOND_CONTACT,)),
    ),
    "a company of who withdrew": (
        NOTHING_LEFT,
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
    "a welcome to who withdrew": (
        NOTHING_LEFT,
        lambda: changed("withdrawal", lambda _: {"letters": as_planned().found[0].letters}),
    ),
    "an identity session kept": (
        NOTHING_LEFT,
        lambda: changed("withdrawal", lambda _: {"sessions": as_planned().found[0].sessions}),
    ),
    "a withdrawal before anything was made": (
        NOTHING_LEFT,
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
        lambda: changed("straight", lambda one: {"trail": (*one.trail[:2], *one.trail[3:])}),
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
    "something of who was rejected": (
        NOTHING_LEFT,
        lambda: changed("listed", lambda _: {"contacts": (SECOND_CONTACT,)}),
    ),
    "something made of who was rejected": (
        NOTHING_LEFT,
        lambda: changed("duplicate", lambda _: {"ledger": as_planned().found[1].ledger}),
    ),
    "something of who was given up": (
        NOTHING_LEFT,
        lambda: changed("outage", lambda one: with_ledger(one, "crm.create_contact", result=None)),
    ),
    "an outage that nobody could give up": (
        "What parked was told, and was repaired",
        lambda: parked_as("outage", choices=("retry",)),
    ),
    "an identity session of who was too late": (
        NOTHING_LEFT,
        lambda: changed("expired", lambda _: {"sessions": as_planned().found[0].sessions}),
    ),
    "an agreement by somebody else": (
        DECIDED_BY,
        lambda: changed("vip", lambda one: with_people(one, actor="laptop-reviewer")),
    ),
    "an appeal that nobody asked for": (
        DECIDED_BY,
        lambda: of("appeal", lambda one: {"decisions": one.decisions[2:]}),
    ),
    "a table that was not asked": (
        RULED,
        lambda: of_case("zofie", lambda case: {"rulings": case.rulings[1:]}),
    ),
    "a ruling without its row": (
        RULED,
        lambda: of_case("zofie", lambda case: with_rulings(case, row="")),
    ),
    "a version of a table that is nowhere": (
        RULED,
        lambda: of_case("zofie", lambda case: with_rulings(case, known=False)),
    ),
    "another row": (
        RULED,
        lambda: of_case("kontor", lambda case: with_rulings(case, row="company")),
    ),
    "a hit that nobody judged": (
        JUDGED,
        lambda: of_case("kontor", lambda case: with_hits(case, verdict=None)),
    ),
    "a hit that was overlooked": (JUDGED, lambda: of_case("namesake", lambda _: {"hits": ()})),
    "a namesake who is not remembered": (
        JUDGED,
        lambda: of_case("namesake", lambda case: with_hits(case, until=None)),
    ),
    "a namesake who is remembered no more": (
        JUDGED,
        lambda: of_case("namesake", lambda case: with_hits(case, until=DONE)),
    ),
    "one person where it takes two": (
        REVIEWED,
        lambda: of("namesake", lambda one: {"decisions": (one.decisions[1],) * 2}),
    ),
    "their own manager agreed": (
        REVIEWED,
        lambda: changed("vip", lambda one: with_people(one, actor=MANAGER)),
    ),
    "a review that ended otherwise": (
        REVIEWED,
        lambda: of_case("kontor", lambda case: with_reviews(case, state="expired")),
    ),
    "a manager who may decide": (
        REVIEWED,
        lambda: of_case("ines", lambda case: with_reviews(case, excluded=())),
    ),
    "a decision that should have been refused": (
        REVIEWED,
        lambda: with_memory(refused={"vip": [None]}),
    ),
    "a document that was not asked for": (
        DOCUMENTS,
        lambda: of_case("beispiel", lambda _: {"asked": ("register_extract",)}),
    ),
    "a document that is missing": (
        DOCUMENTS,
        lambda: of_case("namesake", lambda case: {"papers": case.papers[1:]}),
    ),
    "a document that is another in the archive": (
        DOCUMENTS,
        lambda: of_case("kranich", lambda case: with_papers(case, content="0" * 64)),
    ),
    "a document that is not in the archive": (
        DOCUMENTS,
        lambda: of_case("kranich", lambda case: with_papers(case, content=None)),
    ),
    "a document of who withdrew": (
        DOCUMENTS,
        lambda: of_case("maple", lambda case: with_papers(case, state="stored")),
    ),
    "nobody was reminded": (
        "Who takes their time is reminded",
        lambda: of("kranich", lambda one: {"asked": one.asked[:1]}),
    ),
    "nobody was asked": (
        "Who takes their time is reminded",
        lambda: of("beispiel", lambda _: {"asked": ()}),
    ),
    "a letter that names the list": (
        REJECTED,
        lambda: of("kontor", lambda one: with_letters(one, "You are on a sanctions list.")),
    ),
    "a letter that names the hit": (
        REJECTED,
        lambda: of("kontor", lambda one: with_letters(one, "It is about Jörn Testfalk.")),
    ),
    "a rejection without a letter": (REJECTED, lambda: of("again", lambda _: {"letters": ()})),
    "a rejection for another reason": (
        REJECTED,
        lambda: of_case("amelie", lambda _: {"codes": ("not_accepted",)}),
    ),
    "a duplicate that was merged into nobody": (
        MERGED,
        lambda: of_case("again", lambda _: {"merged_into": None}),
    ),
    "a duplicate that was merged into another": (
        MERGED,
        lambda: of_case("again", lambda _: {"merged_into": "oksana"}),
    ),
    "an appeal without its first case": (
        APPEALED,
        lambda: of_case("appeal", lambda _: {"appeal_of": None}),
    ),
    "an appeal against another case": (
        APPEALED,
        lambda: of_case("appeal", lambda _: {"appeal_of": "kontor"}),
    ),
    "an appeal that was heard by who had decided": (
        APPEALED,
        lambda: of("amelie", lambda _: {"decisions": by_key("appeal").decisions}),
    ),
    "an appeal that was not heard as one": (
        APPEALED,
        lambda: of_case("appeal", lambda case: with_rulings(case, row="vip")),
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
