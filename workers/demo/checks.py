"""Is all as planned? Each check looks at what is there, and says what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workers.demo.cast import Applicant
from workers.demo.evidence import DecisionRow, Evidence, Found
from workers.demo.plot import COPIES, REPAIRED, WITHDRAWN
from workflows.onboarding.messages import ENDS, TRANSITIONS

_MADE = ("identity.open_session", "billing.create_customer", "billing.create_tax_id")
_STRAIGHT = (
    "validating",
    "verifying_identity",
    "deciding",
    "provisioning",
    "welcoming",
    "active",
)
_OUTSIDE_IDS = {
    "billing.create_customer": "customer_id",
    "identity.open_session": "session_id",
    "notice.welcome": "message_id",
}


@dataclass(frozen=True)
class Check:
    """What must hold, what was seen, and what does not hold: nothing where all is well."""

    what: str
    saw: str
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is well."""
        return not self.problems


def check_all(cast: Sequence[Applicant], evidence: Evidence) -> list[Check]:
    """Every check there is, on the evidence of one run of this cast."""
    checks: tuple[Callable[[Evidence], Check], ...] = (
        one_customer_each,
        tax_ids,
        one_welcome_each,
        nothing_left,
        one_onboarding_of_three_signups,
        webhooks_counted_once,
        parked_and_repaired,
        another_worker_finished,
        decisions_on_record,
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
    active = sum(one.end == "active" for one in cast)
    saw = f"{active} active, {len(cast) - active} withdrawn"
    return Check("Everybody came to the end that was planned", saw, tuple(problems))


def one_customer_each(evidence: Evidence) -> Check:
    """Each active applicant has exactly one customer at Stripe."""
    active = _active(evidence)
    problems = [
        f"{one.applicant.name}: {len(one.customers)} customers"
        for one in active
        if len(one.customers) != 1
    ]
    saw = f"{_count(len(one.customers) for one in active)} for {len(active)} active"
    return Check("One Stripe customer for each active applicant", saw, tuple(problems))


def tax_ids(evidence: Evidence) -> Check:
    """Each customer has the tax id of its application, once, and no other."""
    problems, seen = [], 0
    for one in _active(evidence):
        wanted = one.applicant.application.tax_id
        expected = [(wanted.type, wanted.value)] if wanted else []
        for customer in one.customers:
            there = [(each.type, each.value) for each in customer.tax_ids]
            seen += len(there)
            if there != expected:
                problems.append(f"{one.applicant.name}: {len(there)} tax ids, or another")
    return Check("… with its tax id, where it has one", f"{seen} tax ids", tuple(problems))


def one_welcome_each(evidence: Evidence) -> Check:
    """Each active applicant got exactly one mail: the welcome."""
    active = _active(evidence)
    problems = [
        f"{one.applicant.name}: {[letter.subject for letter in one.letters]}"
        for one in active
        if [letter.subject for letter in one.letters] != ["Welcome"]
    ]
    saw = f"{_count(len(one.letters) for one in active)} mails"
    return Check("One welcome mail for each active applicant", saw, tuple(problems))


def nothing_left(evidence: Evidence) -> Check:
    """Of those who are not active nothing is left, though something had been made."""
    problems = []
    others = [one for one in evidence.found if one.applicant.end != "active"]
    for one in others:
        name = one.applicant.name
        if one.customers:
            problems.append(f"{name}: still a customer")
        if one.letters:
            problems.append(f"{name}: got mail")
        if not one.sessions or any(session.redaction is None for session in one.sessions):
            problems.append(f"{name}: the identity session is not redacted")
        undone = {row.step for row in one.ledger if row.state == "undone" and row.result}
        for step in _MADE:
            if step not in undone:
                problems.append(f"{name}: {step} was not made and undone")
    saw = f"{len(others)}: tax id, customer, session"
    return Check("Nothing left of who withdrew", saw, tuple(problems))


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
    """The outage was on the attention list with its reason, and the operators had one mail."""
    problems, parked = [], evidence.memory.parked
    if parked is None or parked.step != "billing.create_customer" or "503" not in parked.why.text:
        problems.append("the attention list did not name the step and Stripe's 503")
    notices = [len(one.notices) for one in evidence.found if one.applicant.scene == "outage"]
    if notices != [1]:
        problems.append(f"{_count(notices)} notices to the operators")
    saw = f"{parked.why.type}, {_count(notices)} notice" if parked else "nothing parked"
    return Check("The outage parked, was told, and was repaired", saw, tuple(problems))


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
    """Who withdrew and who retried is kept, signed, with the reason."""
    expected = {"withdrawal": ("withdraw", WITHDRAWN), "outage": ("resolve", REPAIRED)}
    problems, kinds = [], []
    for one in evidence.found:
        of_people = [row for row in one.decisions if row.actor_kind != "rule"]
        wanted = expected.get(one.applicant.scene)
        if [(row.kind, row.reason) for row in of_people] != ([wanted] if wanted else []):
            problems.append(f"{one.applicant.name}: {_told(of_people)}")
        problems += [f"{row.kind} is not signed" for row in of_people if not row.signed]
        kinds += [row.kind for row in of_people]
    return Check(
        "Who decided is kept, signed, with the reason", " and ".join(kinds), tuple(problems)
    )


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
        whole = one.trail == _STRAIGHT if one.applicant.end == "active" else path[-1] in ENDS
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
        problems.append(f"{evidence.faults} faults are left at Stripe's simulator")
    return Check("Nothing waits for anybody", "attention list clear", tuple(problems))


def _not_there(one: Found) -> Iterable[str]:
    """What the ledger says was made of an active applicant, and is not what is there."""
    there = {
        "billing.create_customer": [customer.id for customer in one.customers],
        "identity.open_session": [session.id for session in one.sessions],
        "notice.welcome": [letter.message_id for letter in one.letters],
    }
    for step, field in _OUTSIDE_IDS.items():
        made = [(row.result or {}).get(field) for row in one.ledger if row.step == step]
        if made != there[step]:
            yield f"{one.applicant.name}: {step} made {made}, there is {there[step]}"


def _active(evidence: Evidence) -> list[Found]:
    return [one for one in evidence.found if one.applicant.end == "active"]


def _count(numbers: Iterable[int]) -> int:
    return sum(numbers)


def _told(decisions: Iterable[DecisionRow]) -> str:
    return ", ".join(f"{one.kind} by {one.actor}" for one in decisions) or "no decision"
