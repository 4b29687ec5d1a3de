"""Billing by Stripe: customers and their tax ids."""

from typing import Literal

from pydantic import BaseModel

from connectors.capabilities import Sent, Told
from connectors.stripe.api import Row, StripeApi, path_of, read
from connectors.stripe.errors import Missing
from connectors.stripe.marks import KEYS_LIVE, find_marked, marked

CUSTOMERS = path_of("customers")


class _Deleted(BaseModel):
    deleted: Literal[True]


class _Address(BaseModel):
    country: str | None = None


class _Customer(BaseModel):
    deleted: bool = False
    name: str | None = None
    email: str | None = None
    address: _Address | None = None
    metadata: dict[str, str] = {}


class _TaxId(BaseModel):
    id: str
    type: str
    value: str


class StripeBilling:
    """Billing, in the account that the API key belongs to."""

    keys_live = KEYS_LIVE

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def create_customer(
        self, key: str, *, workflow_id: str, name: str, email: str, country: str, currency: str
    ) -> str:
        """Make a customer; the answer is its id.

        Stripe fixes a customer's currency with the first invoice and takes none before: until
        then the wish is kept in the metadata.
        """
        customer = await self._api.post(
            CUSTOMERS,
            Row,
            key=key,
            name=name,
            email=email,
            address={"country": country},
            metadata={**marked(key, workflow_id), "currency": currency},
        )
        return customer.id

    async def find_customer(self, sent: Sent) -> str | None:
        """The customer that was made under this key."""
        return await find_marked(self._api, CUSTOMERS, sent)

    async def look_at_customer(self, customer_id: str) -> Told | None:
        """What is there of a customer; Stripe tells of deleted ones that they are."""
        try:
            customer = await self._api.get(path_of("customers", customer_id), _Customer)
        except Missing:
            return None
        if customer.deleted:
            return None
        return {
            "name": customer.name,
            "email": customer.email,
            "country": customer.address.country if customer.address else None,
            "currency": customer.metadata.get("currency"),
        }

    async def close_customer(self, customer_id: str) -> bool:
        """Mark a customer as closed, in its metadata: Stripe has no state for it.

        Whatever it paid and owes stays with it, and so does its tax id.
        """
        path = path_of("customers", customer_id)
        try:
            await self._api.post_again(path, Row, metadata={"state": "closed"})
        except Missing:
            return False
        return True

    async def delete_customer(self, customer_id: str) -> bool:
        """Delete a customer and its tax ids; False where it was gone."""
        return await self._delete("customers", customer_id)

    async def create_tax_id(self, key: str, *, customer_id: str, type_: str, value: str) -> str:
        """Give a customer a tax id; the answer is its id."""
        path = path_of("customers", customer_id, "tax_ids")
        tax_id = await self._api.post(path, Row, key=key, type=type_, value=value)
        return tax_id.id

    async def find_tax_id(self, *, customer_id: str, type_: str, value: str) -> str | None:
        """The customer's tax id of this type and value; None, too, where the customer is gone.

        A tax id has no metadata, so that only its customer tells whose it is.
        """
        path = path_of("customers", customer_id, "tax_ids")
        try:
            async for row in self._api.listed(path):
                tax_id = read(_TaxId, row)
                if (tax_id.type, tax_id.value) == (type_, value):
                    return tax_id.id
        except Missing:
            return None
        return None

    async def delete_tax_id(self, customer_id: str, tax_id: str) -> bool:
        """Delete a tax id; False where it, or its customer, was gone."""
        return await self._delete("customers", customer_id, "tax_ids", tax_id)

    async def _delete(self, *parts: str) -> bool:
        try:
            await self._api.delete(path_of(*parts), _Deleted)
        except Missing:
            return False
        return True
