"""What the play intends and what it saw itself, for the checks to compare with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.demo.callers import Waiting
from workers.demo.cast import Scene
from workers.demo.directory import UserInDirectory
from workflows.onboarding.application import Onboarding

WITHDRAWN = "the applicant changed their mind"
COPIES = 3


@dataclass(frozen=True)
class Parking:
    """Which step is to park, the type of its reason, and the reason that the operator retries."""

    step: str
    type: str
    remedy: str


PARKINGS: Mapping[Scene, Parking] = {
    "conflict": Parking(
        "directory.create_user", "directory.conflict", "the other user was an old one: renamed"
    ),
    "crm_outage": Parking("crm.create_contact", "crm.server", "HubSpot takes contacts again"),
    "outage": Parking("billing.create_customer", "stripe.server", "Stripe makes customers again"),
}
"""The scenes in which a person has to decide."""


@dataclass
class Memory:
    """What the play itself saw: material for the checks, never their verdict.

    `since` is when it began by the simulators' clock, `answers` what each of three equal signups
    was told, `parked` how the attention list put what waited, `workers` the process ids of the
    worker that was killed and of the next. `stranger` is the user that somebody else made in the
    directory: when it was new, when a person looked at it, and as that person left it.
    """

    since: int = 0
    answers: tuple[Onboarding, ...] = ()
    parked: dict[Scene, Waiting] = field(default_factory=dict)
    workers: tuple[int, int] | None = None
    stranger: tuple[UserInDirectory, ...] = ()
