"""What a customer's life needs done. The room of activities says how."""

from abc import ABC, abstractmethod

from workflows.onboarding.life import (
    Approved,
    AskedForProof,
    AskForProof,
    Compare,
    Compared,
    PutBefore,
    RecordDifference,
    RecordLife,
    RecordProof,
    RecordScreening,
    TakenUp,
    TakeUp,
)
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps, IdentitySteps
from workflows.step import declaration_of, step

TAKEN_BACK = {
    declaration_of(one).name: one
    for one in (
        BillingSteps.close_customer,
        DirectorySteps.delete_user,
        DirectorySteps.leave_group,
        CrmSteps.archive_contact,
        CrmSteps.archive_company,
        IdentitySteps.close_session,
    )
}
"""What takes something of a customer back when they leave."""


class LifeSteps(ABC):
    """What is done about a customer in our own database, and by a person."""

    @step("local", "life.take_up", "Take up the customer and the policy of today")
    @abstractmethod
    async def take_up(self, request: TakeUp) -> TakenUp:
        """Keep what lists show of a customer; answer what holds for them now."""

    @step("local", "life.record_stage", "Keep the stage")
    @abstractmethod
    async def record_stage(self, request: RecordLife) -> None:
        """Keep the stage where lists are made from, and in the audit trail."""

    @step("local", "life.record_proof", "Keep since when the proof of identity is good")
    @abstractmethod
    async def record_proof(self, request: RecordProof) -> None:
        """Keep it where lists are made from, and in the audit trail."""

    @step("local", "life.record_screening", "Keep what came of the screening")
    @abstractmethod
    async def record_screening(self, request: RecordScreening) -> None:
        """Keep it where lists are made from, and in the audit trail."""

    @step("local", "life.record_difference", "Keep what was found and what became of it")
    @abstractmethod
    async def record_difference(self, request: RecordDifference) -> None:
        """A line in the audit trail."""

    @step("read", "life.put_before", "Have somebody decide", near=True)
    @abstractmethod
    async def put_before(self, request: PutBefore) -> Approved:
        """Fails, and so parks, until somebody had it tried again: then it is a yes."""


class ComparisonSteps(ABC):
    """The systems outside, compared with the application. Nothing is changed there."""

    @step("read", "billing.compare", "Compare billing with what should be there")
    @abstractmethod
    async def compare_billing(self, request: Compare) -> Compared:
        """The customer and its tax id."""

    @step("read", "directory.compare", "Compare the directory with what should be there")
    @abstractmethod
    async def compare_directory(self, request: Compare) -> Compared:
        """The user and its place in the group."""

    @step("read", "crm.compare", "Compare the CRM with what should be there")
    @abstractmethod
    async def compare_crm(self, request: Compare) -> Compared:
        """The contact and the company."""


class ProofLetterSteps(ABC):
    """What customers are told about their proof of identity."""

    @step("remote", "notice.ask_for_proof", "Ask for a proof of identity by mail")
    @abstractmethod
    async def ask_for_proof(self, request: AskForProof) -> AskedForProof:
        """Send the mail."""
