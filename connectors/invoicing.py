"""Billing by invoice: accounts in books of our own, and nobody is charged.

The books are given: they are in our database, of which connectors know nothing. Where it does not
answer, its own error goes on: that is our outage and nobody else's.
"""

import re
from datetime import timedelta
from typing import Literal, Protocol

from connectors.capabilities import Sent, Told
from connectors.errors import Refused

# Their form only: nobody is asked whether they were given out.
_EU_VAT = re.compile(r"(?=.*\d)[A-Z]{2}[0-9A-Z+*]{2,12}")
_NUMBER = re.compile(r"(?=(.*\d){5})[0-9A-Z]{5,30}")
# The greatest is that of a bigint.
_ID = re.compile(r"[1-9][0-9]{0,17}")


class Accounts(Protocol):
    """The books: each method is one transaction."""

    async def open(
        self, key: str, *, workflow_id: str, name: str, email: str, country: str, currency: str
    ) -> int | None:
        """The number of the account under this key; None where the key stands for another."""

    async def find(self, key: str) -> int | None:
        """The number of the account under this key."""

    async def look_at(self, number: int) -> Told | None:
        """What is there of an account; None where it is gone."""

    async def close(self, number: int) -> bool:
        """Keep an account as one that is invoiced no more; False where it was gone."""

    async def delete(self, number: int) -> bool:
        """Delete an account and its tax ids; False where it was gone."""

    async def add_tax_id(
        self, key: str, *, account: int, type_: str, value: str
    ) -> int | Literal["no account", "taken"]:
        """The id of the tax id under this key."""

    async def find_tax_id(self, *, account: int, type_: str, value: str) -> int | None:
        """The id of a tax id of an account."""

    async def remove_tax_id(self, *, account: int, tax_id: int) -> bool:
        """Delete a tax id of an account; False where it was gone."""


class InvoiceBilling:
    """Billing, in accounts whose numbers are the customers' numbers."""

    keys_live = timedelta.max
    """A key is kept with its account, for as long as that is there."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def create_customer(
        self, key: str, *, workflow_id: str, name: str, email: str, country: str, currency: str
    ) -> str:
        """Open an account; the answer is its number. Raises Refused (`billing.conflict`)."""
        number = await self._accounts.open(
            key,
            workflow_id=workflow_id,
            name=_storable(name),
            email=_storable(email),
            country=country,
            currency=currency,
        )
        if number is None:
            raise Refused("billing.conflict", "the key was used for another account")
        return str(number)

    async def find_customer(self, sent: Sent) -> str | None:
        """The number of the account that was opened under this key."""
        number = await self._accounts.find(sent.key)
        return None if number is None else str(number)

    async def look_at_customer(self, customer_id: str) -> Told | None:
        """What is there of an account."""
        return await self._accounts.look_at(int(customer_id)) if _is_id(customer_id) else None

    async def close_customer(self, customer_id: str) -> bool:
        """Keep an account as one that is invoiced no more; False where it was gone."""
        return _is_id(customer_id) and await self._accounts.close(int(customer_id))

    async def delete_customer(self, customer_id: str) -> bool:
        """Delete an account and its tax ids; False where it was gone."""
        return _is_id(customer_id) and await self._accounts.delete(int(customer_id))

    async def create_tax_id(self, key: str, *, customer_id: str, type_: str, value: str) -> str:
        """Give an account a tax id; the answer is its id.

        Raises Refused (`billing.invalid_request`, `billing.missing`, `billing.conflict`).
        """
        number = re.sub(r"[ ./-]", "", value.upper())
        if not (_EU_VAT if type_ == "eu_vat" else _NUMBER).fullmatch(number):
            raise Refused("billing.invalid_request", "the tax id has not the form of its type")
        added: int | str = "no account"
        if _is_id(customer_id):
            added = await self._accounts.add_tax_id(
                key, account=int(customer_id), type_=type_, value=value
            )
        if added == "no account":
            raise Refused("billing.missing", "there is no such account")
        if added == "taken":
            raise Refused("billing.conflict", "the account has the tax id under another key")
        return str(added)

    async def find_tax_id(self, *, customer_id: str, type_: str, value: str) -> str | None:
        """The account's tax id of this type and value; None, too, where the account is gone."""
        if not _is_id(customer_id):
            return None
        found = await self._accounts.find_tax_id(account=int(customer_id), type_=type_, value=value)
        return None if found is None else str(found)

    async def delete_tax_id(self, customer_id: str, tax_id: str) -> bool:
        """Delete a tax id; False where it, or its account, was gone."""
        return (
            _is_id(customer_id)
            and _is_id(tax_id)
            and await self._accounts.remove_tax_id(account=int(customer_id), tax_id=int(tax_id))
        )


def _is_id(text: str) -> bool:
    """Whether this can be a number of ours; what cannot is not there."""
    return _ID.fullmatch(text) is not None


def _storable(text: str) -> str:
    """The text, where a database can keep it. Raises Refused (`billing.invalid_request`)."""
    if re.search(r"[\x00\ud800-\udfff]", text):
        raise Refused("billing.invalid_request", "the application cannot be kept as text")
    return text
