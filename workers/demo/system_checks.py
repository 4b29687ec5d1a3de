"""Is outside what is to be there, once, and nothing else? In every system, and in the mailbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workers.demo.check import Check
from workers.demo.evidence import Evidence, Found
from workflows.onboarding.messages import UNDONE

WELCOME = "Welcome"
"""The subject of the mail to who has become a customer."""

_OF_A_PERSON = frozenset({"directory.create_user", "directory.join_group", "crm.create_contact"})
MAKING = _OF_A_PERSON | {
    *("billing.create_customer", "billing.create_tax_id"),
    "crm.create_company",
}
"""The steps that make something in the three systems."""

_BEFORE = frozenset({"identity.open_session"})
_UNDONE: Mapping[str, frozenset[str]] = {
    "withdrawn": _BEFORE | MAKING | {"documents.store"},
    "aborted": _BEFORE | _OF_A_PERSON,
    "expired": _BEFORE,
}
"""What was made of those who come to these ends, and is undone."""


def one_customer_each(evidence: Evidence) -> Check:
    """Each active applicant has exactly one customer at Stripe."""
    active = _active(evidence)
    problems = _not_one("customers", ((one, one.customers) for one in active))
    saw = f"{sum(len(one.customers) for one in active)} for {len(active)} active"
    return Check("One Stripe customer for each active applicant", saw, problems)


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


def one_user_each(evidence: Evidence) -> Check:
    """Each active applicant has exactly one user in the directory."""
    active = _active(evidence)
    problems = _not_one("users", ((one, one.users) for one in active))
    saw = f"{sum(len(one.users) for one in active)} for {len(active)} active"
    return Check("One user in the directory for each", saw, problems)


def one_place_in_the_group_each(evidence: Evidence) -> Check:
    """The tenant has one group, which all made at the same time, and each user is in it once."""
    active = _active(evidence)
    problems = list(_not_one("places in groups", ((one, one.memberships) for one in active)))
    if len(evidence.groups) != 1:
        problems.append(f"{len(evidence.groups)} groups of the tenant's name")
    saw = f"{sum(len(one.memberships) for one in active)} in {len(evidence.groups)} group"
    return Check("… in the tenant's group, which is one", saw, tuple(problems))


def one_contact_each(evidence: Evidence) -> Check:
    """Each active applicant has exactly one contact in the CRM, with their own address."""
    active = _active(evidence)
    problems = list(_not_one("contacts", ((one, one.contacts) for one in active)))
    problems += [
        f"{one.applicant.name}: a contact with another address"
        for one in active
        if {each.told.email for each in one.contacts} - {one.applicant.application.email}
    ]
    saw = f"{sum(len(one.contacts) for one in active)} for {len(active)} active"
    return Check("One contact in the CRM for each", saw, tuple(problems))


def one_company_each(evidence: Evidence) -> Check:
    """Each active company has exactly one company in the CRM; a person has none."""
    active = _active(evidence)
    are = [one for one in active if one.applicant.application.kind == "company"]
    problems = list(_not_one("companies", ((one, one.companies) for one in are)))
    problems += [
        f"{one.applicant.name}: a company of a person"
        for one in active
        if one not in are and one.companies
    ]
    saw = f"{sum(len(one.companies) for one in active)} for {len(are)} companies"
    return Check("… with its company, where it is one", saw, tuple(problems))


def one_confirmation_each(evidence: Evidence) -> Check:
    """Everybody got one mail with a link, and pressed the button behind it once."""
    problems = [
        f"{one.applicant.name}: {len(one.confirmations)} mails, confirmed {one.confirmed} times"
        for one in evidence.found
        if (len(one.confirmations), one.confirmed) != (1, 1)
    ]
    saw = f"{sum(one.confirmed for one in evidence.found)} confirmed"
    return Check("One link for each applicant, confirmed once", saw, tuple(problems))


def one_welcome_each(evidence: Evidence) -> Check:
    """Each active applicant got exactly one mail after that: the welcome."""
    active = _active(evidence)
    problems = [
        f"{one.applicant.name}: {[letter.subject for letter in one.letters]}"
        for one in active
        if [letter.subject for letter in one.letters] != [WELCOME]
    ]
    saw = f"{sum(len(one.letters) for one in active)} mails"
    return Check("One welcome mail for each active applicant", saw, tuple(problems))


def nothing_left(evidence: Evidence) -> Check:
    """Of those who are not active nothing is left in any system, whatever had been made."""
    problems, things = [], 0
    others = [one for one in evidence.found if one.applicant.end != "active"]
    for one in others:
        name = one.applicant.name
        left = {
            "still a customer": one.customers,
            "still a user": one.users,
            "still in a group": one.memberships,
            "still a contact": one.contacts,
            "still a company in the CRM": one.companies,
            "was welcomed": [letter for letter in one.letters if letter.subject == WELCOME],
        }
        problems += [f"{name}: {what}" for what, there in left.items() if there]
        made = {row.step for row in one.ledger if row.result and row.step in MAKING}
        undone = {row.step for row in one.ledger if row.state == "undone" and row.result}
        wanted = _UNDONE.get(one.applicant.end, frozenset())
        things += len(wanted)
        problems += [f"{name}: {step} was not made and undone" for step in sorted(wanted - undone)]
        problems += [f"{name}: {step} was made" for step in sorted(made - wanted)]
        if one.applicant.end in UNDONE and not _redacted(one):
            problems.append(f"{name}: the identity session is not redacted")
    saw = f"{len(others)}, {things} things undone"
    return Check("Nothing left of who is no customer, anywhere", saw, tuple(problems))


def _redacted(one: Found) -> bool:
    return bool(one.sessions) and all(session.redaction is not None for session in one.sessions)


def stranger_untouched(evidence: Evidence) -> Check:
    """The user that somebody else made is as that person left it, and in no group of ours."""
    problems = []
    seen, now = evidence.memory.stranger, evidence.stranger
    if len(seen) != 3 or now is None:
        problems.append(f"seen {len(seen)} times, now {'there' if now else 'gone'}")
    else:
        new, found, left = seen
        if found != new:
            problems.append("changed before anybody looked at it")
        if now != left:
            problems.append("changed after it was renamed by hand")
    if now and any(member.user == now.id for group in evidence.groups for member in group.members):
        problems.append("in the tenant's group")
    saw = "as a person left it" if now else "gone"
    return Check("Somebody else's user was not touched", saw, tuple(problems))


def _active(evidence: Evidence) -> list[Found]:
    return [one for one in evidence.found if one.applicant.end == "active"]


def _not_one(what: str, there: Iterable[tuple[Found, Sequence[object]]]) -> tuple[str, ...]:
    return tuple(
        f"{one.applicant.name}: {len(things)} {what}" for one, things in there if len(things) != 1
    )
