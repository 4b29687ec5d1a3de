"""What the systems outside have of a customer, compared with the application.

Values are compared here and go no further: a process hears which fields differ.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.capabilities import Billing, Crm, Directory, Told
from database import onboardings
from database.connection import statement
from workflows.onboarding.life import (
    Compare,
    Compared,
    Difference,
)
from workflows.onboarding.life_policy import Thing
from workflows.onboarding.life_steps import ComparisonSteps
from workflows.step import implements


class ComparisonActivities(ComparisonSteps):
    """Billing, directory and CRM, looked at."""

    def __init__(
        self, engine: AsyncEngine, billing: Billing, directory: Directory, crm: Crm
    ) -> None:
        self._engine = engine
        self._billing = billing
        self._directory = directory
        self._crm = crm

    @implements(ComparisonSteps.compare_billing)
    async def compare_billing(self, request: Compare) -> Compared:
        """The customer; its tax id is looked for where the customer is there."""
        form, customer = await self._form(request), request.accounts.customer_id
        told = await self._billing.look_at_customer(customer)
        wanted = {field: form[field] for field in ("name", "email", "country", "currency")}
        found = _compared("customer", told, wanted)
        tax_id = form.get("tax_id") if request.accounts.has_tax_id else None
        if told is not None and tax_id is not None:
            has = await self._billing.find_tax_id(
                customer_id=customer, type_=tax_id["type"], value=tax_id["value"]
            )
            found += () if has else (Difference(thing="tax_id", how="missing"),)
        return Compared(differences=found)

    @implements(ComparisonSteps.compare_directory)
    async def compare_directory(self, request: Compare) -> Compared:
        """The user; whether it is in the group where it is there."""
        form, accounts = await self._form(request), request.accounts
        told = await self._directory.look_at_user(accounts.user_id)
        wanted = {"name": form["name"], "email": form["email"], "active": "yes"}
        found = _compared("user", told, wanted)
        if told is not None and not await self._directory.is_member(
            group_id=accounts.group_id, user_id=accounts.user_id
        ):
            found += (Difference(thing="membership", how="missing"),)
        return Compared(differences=found)

    @implements(ComparisonSteps.compare_crm)
    async def compare_crm(self, request: Compare) -> Compared:
        """The contact, and the company of a company."""
        form, accounts = await self._form(request), request.accounts
        is_company = form["kind"] == "company"
        wanted = {
            "email": form["email"],
            "country": form["country"],
            "name": None if is_company else form["name"],
            "company": form["name"] if is_company else None,
        }
        told = await self._crm.look_at_contact(accounts.contact_id)
        found = _compared("contact", told, wanted)
        if accounts.company_id is not None:
            of_company = await self._crm.look_at_company(accounts.company_id)
            wanted = {"name": form["name"], "country": form["country"]}
            found += _compared("company", of_company, wanted)
        return Compared(differences=found)

    async def _form(self, request: Compare) -> dict[str, Any]:
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
        return application.form


def _compared(
    thing: Thing, told: Told | None, wanted: dict[str, str | None]
) -> tuple[Difference, ...]:
    """What is not as it should be, of the fields that a system tells."""
    if told is None:
        return (Difference(thing=thing, how="missing"),)
    fields = sorted(
        field
        for field in told.keys() & wanted.keys()
        if _plain(field, told[field]) != _plain(field, wanted[field])
    )
    return (Difference(thing=thing, how="differs", fields=tuple(fields)),) if fields else ()


def _plain(field: str, value: str | None) -> str:
    """A value without what systems change by themselves."""
    text = (value or "").strip()
    return text.casefold() if field == "email" else text
