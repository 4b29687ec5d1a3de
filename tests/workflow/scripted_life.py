"""The outside of a customer, as a test says that it is: what is gone, and what differs there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio import activity

from tests.workflow.scripted import production_policy, refused, signed
from tests.workflow.scripted_documents import ScriptedDocuments
from workflows.onboarding.life import (
    Accounts,
    Approved,
    AskedForProof,
    AskForProof,
    Compare,
    Compared,
    CompareNow,
    Difference,
    LifeState,
    Made,
    Offboarding,
    Paper,
    PutBefore,
    RecordDifference,
    RecordLife,
    RecordProof,
    RecordScreening,
    System,
    TakenUp,
    TakeUp,
)
from workflows.onboarding.life_policy import LifePolicy, Thing
from workflows.onboarding.life_steps import ComparisonSteps, LifeSteps, ProofLetterSteps
from workflows.onboarding.messages import (
    Company,
    Contact,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    Customer,
    JoinGroup,
    Membership,
    TaxId,
    User,
)
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps
from workflows.onboarding.watches.systems import SYSTEM_OF
from workflows.request_key import Request
from workflows.step import implements

MADE = {
    "billing.close_customer": "billing.create_customer",
    "directory.delete_user": "directory.create_user",
    "directory.leave_group": "directory.join_group",
    "crm.archive_contact": "crm.create_contact",
    "crm.archive_company": "crm.create_company",
}
"""What an onboarding made, by what takes it back."""


def life_policy(**changes: object) -> LifePolicy:
    """Production's, with changes."""
    policy = production_policy().life
    assert policy is not None
    return policy.model_copy(update=changes)


class ScriptedLife(ScriptedDocuments, LifeSteps, ComparisonSteps, ProofLetterSteps):
    """Every step of a customer's life, done as the script says.

    gone       what the systems outside have no more; making it anew puts it back
    differing  what is not as in the application, and in which fields
    papers     the documents that expire, as our database has them
    excluded   who may not decide about the customer
    runs       in which runs of the process each key was used
    """

    def __init__(self, life: LifePolicy | None = None) -> None:
        super().__init__(production_policy())
        self.life: LifePolicy | None = life or life_policy()
        self.gone: set[Thing] = set()
        self.differing: dict[Thing, tuple[str, ...]] = {}
        self.compared: list[System] = []
        self.papers: tuple[Paper, ...] = ()
        self.excluded: tuple[str, ...] = ()
        self.found: list[tuple[Thing, str]] = []
        self.asked: list[PutBefore] = []
        self.proofs: list[RecordProof] = []
        self.screenings: list[tuple[str, str]] = []
        self.kept_for: list[timedelta | None] = []
        self.runs: dict[str, set[str]] = {}

    async def _play(self, step: Callable[..., object], request: Request) -> None:
        if request.request_key:
            run = activity.info().workflow_run_id
            assert run is not None
            self.runs.setdefault(request.request_key, set()).add(run)
        await super()._play(step, request)

    def state(self, application: str, tenant: str = "acme") -> LifeState:
        """A customer as an onboarding leaves them to us."""
        onboarding = f"onboarding/{tenant}/{application}"
        made = [Made(undo=undo, of=f"{onboarding}/{step}") for undo, step in MADE.items()]
        self.made |= {one.of: "by the onboarding" for one in made}
        assert self.life is not None
        now = datetime.now(UTC)
        return LifeState(
            application_id=application,
            tenant=tenant,
            since=now,
            proved_at=now,
            policy=self.life,
            budgets=self.policy.budgets,
            accounts=Accounts(
                customer_id="cus_0",
                has_tax_id=True,
                user_id="user_0",
                group_id="group_0",
                contact_id="contact_0",
                company_id="company_0",
            ),
            made=made,
            screening=self.policy.screening,
            list_version="list-1",
        )

    @implements(LifeSteps.take_up)
    async def take_up(self, request: TakeUp) -> TakenUp:
        await self._play(LifeSteps.take_up, request)
        return TakenUp(
            policy=self.life,
            budgets=self.policy.budgets,
            screening=self.policy.screening,
            excluded=self.excluded,
            papers=self.papers,
            round=3,
        )

    @implements(LifeSteps.record_stage)
    async def record_stage(self, request: RecordLife) -> None:  # type: ignore[override]
        await self._play(LifeSteps.record_stage, request)
        if self._first_time(request):
            self.stages.append(request.stage)
            self.kept_for.append(request.keep_for)

    @implements(LifeSteps.record_proof)
    async def record_proof(self, request: RecordProof) -> None:
        await self._play(LifeSteps.record_proof, request)
        if self._first_time(request):
            self.proofs.append(request)

    @implements(LifeSteps.record_difference)
    async def record_difference(self, request: RecordDifference) -> None:
        await self._play(LifeSteps.record_difference, request)
        if self._first_time(request):
            self.found.append((request.difference.thing, request.outcome))

    @implements(LifeSteps.put_before)
    async def put_before(self, request: PutBefore) -> Approved:
        await self._play(LifeSteps.put_before, request)
        if request.generation == 1:
            self.asked.append(request)
            raise refused(f"customer.{request.question}")
        return Approved(go_on=True)

    @implements(LifeSteps.record_screening)
    async def record_screening(self, request: RecordScreening) -> None:
        await self._play(LifeSteps.record_screening, request)
        if self._first_time(request):
            self.screenings.append((request.status, request.list_version))

    @implements(ComparisonSteps.compare_billing)
    async def compare_billing(self, request: Compare) -> Compared:
        await self._play(ComparisonSteps.compare_billing, request)
        return self._compare("billing")

    @implements(ComparisonSteps.compare_directory)
    async def compare_directory(self, request: Compare) -> Compared:
        await self._play(ComparisonSteps.compare_directory, request)
        return self._compare("directory")

    @implements(ComparisonSteps.compare_crm)
    async def compare_crm(self, request: Compare) -> Compared:
        await self._play(ComparisonSteps.compare_crm, request)
        return self._compare("crm")

    def _compare(self, system: System) -> Compared:
        self.compared.append(system)
        gone = [Difference(thing=thing, how="missing") for thing in sorted(self.gone)]
        gone += [
            Difference(thing=thing, how="differs", fields=fields)
            for thing, fields in self.differing.items()
        ]
        return Compared(differences=tuple(one for one in gone if SYSTEM_OF[one.thing] == system))

    @implements(ProofLetterSteps.ask_for_proof)
    async def ask_for_proof(self, request: AskForProof) -> AskedForProof:
        await self._play(ProofLetterSteps.ask_for_proof, request)
        if self._first_time(request):
            self.mails.append(request.request_key)
        return AskedForProof(message_id="<1@example.com>")

    # What is made anew is there again, under an id of its own

    def _anew(self, request: Request, thing: Thing) -> str:
        self.gone.discard(thing)
        return self._make(request, f"{thing}_{request.request_key.rsplit('/', 1)[1]}")

    @implements(BillingSteps.create_customer)
    async def create_customer(self, request: CreateCustomer) -> Customer:
        await self._play(BillingSteps.create_customer, request)
        return Customer(customer_id=self._anew(request, "customer"))

    @implements(BillingSteps.create_tax_id)
    async def create_tax_id(self, request: CreateTaxId) -> TaxId:
        await self._play(BillingSteps.create_tax_id, request)
        return TaxId(tax_id=self._anew(request, "tax_id"), customer_id=request.customer_id)

    @implements(DirectorySteps.create_user)
    async def create_user(self, request: CreateUser) -> User:
        await self._play(DirectorySteps.create_user, request)
        return User(user_id=self._anew(request, "user"))

    @implements(DirectorySteps.join_group)
    async def join_group(self, request: JoinGroup) -> Membership:
        await self._play(DirectorySteps.join_group, request)
        return Membership(group_id=self._anew(request, "membership"), user_id=request.user_id)

    @implements(CrmSteps.create_contact)
    async def create_contact(self, request: CreateContact) -> Contact:
        await self._play(CrmSteps.create_contact, request)
        return Contact(contact_id=self._anew(request, "contact"))

    @implements(CrmSteps.create_company)
    async def create_company(self, request: CreateCompany) -> Company:
        await self._play(CrmSteps.create_company, request)
        return Company(company_id=self._anew(request, "company"))


def offboarding(reason: str = "their contract has ended") -> Offboarding:
    return Offboarding(reason=reason, by=signed(str(uuid4())))


def compare_now(reason: str = "asked by support") -> CompareNow:
    return CompareNow(reason=reason, by=signed(str(uuid4())))
