"""What an onboarding knows about its applicant, for as long as it goes on. Ids only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from workflows.onboarding.messages import Change, ConfirmationResend, DocumentJudgement
from workflows.onboarding.policy import EmailPolicy
from workflows.onboarding.review import Reviewed
from workflows.onboarding.rules import AdverseAction, Risk, ScreeningStatus


class Mailing(BaseModel):
    """How an applicant is asked to confirm their address: `asked_at` is when last."""

    policy: EmailPolicy
    asked_at: datetime
    mails: int = 0
    resends: list[ConfirmationResend] = []

    @property
    def due(self) -> bool:
        """Whether a mail has yet to go out."""
        return self.mails <= len(self.resends)


class Standing(BaseModel):
    """What was found, in this round or an earlier one, and still holds.

    `documents` is the round in which they were asked for; 0 where none were yet.
    """

    address: bool = False
    identity: Literal["verified", "failed"] | None = None
    documents: int = 0


RESTS_ON: Mapping[str, frozenset[str]] = {
    "address": frozenset({"email"}),
    "identity": frozenset({"kind", "name", "date_of_birth", "signatory"}),
    "documents": frozenset({"kind", "name", "country", "date_of_birth", "owners", "signatory"}),
}
"""Of each check in `Standing`, the fields of the application that it rests on.

What is decided rests on all of them: whatever was changed, it is screened, decided and reviewed
anew.
"""


class DocumentsState(BaseModel):
    """What the process has heard about documents, and not yet acted on.

    heard       the hints that came
    open        the ids of those in the archive that nobody has judged
    judged      what reviewers decided, until it is kept
    refused     the ids of those that were refused and asked for again
    """

    heard: list[str] = []
    open: list[str] = []
    refused: list[str] = []
    judged: list[DocumentJudgement] = []


class Judged(BaseModel):
    """What a process knows of the documents that people judge."""

    application_id: str
    documents: DocumentsState = Field(default_factory=DocumentsState)


class Hits(BaseModel):
    """What was decided on of the screening, and what was heard of its hits since.

    heard   how many judgements were told of; `seen` is how many of them were looked into
    """

    status: ScreeningStatus | None = None
    politically_exposed: bool = False
    heard: int = 0
    seen: int = 0

    @property
    def news(self) -> bool:
        """Whether a hit was judged and nobody has looked what follows from it."""
        return self.heard > self.seen


class OnboardingState(Reviewed, Judged):
    """What the process knows about its applicant. `round` counts how often it was gone through.

    `changes` have yet to be gone through with, `changes_left` may still come.
    list_version, risk   what screening looked at, and what the tables said
    provisioned   how often accounts were made; it numbers their requests
    adverse_actions, appeal_until   what a rejected applicant is told
    """

    round: int = 1
    changes: list[Change] = []
    changes_left: int = 0
    standing: Standing = Field(default_factory=Standing)
    mailing: Mailing | None = None
    confirmation_events: list[str] = []
    session_id: str | None = None
    identity_events: list[str] = []
    failed_reports: list[str] = []
    list_version: str | None = None
    risk: Risk | None = None
    hits: Hits = Field(default_factory=Hits)
    provisioned: int = 0
    adverse_actions: tuple[AdverseAction, ...] = ()
    appeal_until: datetime | None = None
