"""Is all as planned? Each check looks at what is there, and says what it saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from workers.demo.cast import Applicant
from workers.demo.check import Check
from workers.demo.evidence import DecisionRow, Evidence, Found
from workers.demo.fate_checks import FATES
from workers.demo.memory import COPIES, DECISIONS, PARKINGS, Said
from workers.demo.show import SYSTEMS, passed_by
from workers.demo.system_checks import (
    MAKING,
    nothing_left,
    one_company_each,
    one_confirmation_each,
    one_contact_each,
    one_customer_each,
    one_place_in_the_group_each,
    one_user_each,
    one_welcome_each,
    stranger_untouched,
    tax_ids,
)
from workflows.onboarding.messages import ENDS, TRANSITIONS

_AT_THE_DOOR = {"appeal"}
"""What begins a process needs no signature for one: the gateway itself keeps who asked for it."""

_OUTSIDE_IDS = {
    "billing.create_customer": "customer_id",
    "directory.create_user": "user_id",
    "directory.join_group": "group_id",
    "crm.create_contact": "contact_id",
    "crm.create_company": "company_id",
    "confirmation.send": "message_id",
    "documents.write": "message_id",
    "identity.open_session": "session_id",
    "notice.welcome": "message_id",
}


def check_all(cast: Sequence[Applicant], evidence: Evidence) -> list[Check]:
    """Every check there is, on the evidence of one run of this cast."""
    checks: tuple[Callable[[Evidence], Check], ...] = (
        one_confirmation_each,
        one_customer_each,
        tax_ids,
        one_user_each,
        one_place_in_the_group_each,
        one_contact_each,
        one_company_each,
        one_welcome_each,
        nothing_left,
        stranger_untouched,
        one_onboarding_of_three_signups,
        webhooks_counted_once,
        parked_and_repaired,
        nobody_held_up,
        another_worker_finished,
        decisions_on_record,
        *FATES,
        stages_agree,
        trail_is_complete,
        ledger_agrees,
        nothing_waits,
    )
    return [everybody_plays(cast, evidence), *(check(evidence) for check in checks)]


def everybody_plays(cast: Sequence[Applicant], evidence: Evidence) -> Check:
    """Each applicant has an onboarding, and the end that was planned."""
    ends = {one.applicant.key: one.stage for one in evidence.found}
    problems = [
        f"{one.name}: {ends.get(one.key, 'never signed up')}, not {one.end}"
        for one in cast
        if ends.get(one.key) != one.end
    ]
    saw = f"{len(cast)} onboardings, {len({one.end for one in cast})} different ends"
    return Check("Everybody came to the end that was planned", saw, tuple(problems))


def one_onboarding_of_three_signups(evidence: Evidence) -> Check:
    """The signup that was sent three times is one application, one workflow, one answer."""
    problems = []
    answers = evidence.memory.answers
    if len(answers) != 3 or len({one.id for one in answers}) != 1:
        problems.append(f"{len(answers)} answers that name {len({a.id for a in answers})}")
    found = [one for one in evidence.found if one.applicant.scene == "threefold"]
    for one in found:
        if (one.signups, len(one.runs)) != (1, 1):
            problems.append(f"{one.signups} applications and {len(one.runs)} runs")
    saw = f"{len(answers)} answers, {_count(len(one.runs) for one in found)} workflow run"
    return Check("Three equal signups are one onboarding", saw, tuple(problems))


def webhooks_counted_once(evidence: Evidence) -> Check:
    """Each event was delivered several times, the last one first, and is in the inbox once."""
    astray = [one for one in evidence.events if one.deliveries >= COPIES]
    problems = [
        f"{one.type}: {len(one.places)} times in the inbox"
        for one in evidence.events
        if len(one.places) != 1
    ]
    if not astray:
        problems.append(f"no event was delivered {COPIES} times")
    order = [one.places[0] for one in astray if one.places]
    if len(order) > 1 and order == sorted(order):
        problems.append("the webhooks came in order")
    saw = f"{len(astray)} events, {_count(one.deliveries for one in astray)} deliveries"
    return Check("Each webhook counted once, in any order", saw, tuple(problems))


def parked_and_repaired(evidence: Evidence) -> Check:
    """Each step that was to park was on the attention list, and the operators had one mail."""
    problems, notices = [], 0
    for scene, parking in PARKINGS.items():
        parked = evidence.memory.parked.get(scene)
        if parked is None or (parked.step, parked.why.type) != (parking.step, parking.type):
            problems.append(f"the attention list did not name {parking.step} and {parking.type}")
        elif parking.choice not in parked.choices:
            problems.append(f"nobody was offered to {parking.choice} {parking.step}")
        told = sum(len(one.notices) for one in evidence.found if one.applicant.scene == scene)
        if told != 1:
            problems.append(f"{told} notices to the operators of {parking.step}")
        notices += told
    saw = f"{len(evidence.memory.parked)} steps, {notices} notices"
    return Check("What parked was told, and was repaired", saw, tuple(problems))


def nobody_held_up(evidence: Evidence) -> Check:
    """While a step waited for a decision, the other systems' steps were brought to their end."""
    problems, went_on = [], 0
    for one in evidence.found:
        if (parking := PARKINGS.get(one.applicant.scene)) is None:
            continue
        decided = [row.decided_at for row in one.decisions if row.kind == "resolve"]
        settled = {
            row.step: row.began if row.state == "undone" else row.settled_at
            for row in one.ledger
            if row.step in MAKING
        }
        held = next((row.settled_at for row in one.ledger if row.step == parking.step), None)
        if not decided or held is None or held < decided[0]:
            problems.append(f"{one.applicant.name}: {parking.step} did not wait for a person")
            continue
        trouble = _system(parking.step)
        for system in SYSTEMS:
            before = [
                at is not None and at < decided[0]
                for step, at in settled.items()
                if _system(step) == system and system != trouble
            ]
            went_on += len(before)
            if system != trouble and not (before and all(before)):
                problems.append(f"{one.applicant.name}: {system} waited for {trouble}")
    saw = f"{went_on} steps done meanwhile"
    return Check("… and held up no other system", saw, tuple(problems))


def another_worker_finished(evidence: Evidence) -> Check:
    """The onboarding under way at the kill names both workers in its history."""
    problems: list[str] = []
    workers = evidence.memory.workers or ()
    if not workers:
        problems.append("no worker was killed")
    for one in evidence.found:
        if one.applicant.scene == "killed":
            seen = {identity.partition("@")[0] for identity in one.workers}
            problems += [f"no trace of pid {pid}" for pid in workers if str(pid) not in seen]
    saw = "pids " + " and ".join(map(str, workers))
    return Check("Another worker finished the killed one's work", saw, tuple(problems))


def decisions_on_record(evidence: Evidence) -> Check:
    """Who decided, withdrew and appealed is kept, signed, with the reason."""
    problems: list[str] = []
    kinds: Counter[str] = Counter()
    for one in evidence.found:
        of_people = [row for row in one.decisions if row.actor_kind != "rule"]
        wanted = DECISIONS.get(one.applicant.key, ())
        if tuple(Said(row.kind, row.actor, row.reason) for row in of_people) != wanted:
            problems.append(f"{one.applicant.name}: {_told(of_people)}")
        problems += [
            f"{row.kind} is not signed"
            for row in of_people
            if not row.signed and row.kind not in _AT_THE_DOOR
        ]
        kinds.update(row.kind for row in of_people)
    saw = f"{kinds.total()} decisions of {len(kinds)} kinds"
    return Check("Who decided is kept, signed, with the reason", saw, tuple(problems))


def stages_agree(evidence: Evidence) -> Check:
    """What our database says is what Temporal says."""
    problems = [
        f"{one.applicant.name}: {one.stage} here, {[(run.status, run.result) for run in one.runs]}"
        for one in evidence.found
        if [(run.status, run.result) for run in one.runs] != [("completed", one.stage)]
    ]
    saw = f"{len(evidence.found)} workflows completed"
    return Check("Our database and Temporal tell the same end", saw, tuple(problems))


def trail_is_complete(evidence: Evidence) -> Check:
    """The audit trail has every stage, each in its turn."""
    problems = []
    for one in evidence.found:
        path = ("received", *one.trail)
        allowed = all(later in TRANSITIONS[stage] for stage, later in pairwise(path))
        way = passed_by(one.applicant)
        whole = path == way if one.applicant.end == "active" else path[-1] in ENDS
        if not (allowed and whole):
            problems.append(f"{one.applicant.name}: {' → '.join(path)}")
    saw = f"{_count(len(one.trail) for one in evidence.found)} changes of stage"
    return Check("The audit trail has every stage", saw, tuple(problems))


def ledger_agrees(evidence: Evidence) -> Check:
    """No request is open, and what the ledger says was made is what is there."""
    problems, rows = [], 0
    for one in evidence.found:
        rows += len(one.ledger)
        problems += [
            f"{row.key}: {'held' if row.held else row.state}"
            for row in one.ledger
            if row.held or row.state not in ("succeeded", "undone")
        ]
        if one.applicant.end == "active":
            problems += _not_there(one)
    return Check("The request ledger agrees with the outside", f"{rows} requests", tuple(problems))


def nothing_waits(evidence: Evidence) -> Check:
    """Nobody needs to act on this run any more, and nothing goes wrong on purpose any more."""
    ours = {one.workflow_id for one in evidence.found}
    problems = [
        f"{one.workflow_id}: {one.step}" for one in evidence.waiting if one.workflow_id in ours
    ]
    if evidence.faults:
        problems.append(f"{evidence.faults} faults are left at the simulators")
    return Check("Nothing waits for anybody", "attention list clear", tuple(problems))


def _not_there(one: Found) -> Iterable[str]:
    """What the ledger says was made of an active applicant, and is not what is there."""
    there = {
        "billing.create_customer": [customer.id for customer in one.customers],
        "directory.create_user": [user.id for user in one.users],
        "directory.join_group": list(one.memberships),
        "crm.create_contact": [contact.id for contact in one.contacts],
        "crm.create_company": [company.id for company in one.companies],
        "documents.write": [letter.message_id for letter in one.asked],
        "confirmation.send": [letter.message_id for letter in one.confirmations],
        "identity.open_session": [session.id for session in one.sessions],
        "notice.welcome": [letter.message_id for letter in one.letters],
    }
    for step, field in _OUTSIDE_IDS.items():
        made = [(row.result or {}).get(field) for row in one.ledger if row.step == step]
        if made != there[step]:
            yield f"{one.applicant.name}: {step} made {made}, there is {there[step]}"


def _system(step: str) -> str:
    return step.partition(".")[0]


def _count(numbers: Iterable[int]) -> int:
    return sum(numbers)


def _told(decisions: Iterable[DecisionRow]) -> str:
    return ", ".join(f"{one.kind} by {one.actor}" for one in decisions) or "no decision"
