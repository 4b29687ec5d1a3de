"""Reconciliation accounts as callers name them."""

from typing import Annotated

from fastapi import Depends, Path
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import accounts
from database.reconciliation.accounts import Account, NoAccount
from gateway.callers import Caller
from gateway.problems import not_found
from workflows.reconciliation.payments import ACCOUNT_NAME


def known_name(
    account: Annotated[str, Path(json_schema_extra={"pattern": ACCOUNT_NAME.pattern})],
) -> str:
    """A name that an account may have. Raises Problem (404)."""
    if not ACCOUNT_NAME.fullmatch(account):
        raise not_found("account")
    return account


KnownAccount = Annotated[str, Depends(known_name)]


async def account_of(connection: AsyncConnection, caller: Caller, name: str) -> Account:
    """The account of this name, if it is one of the caller's. Raises Problem (404)."""
    try:
        account = await accounts.of_name(connection, name)
    except NoAccount:
        raise not_found("account") from None
    if not caller.may_see(account.tenant):
        raise not_found("account")
    return account
