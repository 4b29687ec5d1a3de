"""What a customer's life after the onboarding is told, tells and asks for. Ids only."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from workflows.actor import Decision
from workflows.onboarding.life_policy import LifePolicy, Thing
from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.review import Reviewed
from workflows.onboarding.rules import DocumentKind, Risk, ScreeningStatus
from workflows.onboarding.state import Judged
from workflows.policy import Budgets
from workflows.request_key import Message, Request

CUSTOMER_LIFE = "CustomerLife"
"""The type of the process, by which an onboarding starts it: to import it takes time each time."""

LifeStage = Literal["active", "reverifying", "offboarded"]

LIFE_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "active": frozenset({"reverifying", "offboarded"}),
    "reverifying": frozenset({"active", "offboarded"}),
    "offboarded": frozenset(),
}
"""Which stage of a life may follow which."""

System = Literal["billing", "directory", "crm"]


def customer_workflow_id(tenant: str, onboarding: str) -> str:
    """The id of the process that watches over a customer."""
    return f"customer/{tenant}/{onboarding}"


def life_of(process: str) -> str:
    """The id of the process that watches over whoever the onboarding `process` makes a customer."""
    return "customer/" + process.removeprefix("onboarding/")


def is_customer(process: str) -> bool:
    """Whether the process of this id watches over a customer."""
    return process.startswith("customer/")


class Accounts(Message):
    """What a customer has outside, by the ids there. `company_id` is None for a person."""

    customer_id: str
    has_tax_id: bool
    user_id: str
    group_id: str
    contact_id: str
    company_id: str | None = None


class Made(Message):
    """Something that was made outside: the step that takes it back, and of which request."""

    undo: str
    of: str
    part: str = ""


class Difference(Message):
    """What is not outside as it should be. `fields` are those that differ, without their values."""

    thing: Thing
    how: Literal["missing", "differs"]
    fields: tuple[str, ...] = ()


class Reverification(Message):
    """A proof of identity that was asked for again, under which key; when to look how it stands."""

    session_id: str
    key: str
    part: str
    until: datetime
    look_at: datetime


class Paper(Message):
    """A document that counts, and the last day on which it is valid."""

    kind: DocumentKind
    valid_until: date


class PapersAsked(Message):
    """Documents that a customer was asked for anew: in which round, until when, what was written.

    due      when each letter is due; `letters` is how many were written
    judged_at  until when reviewers may refuse what is there; empty while something is missing
    refused  the ids of those that were refused and asked for again
    """

    number: int
    round: int
    kinds: tuple[DocumentKind, ...]
    until: datetime
    due: tuple[datetime, ...]
    letters: int = 0
    look_at: datetime
    judged_at: datetime | None = None
    refused: tuple[str, ...] = ()


class LifeState(Reviewed, Judged, BaseModel):
    """What the process knows about its customer. All of it goes over into the next run.

    version     of the application: what should be there
    proved_at   since when the proof of identity is good
    compared    how many comparisons there were; it numbers their requests
    repaired    how often each thing was made anew; it numbers those requests
    left        differences that somebody decided to leave as they are
    screening    the policy for it; None where nobody is screened
    screened     how often they were screened again; it numbers those requests
    list_version  of the list when they were screened last
    list_told    the version that we were last told of
    hits_judged  that a hit was judged, and nobody has looked what follows from it
    excluded     who may not decide about them: names of API keys
    unseen      how often in a row a system gave no answer
    entered     how often a stage was entered; it numbers those requests
    reverified  how often a proof of identity was asked for again; it numbers those requests
    proof_heard  that something was heard of it that nobody has looked at yet
    papers       the documents that have a day until which they are valid
    papers_left  those of them that somebody decided to leave as they are
    papers_asked   those that they were asked for anew; `papers_number` counts how often
    papers_round   the last round in which documents were asked for
    papers_heard   that something was heard of them that nobody has looked at yet
    documents    what reviewers may judge, and what they said
    decided      updates that were taken: none is taken twice
    noticed      how many notices were sent; it numbers them
    """

    tenant: str
    since: datetime
    proved_at: datetime
    policy: LifePolicy
    budgets: Budgets
    accounts: Accounts
    made: list[Made]
    risk: Risk = "medium"
    version: int = 1
    stage: LifeStage = "active"
    entered: int = 0
    compared: int = 0
    compare_at: datetime | None = None
    compare_asked: bool = False
    repaired: dict[Thing, int] = {}
    left: list[Difference] = []
    unseen: dict[System, int] = {}
    screening: ScreeningPolicy | None = None
    screened: int = 0
    list_version: str | None = None
    list_told: str | None = None
    hits_judged: bool = False
    excluded: tuple[str, ...] = ()
    reverified: int = 0
    reverification: Reverification | None = None
    proof_heard: bool = False
    papers: tuple[Paper, ...] = ()
    papers_left: tuple[Paper, ...] = ()
    papers_asked: PapersAsked | None = None
    papers_number: int = 0
    papers_round: int = 0
    papers_heard: bool = False
    decided: list[str] = []
    noticed: int = 0

    @property
    def reverify_at(self) -> datetime:
        """When the proof of identity is good no more."""
        return self.proved_at + self.policy.reverify_after.of(self.risk)


class Offboarding(Decision):
    """Somebody leaves, or has to."""


class CompareNow(Decision):
    """Somebody wants the systems outside compared now."""


class OfCustomer(Request):
    """A step about a customer, known by the application that they came with."""

    application_id: str


class TakeUp(OfCustomer):
    """Take a customer up, or once more: what lists show of it, and the policy of today."""

    tenant: str
    workflow_id: str
    since: datetime
    risk: Risk
    proved_at: datetime
    reverify_at: datetime
    list_version: str | None = None


class TakenUp(Message):
    """The policy of today; none where customers are watched over no more.

    `reviews` is how many there were of the applicant and the customer, `excluded` who may not take
    part in one: names of API keys. `papers` are the documents that expire, `round` is the last in
    which documents were asked for.
    """

    policy: LifePolicy | None
    budgets: Budgets
    screening: ScreeningPolicy | None = None
    reviews: int = 0
    excluded: tuple[str, ...] = ()
    papers: tuple[Paper, ...] = ()
    round: int = 0


class ListChanged(Message):
    """The list of those who need a second look has another version than it had."""

    list_version: str


class RecordScreening(OfCustomer):
    """What came of screening a customer again, with which version of the list."""

    status: ScreeningStatus
    list_version: str


class RecordLife(OfCustomer):
    """The stage that a life is in now. Whoever left is kept for `keep_for`."""

    stage: LifeStage
    keep_for: timedelta | None = None


class RecordProof(OfCustomer):
    """That a proof of identity is good from now on, or that somebody does without; until when."""

    outcome: Literal["verified", "accepted"]
    proved_at: datetime
    reverify_at: datetime


class RecordDifference(OfCustomer):
    """What was found, and what became of it: a line in the audit trail.

    repaired   it was made anew
    left       somebody decided to leave it as it is
    mended     somebody says that it is right again: it is looked at once more
    """

    difference: Difference
    outcome: Literal["repaired", "left", "mended"]


Question = Literal["repair", "mend", "not_proved", "hits", "documents"]


class PutBefore(OfCustomer):
    """Something that a person has to decide about.

    repair      it is gone, and not to be made anew without asking
    mend        it is there, and not as it should be
    not_proved  a proof of identity was asked for in vain
    hits        they may be on a list, and nobody has judged it in time
    documents   a document has expired, and no new one came in time
    """

    question: Question
    difference: Difference | None = None


class Approved(Message):
    """Whether to go on."""

    go_on: bool


class Compare(OfCustomer):
    """Compare what one system has of a customer with what should be there."""

    accounts: Accounts


class Compared(Message):
    """What is not there as it should be; `seen` is False where somebody did without looking."""

    differences: tuple[Difference, ...] = ()
    seen: bool = True


class AskForProof(OfCustomer):
    """Tell a customer that they have to prove who they are, and until when."""

    until: datetime


class AskedForProof(Message):
    """The mail that was handed over; no id where somebody decided to go on without it."""

    message_id: str | None
