"""What the play intends and what it saw itself, for the checks to compare with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workers.demo.callers import Waiting
from workers.demo.cast import Scene
from workers.demo.directory import UserInDirectory
from workers.demo.reviewers import name_of
from workflows.onboarding.application import Onboarding

WITHDRAWN = "the applicant changed their mind"
COPIES = 3


@dataclass(frozen=True)
class Parking:
    """Which step is to park, the type of its reason; what the operator decides then, and why."""

    step: str
    type: str
    remedy: str
    choice: Literal["retry", "abort"] = "retry"


PARKINGS: Mapping[Scene, Parking] = {
    "conflict": Parking(
        "directory.create_user", "directory.conflict", "the other user was an old one: renamed"
    ),
    "crm_outage": Parking("crm.create_contact", "crm.server", "HubSpot takes contacts again"),
    "outage": Parking(
        "billing.create_customer", "stripe.server", "nobody knows when Stripe is back", "abort"
    ),
}
"""The scenes in which something parks, and an operator has to decide."""


@dataclass(frozen=True)
class Said:
    """What somebody is to decide: the kind of decision, their API key's name, and the reason."""

    kind: str
    by: str
    reason: str


SERVICE, OPERATOR = "laptop-service", "laptop-operator"
ON_THE_LIST = Said("reject", name_of("senior_reviewer"), "an owner is who the list has")
AGREED = (
    Said("approve", name_of("senior_reviewer"), "another date of birth, by the passport"),
    Said("approve", name_of("senior_reviewer_two"), "the passport was looked at twice"),
)
WELCOME = Said("approve", name_of("senior_reviewer_two"), "known from the trade fair")
SAME_PERSON = Said("merge", name_of("reviewer"), "the same name and date of birth")
APPEALED = Said("appeal", SERVICE, "the new passport has come")
HEARD = Said("approve", name_of("senior_reviewer"), "the new passport is in order")

CHANGED = Said("change", SERVICE, "they expect to turn over more")
UNREADABLE = Said("judge_document", name_of("reviewer"), "the scan is too dark")

DECISIONS: Mapping[str, tuple[Said, ...]] = {
    "kontor": (ON_THE_LIST,),
    "namesake": AGREED,
    "ines": (WELCOME,),
    "again": (SAME_PERSON,),
    "appeal": (APPEALED, HEARD),
    "kranich": (CHANGED, UNREADABLE),
    "maple": (Said("withdraw", SERVICE, WITHDRAWN),),
    "eleni": (Said("resolve", OPERATOR, PARKINGS["conflict"].remedy),),
    "hayabusa": (Said("resolve", OPERATOR, PARKINGS["crm_outage"].remedy),),
    "nuria": (Said("resolve", OPERATOR, PARKINGS["outage"].remedy),),
}
"""Who is to decide what about whom, by the applicants' keys. About the others rules decide."""

CONFIRMED = "born in the year that the list has, in the same town"
NAMESAKE = "another date of birth, by the passport"
VERDICTS: Mapping[str, tuple[str, str]] = {
    "kontor": ("confirmed", CONFIRMED),
    "namesake": ("false_positive", NAMESAKE),
}
"""What is found out about a hit, and why, by the applicants' keys."""

REFUSALS: Mapping[Scene, tuple[str, ...]] = {
    "listed": ("hit-confirmed",),
    "namesake": ("hits-open", "agreed-already"),
    "vip": ("excluded",),
}
"""With which codes the gateway is to refuse what somebody may not decide."""


@dataclass
class Memory:
    """What the play itself saw: material for the checks, never their verdict.

    `since` is when it began by the simulators' clock, `answers` what each of three equal signups
    was told, `parked` how the attention list put what waited, `workers` the process ids of the
    worker that was killed and of the next. `stranger` is the user that somebody else made in the
    directory: when it was new, when a person looked at it, and as that person left it. `refused`
    are the codes with which decisions were refused.
    """

    since: int = 0
    answers: tuple[Onboarding, ...] = ()
    parked: dict[Scene, Waiting] = field(default_factory=dict)
    workers: tuple[int, int] | None = None
    stranger: tuple[UserInDirectory, ...] = ()
    refused: dict[Scene, list[str | None]] = field(default_factory=dict)
