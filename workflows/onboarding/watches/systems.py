"""The systems outside have what they should have of a customer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workflows.onboarding.life import (
    Compare,
    Compared,
    Difference,
    RecordDifference,
    System,
)
from workflows.onboarding.life_policy import Thing
from workflows.onboarding.life_steps import ComparisonSteps, LifeSteps
from workflows.onboarding.messages import (
    Company,
    Contact,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    JoinGroup,
    Membership,
    TaxId,
    User,
)
from workflows.onboarding.messages import (
    Customer as CustomerInBilling,
)
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps
from workflows.onboarding.watches.customer import Customer

# Any: `self` of whoever implements the steps.
COMPARISONS: Mapping[System, Callable[[Any, Compare], Awaitable[Compared]]] = {
    "billing": ComparisonSteps.compare_billing,
    "directory": ComparisonSteps.compare_directory,
    "crm": ComparisonSteps.compare_crm,
}
SYSTEM_OF: Mapping[Thing, System] = {
    "customer": "billing",
    "tax_id": "billing",
    "user": "directory",
    "membership": "directory",
    "contact": "crm",
    "company": "crm",
}
NOT_SEEN = Compared(seen=False)


class ComparingSystems(Customer):
    """A customer whose accounts are compared with the application, and put right."""

    async def compare(self, system: System, number: int) -> None:
        """Compare one system, in the comparison of that number, and settle what differs."""
        compared = await self._look(system)
        if not compared.seen:
            return
        # What agrees again, and then differs once more, is news.
        self.state.left = [
            one
            for one in self.state.left
            if SYSTEM_OF[one.thing] != system or one in compared.differences
        ]
        for difference in compared.differences:
            if difference not in self.state.left:
                await self._settle(difference, number)

    async def _look(self, system: System) -> Compared:
        """What a system has. Only one that gives no answer again and again is worth a person."""
        request = Compare(
            application_id=self.id, accounts=self.state.accounts, version=self.version
        )
        before = self.state.unseen.pop(system, 0)
        if before + 1 < self.state.policy.unseen:
            compared = await self.glance(COMPARISONS[system], request)
            if compared is None:
                self.state.unseen[system] = before + 1
                return NOT_SEEN
            return compared
        return await self.step(COMPARISONS[system], request, if_skipped=NOT_SEEN)

    async def _settle(self, difference: Difference, number: int) -> None:
        """Have it right again, by ourselves where the policy says so; or leave it, if told to."""
        thing, part = difference.thing, f"{difference.thing}-{number}"
        if difference.how == "differs":
            mended = await self.ask("mend", part, difference)
            await self._settled(difference, "mended" if mended else "left", part)
            # What somebody says is right again is looked at.
            self.state.compare_asked = self.state.compare_asked or mended
            return
        sure = thing in self.state.policy.repairs or await self.ask("repair", part, difference)
        repaired = sure and await self._make_anew(thing)
        await self._settled(difference, "repaired" if repaired else "left", part)

    async def _settled(self, difference: Difference, outcome: str, part: str) -> None:
        if outcome == "left":
            self.state.left.append(difference)
        kept = RecordDifference.model_validate(
            {"application_id": self.id, "difference": difference, "outcome": outcome}
        )
        await self.step(LifeSteps.record_difference, kept, part=part)

    async def _make_anew(self, thing: Thing) -> bool:
        """Make what is gone once more, under a key of its own; False where that was skipped.

        A request that parked has the same key in the next run: it is counted when it is over.
        """
        number = self.state.repaired.get(thing, 0) + 1
        made = await self._MAKING[thing](self, f"repair-{number}")
        self.state.repaired[thing] = number
        return made

    async def _make_customer(self, part: str) -> bool:
        before = self.state.accounts
        made = await self.step(
            BillingSteps.create_customer,
            CreateCustomer(application_id=self.id),
            part=part,
            undo=BillingSteps.close_customer,
            if_skipped=CustomerInBilling(customer_id=before.customer_id),
        )
        self._now(customer_id=made.customer_id)
        if made.customer_id == before.customer_id:
            return False
        return not before.has_tax_id or await self._make_anew("tax_id")

    async def _make_tax_id(self, part: str) -> bool:
        customer = self.state.accounts.customer_id
        made = await self.step(
            BillingSteps.create_tax_id,
            CreateTaxId(application_id=self.id, customer_id=customer),
            part=part,
            if_skipped=TaxId(tax_id=None, customer_id=customer),
        )
        return made.tax_id is not None

    async def _make_user(self, part: str) -> bool:
        before = self.state.accounts.user_id
        made = await self.step(
            DirectorySteps.create_user,
            CreateUser(application_id=self.id),
            part=part,
            undo=DirectorySteps.delete_user,
            if_skipped=User(user_id=before),
        )
        self._now(user_id=made.user_id)
        return made.user_id != before and await self._make_anew("membership")

    async def _make_membership(self, part: str) -> bool:
        user = self.state.accounts.user_id
        made = await self.step(
            DirectorySteps.join_group,
            JoinGroup(application_id=self.id, user_id=user),
            part=part,
            undo=DirectorySteps.leave_group,
            if_skipped=Membership(group_id="", user_id=user),
        )
        if made.group_id:
            self._now(group_id=made.group_id)
        return bool(made.group_id)

    async def _make_contact(self, part: str) -> bool:
        before = self.state.accounts.contact_id
        made = await self.step(
            CrmSteps.create_contact,
            CreateContact(application_id=self.id),
            part=part,
            undo=CrmSteps.archive_contact,
            if_skipped=Contact(contact_id=before),
        )
        self._now(contact_id=made.contact_id)
        return made.contact_id != before

    async def _make_company(self, part: str) -> bool:
        before = self.state.accounts.company_id
        made = await self.step(
            CrmSteps.create_company,
            CreateCompany(application_id=self.id),
            part=part,
            undo=CrmSteps.archive_company,
            if_skipped=Company(company_id=before or ""),
        )
        self._now(company_id=made.company_id or None)
        return made.company_id != before

    def _now(self, **ids: str | None) -> None:
        self.state.accounts = self.state.accounts.model_copy(update=ids)

    _MAKING: Mapping[Thing, Callable[["ComparingSystems", str], Awaitable[bool]]] = {
        "customer": _make_customer,
        "tax_id": _make_tax_id,
        "user": _make_user,
        "membership": _make_membership,
        "contact": _make_contact,
        "company": _make_company,
    }
