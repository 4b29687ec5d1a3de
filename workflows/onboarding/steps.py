"""What an onboarding needs done. The room of activities says how."""

from abc import ABC, abstractmethod

from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.messages import (
    Company,
    Contact,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    Customer,
    ForApplication,
    IdentityStatus,
    JoinGroup,
    Letter,
    Membership,
    OpenSession,
    ReadSession,
    Received,
    RecordStage,
    Reject,
    Session,
    TaxId,
    User,
    Validate,
    Validated,
    Welcome,
)
from workflows.onboarding.review import (
    CloseReview,
    OfReview,
    OpenedReview,
    OpenReview,
    RemindOfReview,
)
from workflows.step import Undo, Undone, step


class ApplicationSteps(ABC):
    """What is done with the application in our own database."""

    @step("local", "application.receive", "Take up the application")
    @abstractmethod
    async def receive(self, request: ForApplication) -> Received:
        """Take the application up under the policy of today."""

    @step("local", "application.validate", "Validate the application")
    @abstractmethod
    async def validate(self, request: Validate) -> Validated:
        """Check what only we can know: countries, currencies and tax ids that we serve."""

    @step("local", "application.decide", "Decide")
    @abstractmethod
    async def decide(self, request: Decide) -> Decided:
        """Decide by rule, and keep the decision with what it rests on."""

    @step("local", "application.record_stage", "Keep the stage")
    @abstractmethod
    async def record_stage(self, request: RecordStage) -> None:
        """Keep the stage where lists are made from, and in the audit trail."""


class IdentitySteps(ABC):
    """Who the applicant is."""

    @step("remote", "identity.open_session", "Open the identity session")
    @abstractmethod
    async def open_session(self, request: OpenSession) -> Session:
        """Open a session in which the applicant proves who they are."""

    @step("read", "identity.read_session", "Read the identity session")
    @abstractmethod
    async def read_session(self, request: ReadSession) -> IdentityStatus:
        """Ask how the session stands now."""

    @step(
        "remote", "identity.close_session", "Close the identity session and erase what it collected"
    )
    @abstractmethod
    async def close_session(self, request: Undo) -> Undone:
        """Close the session that was opened under the key `of`."""


class BillingSteps(ABC):
    """The customer's account in billing."""

    @step("remote", "billing.create_customer", "Create the customer in billing")
    @abstractmethod
    async def create_customer(self, request: CreateCustomer) -> Customer:
        """Make the customer."""

    @step("remote", "billing.delete_customer", "Delete the customer in billing")
    @abstractmethod
    async def delete_customer(self, request: Undo) -> Undone:
        """Delete the customer that was made under the key `of`."""

    @step("remote", "billing.close_customer", "Close the customer in billing")
    @abstractmethod
    async def close_customer(self, request: Undo) -> Undone:
        """Keep the customer that was made under the key `of` as one who is one no more."""

    @step("remote", "billing.create_tax_id", "Give the customer its tax id in billing")
    @abstractmethod
    async def create_tax_id(self, request: CreateTaxId) -> TaxId:
        """Give the customer its tax id."""

    @step("remote", "billing.delete_tax_id", "Delete the tax id in billing")
    @abstractmethod
    async def delete_tax_id(self, request: Undo) -> Undone:
        """Delete the tax id that was made under the key `of`."""


class DirectorySteps(ABC):
    """Who of the customer may sign in."""

    @step("remote", "directory.create_user", "Create the user in the directory")
    @abstractmethod
    async def create_user(self, request: CreateUser) -> User:
        """Make the user, unless the directory has another with the same e-mail address."""

    @step("remote", "directory.delete_user", "Delete the user in the directory")
    @abstractmethod
    async def delete_user(self, request: Undo) -> Undone:
        """Delete the user that was made under the key `of`."""

    @step("remote", "directory.join_group", "Put the user into the tenant's group")
    @abstractmethod
    async def join_group(self, request: JoinGroup) -> Membership:
        """Put the user into the group of the tenant's customers, which the first of them makes."""

    @step("remote", "directory.leave_group", "Take the user out of the tenant's group")
    @abstractmethod
    async def leave_group(self, request: Undo) -> Undone:
        """Take the user out of the group that was joined under the key `of`."""


class CrmSteps(ABC):
    """Whom sales and support talk to."""

    @step("remote", "crm.create_contact", "Create the contact in the CRM")
    @abstractmethod
    async def create_contact(self, request: CreateContact) -> Contact:
        """Make the contact, unless the CRM has another with the same e-mail address."""

    @step("remote", "crm.archive_contact", "Archive the contact in the CRM")
    @abstractmethod
    async def archive_contact(self, request: Undo) -> Undone:
        """Archive the contact that was made under the key `of`."""

    @step("remote", "crm.create_company", "Create the company in the CRM")
    @abstractmethod
    async def create_company(self, request: CreateCompany) -> Company:
        """Make the company."""

    @step("remote", "crm.archive_company", "Archive the company in the CRM")
    @abstractmethod
    async def archive_company(self, request: Undo) -> Undone:
        """Archive the company that was made under the key `of`."""


class NoticeSteps(ABC):
    """What applicants and customers are told."""

    @step("remote", "notice.welcome", "Send the welcome mail")
    @abstractmethod
    async def welcome(self, request: Welcome) -> Letter:
        """Send the welcome mail."""

    @step("remote", "notice.reject", "Tell the applicant that the answer is no")
    @abstractmethod
    async def reject(self, request: Reject) -> Letter:
        """Send the letter with the codes in words, and how to appeal."""


class ReviewSteps(ABC):
    """What a review needs done."""

    @step("local", "review.open", "Open the review")
    @abstractmethod
    async def open_review(self, request: OpenReview) -> OpenedReview:
        """Put the application into the queue, with the times that its terms come to."""

    @step("remote", "review.remind", "Remind the reviewers")
    @abstractmethod
    async def remind(self, request: RemindOfReview) -> None:
        """One mail to those in whose queue the review is."""

    @step("local", "review.escalate", "Put the review before senior reviewers")
    @abstractmethod
    async def escalate(self, request: OfReview) -> None:
        """Move the review to the senior reviewers' queue."""

    @step("local", "review.close", "Close the review")
    @abstractmethod
    async def close(self, request: CloseReview) -> None:
        """Take the review out of the queue, and keep how it ended."""
