"""The stage in which a customer gets their accounts in three systems."""

from workflows.onboarding.life import Accounts
from workflows.onboarding.messages import (
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    JoinGroup,
    Membership,
    Received,
)
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps

_ACCOUNTS = (
    BillingSteps.delete_customer,
    BillingSteps.delete_tax_id,
    DirectorySteps.delete_user,
    DirectorySteps.leave_group,
    CrmSteps.archive_contact,
    CrmSteps.archive_company,
)


class Provisioning(Onboarding):
    """An onboarding that makes accounts, and takes them back where it ends with nothing left."""

    async def provision(self, received: Received) -> Accounts:
        """Billing, directory and CRM at the same time."""
        self.state.provisioned += 1
        customer_id, membership, (contact_id, company_id) = await self.together(
            self.provision_billing(received),
            self.provision_directory(),
            self.provision_crm(received),
        )
        return Accounts(
            customer_id=customer_id,
            has_tax_id=received.has_tax_id,
            user_id=membership.user_id,
            group_id=membership.group_id,
            contact_id=contact_id,
            company_id=company_id,
        )

    async def take_accounts_back(self) -> None:
        """Take back what was made, the last first, where it is to be decided about once more."""
        made = [one for one in self._conduct.undos if one.method in _ACCOUNTS]
        for one in reversed(made):
            await self._take_back(one)
            self.check_interruption()

    @property
    def every_system_refused(self) -> bool:
        """Whether all that was asked for is refused, and waits: no system has the customer."""
        asked = {one.of for one in self._conduct.undos if one.method in _ACCOUNTS}
        made = [one for one in self._conduct.steps.values() if one.key in asked]
        return bool(made) and all(one.parked and one.parked.refused_generation for one in made)

    @property
    def _part(self) -> str:
        """What tells the requests of this time from those that were taken back."""
        times = self.state.provisioned
        return "" if times == 1 else f"again-{times - 1}"

    async def provision_billing(self, received: Received) -> str:
        """The account that invoices are written for; its id."""
        customer = await self.step(
            BillingSteps.create_customer,
            CreateCustomer(application_id=self.applicant),
            part=self._part,
            undo=BillingSteps.delete_customer,
        )
        if received.has_tax_id:
            await self.step(
                BillingSteps.create_tax_id,
                CreateTaxId(application_id=self.applicant, customer_id=customer.customer_id),
                part=self._part,
                undo=BillingSteps.delete_tax_id,
            )
        return customer.customer_id

    async def provision_directory(self) -> Membership:
        """The user that signs in, in the group of the tenant's customers."""
        user = await self.step(
            DirectorySteps.create_user,
            CreateUser(application_id=self.applicant),
            part=self._part,
            undo=DirectorySteps.delete_user,
        )
        return await self.step(
            DirectorySteps.join_group,
            JoinGroup(application_id=self.applicant, user_id=user.user_id),
            part=self._part,
            undo=DirectorySteps.leave_group,
        )

    async def provision_crm(self, received: Received) -> tuple[str, str | None]:
        """The contact that sales and support know, and their company; the ids of both."""
        contact = await self.step(
            CrmSteps.create_contact,
            CreateContact(application_id=self.applicant),
            part=self._part,
            undo=CrmSteps.archive_contact,
        )
        if not received.is_company:
            return contact.contact_id, None
        company = await self.step(
            CrmSteps.create_company,
            CreateCompany(application_id=self.applicant),
            part=self._part,
            undo=CrmSteps.archive_company,
        )
        return contact.contact_id, company.company_id
