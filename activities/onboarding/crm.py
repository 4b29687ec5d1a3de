"""The customer's contact and company in the CRM."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.onboarding.reading import application_of
from activities.once import Once
from connectors.capabilities import Crm, Sent
from workflows.onboarding.messages import (
    Company,
    Contact,
    CreateCompany,
    CreateContact,
)
from workflows.onboarding.steps import CrmSteps
from workflows.step import Undo, Undone, implements


class CrmActivities(CrmSteps):
    """Contacts and companies in the CRM."""

    def __init__(self, engine: AsyncEngine, crm: Crm) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._crm = crm

    @implements(CrmSteps.create_contact)
    async def create_contact(self, request: CreateContact) -> Contact:
        """Make the contact. Of a company the name is the company's, and no person's."""
        form = (await application_of(self._engine, request)).form
        is_company = form["kind"] == "company"

        async def send(key: str) -> Contact:
            contact_id = await self._crm.create_contact(
                key,
                email=form["email"],
                country=form["country"],
                name=None if is_company else form["name"],
                company=form["name"] if is_company else None,
            )
            return Contact(contact_id=contact_id)

        return await self._once.theirs(request, Contact, send=send, find=self._find_contact)

    @implements(CrmSteps.archive_contact)
    async def archive_contact(self, request: Undo) -> Undone:
        """Archive the contact that we made."""

        async def find(sent: Sent, _: dict[str, Any]) -> Contact | None:
            return await self._find_contact(sent)

        async def remove(contact: Contact) -> None:
            await self._crm.archive_contact(contact.contact_id)

        return await self._once.undo(request, Contact, find=find, remove=remove)

    @implements(CrmSteps.create_company)
    async def create_company(self, request: CreateCompany) -> Company:
        """Make the company."""
        form = (await application_of(self._engine, request)).form

        async def send(key: str) -> Company:
            company_id = await self._crm.create_company(
                key, name=form["name"], country=form["country"]
            )
            return Company(company_id=company_id)

        return await self._once.theirs(request, Company, send=send, find=self._find_company)

    @implements(CrmSteps.archive_company)
    async def archive_company(self, request: Undo) -> Undone:
        """Archive the company that we made."""

        async def find(sent: Sent, _: dict[str, Any]) -> Company | None:
            return await self._find_company(sent)

        async def remove(company: Company) -> None:
            await self._crm.archive_company(company.company_id)

        return await self._once.undo(request, Company, find=find, remove=remove)

    async def _find_contact(self, sent: Sent) -> Contact | None:
        contact_id = await self._crm.find_contact(sent)
        return Contact(contact_id=contact_id) if contact_id else None

    async def _find_company(self, sent: Sent) -> Company | None:
        company_id = await self._crm.find_company(sent)
        return Company(company_id=company_id) if company_id else None
