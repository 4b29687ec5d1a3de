"""Accounts of those whom we invoice ourselves, and their tax ids."""

from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import statement, transaction

# A row that another transaction is just inserting is waited for here, and seen by the next
# statement only.
_OPEN = text("""
    INSERT INTO billing_accounts (key, workflow_id, name, email, country, currency)
    VALUES (:key, :workflow_id, :name, :email, :country, :currency)
    ON CONFLICT (key) DO NOTHING
""")
_SAME_ACCOUNT = text("""
    SELECT number FROM billing_accounts
    WHERE key = :key AND (workflow_id, name, email, country, currency)
        = (:workflow_id, :name, :email, :country, :currency)
""")
_BY_KEY = text("SELECT number FROM billing_accounts WHERE key = :key")
_LOOK_AT = text("""
    SELECT name, email, country, currency FROM billing_accounts WHERE number = :number
""")
_CLOSE = text("""
    UPDATE billing_accounts SET closed_at = coalesce(closed_at, clock_timestamp())
    WHERE number = :number RETURNING number
""")
_DELETE = text("DELETE FROM billing_accounts WHERE number = :number RETURNING number")
_HOLD = text("SELECT number FROM billing_accounts WHERE number = :number FOR KEY SHARE")
_ADD_TAX_ID = text("""
    INSERT INTO billing_tax_ids (key, account, type, value)
    VALUES (:key, :account, :type, :value)
    ON CONFLICT DO NOTHING
""")
_SAME_TAX_ID = text("""
    SELECT id FROM billing_tax_ids
    WHERE key = :key AND (account, type, value) = (:account, :type, :value)
""")
_FIND_TAX_ID = text("""
    SELECT id FROM billing_tax_ids WHERE (account, type, value) = (:account, :type, :value)
""")
_REMOVE_TAX_ID = text("""
    DELETE FROM billing_tax_ids WHERE (account, id) = (:account, :id) RETURNING id
""")


class Accounts:
    """The accounts in our database. Every method raises DatabaseDown."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(
        self, key: str, *, workflow_id: str, name: str, email: str, country: str, currency: str
    ) -> int | None:
        """The number of the account under this key, opened where there is none.

        None where the key stands for another account.
        """
        told = {
            "key": key,
            "workflow_id": workflow_id,
            "name": name,
            "email": email,
            "country": country,
            "currency": currency,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(_OPEN, told)
            number: int | None = await connection.scalar(_SAME_ACCOUNT, told)
            return number

    async def find(self, key: str) -> int | None:
        """The number of the account under this key."""
        async with statement(self._engine) as connection:
            number: int | None = await connection.scalar(_BY_KEY, {"key": key})
            return number

    async def look_at(self, number: int) -> dict[str, str | None] | None:
        """What is there of an account: personal data; None where it is gone."""
        async with statement(self._engine) as connection:
            row = (await connection.execute(_LOOK_AT, {"number": number})).mappings().first()
            return None if row is None else dict(row)

    async def close(self, number: int) -> bool:
        """Keep an account as one that is invoiced no more; False where it was gone."""
        async with statement(self._engine) as connection:
            return await connection.scalar(_CLOSE, {"number": number}) is not None

    async def delete(self, number: int) -> bool:
        """Delete an account and its tax ids; False where it was gone."""
        async with statement(self._engine) as connection:
            return await connection.scalar(_DELETE, {"number": number}) is not None

    async def add_tax_id(
        self, key: str, *, account: int, type_: str, value: str
    ) -> int | Literal["no account", "taken"]:
        """The id of the tax id under this key, added where there is none.

        `taken` where the key stands for another one, or the account has this one under another key.
        """
        told = {"key": key, "account": account, "type": type_, "value": value}
        async with transaction(self._engine) as connection:
            if await connection.scalar(_HOLD, {"number": account}) is None:
                return "no account"
            await connection.execute(_ADD_TAX_ID, told)
            found: int | None = await connection.scalar(_SAME_TAX_ID, told)
            return found if found is not None else "taken"

    async def find_tax_id(self, *, account: int, type_: str, value: str) -> int | None:
        """The id of a tax id of an account."""
        told = {"account": account, "type": type_, "value": value}
        async with statement(self._engine) as connection:
            found: int | None = await connection.scalar(_FIND_TAX_ID, told)
            return found

    async def remove_tax_id(self, *, account: int, tax_id: int) -> bool:
        """Delete a tax id of an account; False where it was gone."""
        async with statement(self._engine) as connection:
            told = {"account": account, "id": tax_id}
            return await connection.scalar(_REMOVE_TAX_ID, told) is not None
