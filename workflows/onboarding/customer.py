"""What the gateway answers about customers: the words of the HTTP API."""

from datetime import datetime

from workflows.onboarding.application import Answer, Application
from workflows.onboarding.life import LifeStage
from workflows.onboarding.rules import Risk
from workflows.progress import Progress


class ListedCustomer(Answer):
    """A customer; `id` is that of the onboarding that they came by.

    `reverify_at` is when their proof of identity is good no more. `compared_at` is when the systems
    outside were last compared. Of somebody who left, what is kept is kept until `keep_until`.
    """

    id: str
    workflow_id: str
    tenant: str
    stage: LifeStage
    stage_since: datetime
    since: datetime
    risk: Risk
    proved_at: datetime
    reverify_at: datetime
    compared_at: datetime | None
    left_at: datetime | None
    keep_until: datetime | None


class CustomerInFull(ListedCustomer):
    """A customer with their application and, while they are one, the progress of what is done.

    `identity_link` is where the customer proves who they are: send them there while it is set, and
    nobody else. It expires after 48 hours or one attempt: ask for it when you need it.
    """

    version: int
    identity_link: str | None = None
    application: Application
    progress: Progress | None


class CustomerPage(Answer):
    """Customers, the newest first; `next` is the cursor of the page after, empty at the end."""

    items: list[ListedCustomer]
    next: str | None


class Offboarded(Answer):
    """Where an offboarding stands; `stopping` is empty once everything is taken back."""

    id: str
    stage: str
    stopping: str | None
