"""What must hold after the second act, checked on what is there.

Each check falsifies one promise; a new promise is a new check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from workers.demo.books.evidence import BooksEvidence, NightFound
from workers.demo.books.finance import APPROVER, PROPOSER
from workers.demo.books.nights import money
from workers.demo.books.plan import ALL_TOLD, CURRENCY, OUTCOMES, PLANTINGS, Planting
from workers.demo.books.report import about
from workers.demo.check import Check
from workflows.reconciliation.messages import END_OF

_EQUATIONS = {"E1", "E2", "E3", "E4"}


def check_books(evidence: BooksEvidence) -> list[Check]:
    """Every check there is of the books."""
    checks: tuple[Callable[[BooksEvidence], Check], ...] = (
        opened_by_two,
        nights_came_out,
        planted_is_found,
        nothing_else_is,
        late_data_closed_a_break,
        bridge_is_zero,
        on_its_way_is_told,
        certificates_hold,
        matched_once,
        paid_once,
        statements_count_once,
        another_worker_went_on,
        finance_was_told,
    )
    return [check(evidence) for check in checks]


def opened_by_two(evidence: BooksEvidence) -> Check:
    """Who proposed what the books began with did not approve of it, and both are on record."""
    opening, problems = evidence.opening, []
    if (opening.proposed_by, opening.decided_by) != (PROPOSER, APPROVER):
        problems.append(f"proposed by {opening.proposed_by}, decided by {opening.decided_by}")
    if opening.state != "approved":
        problems.append(f"the opening is {opening.state}")
    if evidence.memory.refused != 403:
        problems.append(f"who proposed it was answered {evidence.memory.refused} as approver")
    missing = {"opening.proposed", "opening.approved"} - evidence.audited
    problems += [f"the audit trail has no {event}" for event in sorted(missing)]
    saw = f"{opening.state} by another"
    return Check("Two people opened the books", saw, tuple(problems))


def nights_came_out(evidence: BooksEvidence) -> Check:
    """Every run has the status that was planned, here, in its certificate and at Temporal."""
    week, problems = evidence.memory.week, []
    wanted = [(week.day(day), status) for day, status in OUTCOMES]
    found = [(night.run.business_date, night.run.status) for night in evidence.nights]
    if found != wanted:
        problems.append(", ".join(f"{day:%a} {status}" for day, status in found) or "no run")
    for night in evidence.nights:
        told = night.run.status
        at_temporal = [(one.status, one.result) for one in night.workflows]
        if night.certificate.status != told:
            problems.append(f"{night.run.id}: certified as {night.certificate.status}")
        if told is None or at_temporal != [("completed", END_OF[told])]:
            problems.append(f"{night.run.id}: {at_temporal} at Temporal")
    saw = f"{len(found)} runs, {len({status for _, status in found})} ways to end"
    return Check("Every night came out as it had to", saw, tuple(problems))


def planted_is_found(evidence: BooksEvidence) -> Check:
    """Everything that was made to go wrong is a break of the right class, amount and night."""
    problems, found = [], 0
    for planting in PLANTINGS:
        planted = evidence.memory.planted.get(planting.key)
        if planted is None:
            problems.append(f"{planting.title}: was not planted")
            continue
        theirs = [one for one in evidence.breaks if about(one, planted.about)]
        classes = {one.break_class for one in theirs}
        at_risk = sum(one.at_risk_minor for one in theirs)
        opened = {one.opened_on for one in theirs}
        found += bool(theirs)
        if classes != {planting.break_class} or at_risk != planted.at_risk:
            problems.append(f"{planting.title}: {sorted(classes)} at risk {money(at_risk)}")
        elif opened != {evidence.memory.week.day(planting.from_)}:
            problems.append(f"{planting.title}: found on {', '.join(map(str, opened))}")
    saw = f"{found} of {len(PLANTINGS)}, class and amount"
    return Check("Everything that was planted is found", saw, tuple(problems))


def nothing_else_is(evidence: BooksEvidence) -> Check:
    """There is no break of anything that was not made to go wrong."""
    planted = [one.about for one in evidence.memory.planted.values()]
    problems = [
        f"{one.break_class} of {money(one.at_risk_minor)}: {', '.join(one.subject)}"
        for one in evidence.breaks
        if not any(about(one, what) for what in planted)
    ]
    saw = f"{len(evidence.breaks)} breaks, of {len(evidence.charged)} payments"
    return Check("… and nothing else is", saw, tuple(problems))


def late_data_closed_a_break(evidence: BooksEvidence) -> Check:
    """What came late closed its break by itself, on its day; all other breaks are open."""
    problems, healed = [], 0
    for planting in PLANTINGS:
        planted = evidence.memory.planted.get(planting.key)
        theirs = [one for one in evidence.breaks if planted and about(one, planted.about)]
        wanted = _closed_on(evidence, planting)
        closed = {one.closed_on for one in theirs}
        healed += wanted is not None and closed == {wanted}
        if theirs and closed != {wanted}:
            problems.append(f"{planting.title}: closed on {', '.join(map(str, closed))}")
    if not healed:
        problems.append("no break was closed")
    saw = f"{healed} closed, {sum(one.closed_on is None for one in evidence.breaks)} open"
    return Check("What came late closed its break by itself", saw, tuple(problems))


def bridge_is_zero(evidence: BooksEvidence) -> Check:
    """All four equations and the roll forward leave nothing over, on independent balances."""
    problems, proven = [], 0
    for night in evidence.nights:
        certificate = night.certificate
        if certificate.status == "INCOMPLETE":
            continue
        for equation in certificate.bridge:
            proven += 1
            if equation.residual_minor:
                residual = money(equation.residual_minor)
                problems.append(f"{night.run.id}: {equation.name} leaves {residual}")
        if {one.name for one in certificate.bridge if one.currency == CURRENCY} != _EQUATIONS:
            problems.append(f"{night.run.id}: not all equations")
        if any(one.residual_minor for one in certificate.roll_forward):
            problems.append(f"{night.run.id}: the roll forward does not hold")
        unproven = [one.book for one in certificate.controls if not one.proven]
        problems += [f"{night.run.id}: nobody else says what {book} has" for book in unproven]
    if not proven:
        problems.append("nothing was proven")
    return Check("The bridge is zero every night", f"{proven} equations", tuple(problems))


def on_its_way_is_told(evidence: BooksEvidence) -> Check:
    """At the end the payouts that the bank does not have yet are on their way, to the cent."""
    payouts, problems = evidence.memory.payouts[1:], []
    if not evidence.nights or len(payouts) != 2:
        problems.append(f"{len(payouts)} payouts were to be on their way")
        return Check("What is on its way is told as such", "nothing", tuple(problems))
    last = evidence.nights[-1].certificate
    told = [one for one in last.timing if one.leg == "L2"]
    amount = abs(sum(one.amount_minor for one in told))
    if (sum(one.items for one in told), amount) != (2, sum(one.amount for one in payouts)):
        problems.append(f"{sum(one.items for one in told)} on their way, {money(amount)}")
    saw = f"{len(payouts)} payouts, {money(amount)} {CURRENCY}"
    return Check("What is on its way is told as such", saw, tuple(problems))


def certificates_hold(evidence: BooksEvidence) -> Check:
    """Each is what its name says, comes out again from what is stored, and names those before."""
    problems = []
    for night in evidence.nights:
        if night.hashed != night.run.certificate_id:
            problems.append(f"{night.run.id}: the certificate is another than its name says")
        problems += [f"{night.run.id}: {one} differs" for one in night.differences]
    for before, after in pairwise(evidence.nights):
        if not _follows(before, after):
            problems.append(f"{after.run.id}: does not go on from {before.run.id}")
    if not evidence.nights:
        problems.append("there is none")
    saw = f"{len(evidence.nights)} made anew from their cuts"
    return Check("Every certificate verifies, and names the last", saw, tuple(problems))


def matched_once(evidence: BooksEvidence) -> Check:
    """No item is in two matches of a leg, and every payment is matched or was made to go wrong."""
    problems = []
    places = Counter(
        (match.leg, item.book, item.source_id, item.component)
        for match in evidence.matches
        for item in match.items
    )
    problems += [f"{place} is in {count} matches" for place, count in places.items() if count > 1]
    of_all = (item for match in evidence.matches for item in match.items)
    matched = {item.reference for item in of_all if item.reference}
    problems += [
        f"{charge} is in no match" for charge in sorted(evidence.charged - matched - {None})
    ]
    if not evidence.charged:
        problems.append("nobody paid")
    saw = f"{len(evidence.matches)} matches of {len(places)} places"
    return Check("Nothing is matched twice, nothing forgotten", saw, tuple(problems))


def paid_once(evidence: BooksEvidence) -> Check:
    """Each payment was told twice under its key, and is booked once."""
    told, problems = evidence.memory.told, []
    if evidence.payments != told or not told:
        problems.append(f"{evidence.payments} are booked, {told} were told")
    saw = f"{2 * told} requests, {evidence.payments} booked"
    return Check("A payment that is told twice is booked once", saw, tuple(problems))


def statements_count_once(evidence: BooksEvidence) -> Check:
    """One statement a day counts, whichever way and however often it came."""
    counted = Counter(evidence.statements)
    problems = []
    if counted["counts"] != ALL_TOLD or set(counted) - {"counts", "again"}:
        problems.append(", ".join(f"{count} {state}" for state, count in counted.items()) or "none")
    saw = f"{counted['counts']} count"
    return Check("Each of the bank's statements counts once", saw, tuple(problems))


def another_worker_went_on(evidence: BooksEvidence) -> Check:
    """The run under way at the kill names both workers, and came out as planned."""
    workers, problems = evidence.memory.workers or (), []
    killed = [one for one in evidence.nights if one.run.id == evidence.memory.killed]
    if not (workers and killed):
        problems.append("no worker was killed in a run")
    for night in killed:
        seen = {identity.partition("@")[0] for identity in night.workers}
        problems += [f"no trace of pid {pid}" for pid in workers if str(pid) not in seen]
    saw = "pids " + " and ".join(map(str, workers))
    return Check("A worker died in a run, and nobody notices", saw, tuple(problems))


def finance_was_told(evidence: BooksEvidence) -> Check:
    """There is one mail of each run that is not balanced, and nothing is to go wrong any more."""
    problems = []
    for night in evidence.nights:
        wanted = 0 if night.run.status == "BALANCED" else 1
        if night.letters != wanted:
            problems.append(f"{night.run.id}: {night.letters} mails")
    if evidence.faults:
        problems.append(f"{evidence.faults} faults are left at the bank")
    if not evidence.nights:
        problems.append("there is nothing to tell")
    saw = f"{sum(night.letters for night in evidence.nights)} mails"
    return Check("Finance was told once of each open night", saw, tuple(problems))


def _closed_on(evidence: BooksEvidence, planting: Planting) -> object:
    return None if planting.healed is None else evidence.memory.week.day(planting.healed)


def _follows(before: NightFound, after: NightFound) -> bool:
    """Whether a certificate names the one before, or that it stands in its place."""
    made = after.certificate
    same_day = before.run.business_date == after.run.business_date
    if same_day:
        return made.supersedes == before.run.certificate_id
    return made.previous == before.run.certificate_id
