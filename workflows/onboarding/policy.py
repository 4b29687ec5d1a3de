"""What the business decided about time and territory: the shape of `rules/policy.toml`."""

from pydantic import Field

from workflows.onboarding.life_policy import LifePolicy
from workflows.onboarding.rejection import RejectionPolicy
from workflows.onboarding.review import ReviewPolicy
from workflows.onboarding.rules import DocumentKind, Hours
from workflows.policy import Budgets, Duration
from workflows.request_key import Message


class EmailPolicy(Message):
    """How long an applicant has to confirm their address, and how often the mail goes out.

    Each mail's link holds for `link_holds`. `resends` may be asked for, each `pause` after the
    last mail at the soonest.
    """

    expires_after: Duration
    link_holds: Duration
    resends: int = Field(ge=0, le=20)
    pause: Duration


class IdentityPolicy(Message):
    """How long an applicant has to prove who they are, and how often they may try."""

    expires_after: Duration
    tries: int = Field(ge=1, le=20)


class ConsentPolicy(Message):
    """Which versions of the terms are in force; where there are none, nobody is asked.

    `retention` is the class that evidence of consent is kept under.
    """

    terms_versions: tuple[str, ...] = ()
    retention: str = "contract"


class DuplicatesPolicy(Message):
    """How alike two names are, from 0 to 1, for one applicant to be taken for the other."""

    likeness: float = Field(gt=0, le=1)


class ScreeningPolicy(Message):
    """How alike an entry of a list must be to be a hit, in percent; how long a no is trusted."""

    threshold: int = Field(ge=50, le=100)
    false_positives_hold: Duration


class DocumentsPolicy(Message):
    """How long applicants have to deliver documents, and how they are reminded.

    remind_after  when they are reminded, from when they were asked
    expires_after when it is too late; both begin anew when a document is refused
    look_hours    how many hours of business reviewers may refuse what was delivered before the
                  process goes on; it does not wait once they accepted a document of each kind
    look_within   the same by the calendar, as it was for those who began before; without either
                  nobody looks
    tries         how often documents of one kind may be refused
    files         how many files of one kind are taken in
    dated         the kinds that are taken in only with a day until which they are valid
    """

    remind_after: tuple[Duration, ...]
    expires_after: Duration
    look_hours: Hours | None = None
    look_within: Duration | None = None
    tries: int = Field(ge=1, le=10)
    files: int = Field(ge=1, le=20)
    dated: tuple[DocumentKind, ...] = ()


class Policy(Message):
    """What the business decided about time and territory, as the process read it at its start.

    A stage without its section here is not in the process: what began before a release goes on as
    it began. `changes` is how often an application may be changed while it is under way.
    """

    version: str
    budgets: Budgets
    identity: IdentityPolicy
    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    changes: int = Field(default=0, ge=0, le=20)
    consent: ConsentPolicy = ConsentPolicy()
    review: ReviewPolicy | None = None
    duplicates: DuplicatesPolicy | None = None
    rejection: RejectionPolicy | None = None
    email: EmailPolicy | None = None
    screening: ScreeningPolicy | None = None
    documents: DocumentsPolicy | None = None
    life: LifePolicy | None = None
