"""The customer's account in billing."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.onboarding.reading import application_of
from activities.once import Once
from connectors.capabilities import Billing, Sent
from database.onboardings import Application
from workflows.onboarding.messages import CreateCustomer, CreateTaxId, Customer, TaxId
from workflows.onboarding.steps import BillingSteps
from workflows.step import Undo, Undone, implements


class BillingActivities(BillingSteps):
    """Customers and tax ids in billing."""

    def __init__(self, engine: AsyncEngine, billing: Billing) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._billing = billing

    @implements(BillingSteps.create_customer)
    async def create_customer(self, request: CreateCustomer) -> Customer:
        """Make the customer."""
        application = await application_of(self._engine, request)
        form = application.form

        async def send(key: str) -> Customer:
            customer_id = await self._billing.create_customer(
                key,
                workflow_id=application.workflow_id,
                name=form["name"],
                email=form["email"],
                country=form["country"],
                currency=form["currency"],
            )
            return Customer(customer_id=customer_id)

        return await self._once.theirs(
            request, Customer, send=send, find=self._find, keys_live=self._billing.keys_live
        )

    @implements(BillingSteps.delete_customer)
    async def delete_customer(self, request: Undo) -> Undone:
        """Delete the customer that we made."""

        async def find(sent: Sent, _: dict[str, Any]) -> Customer | None:
            return await self._find(sent)

        async def remove(customer: Customer) -> bool:
            return await self._billing.delete_customer(customer.customer_id)

        return await self._once.undo(request, Customer, find=find, remove=remove)

    @implements(BillingSteps.close_customer)
    async def close_customer(self, request: Undo) -> Undone:
        """Keep the customer that we made as one who is one no more."""

        async def find(sent: Sent, _: dict[str, Any]) -> Customer | None:
            return await self._find(sent)

        async def remove(customer: Customer) -> bool:
            return await self._billing.close_customer(customer.customer_id)

        return await self._once.undo(request, Customer, find=find, remove=remove)

    @implements(BillingSteps.create_tax_id)
    async def create_tax_id(self, request: CreateTaxId) -> TaxId:
        """Give the customer its tax id."""
        application = await application_of(self._engine, request)
        tax_id = application.form.get("tax_id")

        async def send(key: str) -> TaxId:
            if tax_id is None:  # a correction took it out
                return TaxId(tax_id=None, customer_id=request.customer_id)
            made = await self._billing.create_tax_id(
                key, customer_id=request.customer_id, type_=tax_id["type"], value=tax_id["value"]
            )
            return TaxId(tax_id=made, customer_id=request.customer_id)

        async def find(_: Sent) -> TaxId | None:
            return await self._find_tax_id(application, request.customer_id)

        return await self._once.theirs(
            request, TaxId, send=send, find=find, keys_live=self._billing.keys_live
        )

    @implements(BillingSteps.delete_tax_id)
    async def delete_tax_id(self, request: Undo) -> Undone:
        """Delete the tax id that we made."""

        async def find(_: Sent, asked: dict[str, Any]) -> TaxId | None:
            made = CreateTaxId.model_validate(asked)
            application = await application_of(self._engine, made)
            return await self._find_tax_id(application, made.customer_id)

        async def remove(tax_id: TaxId) -> bool:
            if tax_id.tax_id is None:
                return False
            return await self._billing.delete_tax_id(tax_id.customer_id, tax_id.tax_id)

        return await self._once.undo(request, TaxId, find=find, remove=remove)

    async def _find(self, sent: Sent) -> Customer | None:
        customer_id = await self._billing.find_customer(sent)
        return Customer(customer_id=customer_id) if customer_id else None

    async def _find_tax_id(self, application: Application, customer_id: str) -> TaxId | None:
        # A tax id carries no key, but it hangs on a customer that we alone made.
        tax_id = application.form.get("tax_id")
        if tax_id is None:
            return None
        found = await self._billing.find_tax_id(
            customer_id=customer_id, type_=tax_id["type"], value=tax_id["value"]
        )
        return TaxId(tax_id=found, customer_id=customer_id) if found else None
