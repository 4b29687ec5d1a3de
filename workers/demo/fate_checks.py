"""Did those about whom people decide, or who had more to do, fare as they should?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from workers.demo.acting import document_of
from workers.demo.cast import LISTED, MANAGER
from workers.demo.check import Check
from workers.demo.evidence import Evidence, Found
from workers.demo.memory import REFUSALS, VERDICTS
from workers.demo.outside import REMINDER
from workers.demo.reviewers import name_of
from workflows.onboarding.messages import UNDONE
from workflows.onboarding.rejection import ADVERSE_ACTIONS
from workflows.onboarding.rules import QUESTIONS, REVIEW, RISK, AdverseAction

_RISKS = {
    "kontor": "screening-hit",
    "namesake": "screening-hit",
    "again": "duplicate",
    "amelie": "identity-failed",
}
"""Which row says how risky an applicant is, where it is not the one for everybody of their kind."""

_CODES: dict[str, AdverseAction] = {
    "kontor": "not_accepted",
    "again": "known_already",
    "amelie": "identity_not_verified",
}
"""What those who are rejected are told."""

_UNTOLD = ("sanction", "list", "hit", "screen", LISTED.split()[-1].casefold())
"""What a letter of rejection never speaks of."""


def rulings_kept(evidence: Evidence) -> Check:
    """Each applicant was before every table; which row of which version decided is kept."""
    problems, rulings = [], 0
    for one in evidence.found:
        found = one.case.rulings
        rulings += len(found)
        if [row.table for row in found] != [question.table for question in QUESTIONS]:
            problems.append(f"{one.applicant.name}: {[row.table for row in found]} were asked")
        problems += [
            f"{one.applicant.name}: nobody can tell by what {row.table} decided"
            for row in found
            if not (row.row and row.version and row.inputs and row.known)
        ]
        kind = one.applicant.application.kind
        risk = [row.row for row in found if row.table == RISK.table]
        if risk != [_RISKS.get(one.applicant.key, kind)]:
            problems.append(f"{one.applicant.name}: the risk is said by {risk}")
    saw = f"{rulings} rulings by {len(QUESTIONS)} tables"
    return Check("Each ruling is kept, with its row and version", saw, tuple(problems))


def hits_judged(evidence: Evidence) -> Check:
    """Who is like somebody on a list was judged; that it is another is remembered for a time."""
    problems, hits = [], 0
    for one in evidence.found:
        name, wanted = one.applicant.name, VERDICTS.get(one.applicant.key)
        hits += len(one.case.hits)
        if len(one.case.hits) != (1 if wanted else 0):
            problems.append(f"{name}: {len(one.case.hits)} hits")
        for hit in one.case.hits:
            if (hit.verdict, hit.reason) != wanted or hit.by != name_of("reviewer"):
                problems.append(f"{name}: {hit.verdict} by {hit.by}")
            remembered = hit.until is not None and hit.until > datetime.now(UTC)
            if remembered != (hit.verdict == "false_positive"):
                problems.append(f"{name}: {hit.verdict}, remembered until {hit.until}")
    return Check("Each hit was judged, and is remembered", f"{hits} hits", tuple(problems))


def reviews_by_others(evidence: Evidence) -> Check:
    """So many different people agreed as had to, and nobody who was not to."""
    problems, reviews = [], 0
    for one in evidence.found:
        name, found = one.applicant.name, one.case.reviews
        reviews += len(found)
        wanted = "approved" if one.applicant.end == "active" else "rejected"
        if [row.state for row in found] != ([wanted] if one.applicant.reviewed else []):
            problems.append(f"{name}: reviews {[row.state for row in found]}")
        agreed = [row.actor for row in one.decisions if row.kind == "approve"]
        for row in found:
            if wanted == "approved" and len(set(agreed)) != row.approvers:
                problems.append(f"{name}: {agreed} agreed, and it takes {row.approvers}")
            problems += [f"{name}: {by} agreed" for by in agreed if by in row.excluded]
            if one.applicant.scene == "vip" and MANAGER not in row.excluded:
                problems.append(f"{name}: their manager may decide")
    for scene, codes in REFUSALS.items():
        if (refused := tuple(evidence.memory.refused.get(scene, ()))) != codes:
            problems.append(f"{scene}: refused as {refused}, not {codes}")
    refusals = sum(len(codes) for codes in REFUSALS.values())
    saw = f"{reviews} reviews, {refusals} refusals"
    return Check("Only who may decide did, as many as it takes", saw, tuple(problems))


def documents_kept(evidence: Evidence) -> Check:
    """What was asked for is what the rules ask, and the archive has it by its own hash."""
    problems, kept = [], 0
    for one in evidence.found:
        name = one.applicant.name
        if sorted(one.case.asked) != sorted(one.applicant.documents):
            problems.append(f"{name}: asked for {list(one.case.asked)}")
        if one.applicant.end == "active":
            kept += len(one.case.papers)
            problems += [f"{name}: {what}" for what in _not_kept(evidence, one)]
        elif one.applicant.end in UNDONE:
            problems += [
                f"{name}: {paper.kind} is still {paper.state}"
                for paper in one.case.papers
                if paper.state != "gone" or paper.content is not None
            ]
    return Check("Documents are kept by their content", f"{kept} documents", tuple(problems))


def _not_kept(evidence: Evidence, one: Found) -> Iterator[str]:
    refused = [paper for paper in one.case.papers if paper.state == "refused"]
    there = [paper for paper in one.case.papers if paper.state != "refused"]
    papers = {paper.kind: paper for paper in there}
    if len(papers) != len(there) or set(papers) != set(one.applicant.documents):
        yield f"{len(there)} documents of {len(one.applicant.documents)}"
    once_more = one.applicant.scene == "reminded"
    if len(refused) != once_more:
        yield f"{len(refused)} were refused"
    for paper in one.case.papers:
        again = once_more and paper.state != "refused"
        sent = document_of(evidence.run, one.applicant, paper.kind, again=again)
        if {paper.sha256, paper.content} != {hashlib.sha256(sent).hexdigest()}:
            yield f"{paper.kind} is not what was sent"


def reminded(evidence: Evidence) -> Check:
    """Whoever is asked for documents is told once, and reminded only where they take their time."""
    problems, reminders = [], 0
    for one in evidence.found:
        again = [letter for letter in one.asked if letter.subject.startswith(REMINDER)]
        reminders += len(again)
        late = {"reminded": 1, "expired": 2}.get(one.applicant.scene, 0)
        once_more = one.applicant.scene == "reminded"  # one is refused
        first = len(one.asked) - len(again) - once_more
        if first != bool(one.applicant.documents) or len(again) < late:
            problems.append(f"{one.applicant.name}: asked {first}, reminded {len(again)} times")
    return Check("Who takes their time is reminded", f"{reminders} reminders", tuple(problems))


def rejections_tell_no_list(evidence: Evidence) -> Check:
    """Each rejected applicant has one letter, with a code in words, and not a word of any list."""
    problems, rejected = [], 0
    for one in evidence.found:
        if one.applicant.end != "rejected":
            continue
        rejected += 1
        name, code = one.applicant.name, _CODES[one.applicant.key]
        told = [letter.text for letter in one.letters]
        if one.case.codes != (code,):
            problems.append(f"{name}: {list(one.case.codes)}, not {code}")
        if len(told) != 1 or ADVERSE_ACTIONS[code] not in told[0]:
            problems.append(f"{name}: {len(told)} letters, or another reason")
        problems += [
            f"{name}: the letter says “{word}”"
            for text in told
            for word in _UNTOLD
            if word in text.casefold()
        ]
    return Check("A rejection says why, and names no list", f"{rejected} letters", tuple(problems))


def duplicate_merged(evidence: Evidence) -> Check:
    """The second onboarding of one person points to the first, which went on."""
    first = next((one for one in evidence.found if one.applicant.scene == "straight"), None)
    merged = [one for one in evidence.found if one.case.merged_into is not None]
    problems = [
        f"{one.applicant.name}: merged into {one.case.merged_into}"
        for one in merged
        if one.applicant.scene != "duplicate" or not first or one.case.merged_into != first.case.id
    ]
    if len(merged) != 1:
        problems.append(f"{len(merged)} were merged")
    return Check(
        "The duplicate was merged into the first", f"{len(merged)} merged", tuple(problems)
    )


def appeal_heard(evidence: Evidence) -> Check:
    """The appeal is linked with the case that was lost, and decided by who had no part in it."""
    problems: list[str] = []
    cases = {one.applicant.key: one for one in evidence.found}
    appeals = [one for one in evidence.found if one.case.appeal_of is not None]
    for one in appeals:
        lost = cases.get(one.applicant.appeals or "")
        if lost is None or one.case.appeal_of != lost.case.id:
            problems.append(f"{one.applicant.name}: an appeal against {one.case.appeal_of}")
            continue
        before = {row.actor for row in lost.decisions if row.actor_kind == "person"}
        hearing = {row.actor for row in one.decisions if row.kind == "approve"}
        problems += [f"{by} decided about both" for by in before & hearing]
        rows = [row.row for row in one.case.rulings if row.table == REVIEW.table]
        if rows != ["appeal"]:
            problems.append(f"{one.applicant.name}: reviewed by {rows}")
    if len(appeals) != 1:
        problems.append(f"{len(appeals)} appeals")
    return Check("The appeal was heard by others", f"{len(appeals)} appeal", tuple(problems))


FATES: tuple[Callable[[Evidence], Check], ...] = (
    rulings_kept,
    hits_judged,
    reviews_by_others,
    documents_kept,
    reminded,
    rejections_tell_no_list,
    duplicate_merged,
    appeal_heard,
)
"""Every check of this kind."""
