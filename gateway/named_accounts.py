"""Reconciliation accounts as callers name them."""

from typing import Annotated

from fastapi import Depends, Path
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import accounts
from database.reconciliation.accounts import Account, NoAccount
from gateway.callers import Caller
from gateway.problems import FieldError, Problem, not_found
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


async def must_be_there(connection: AsyncConnection, name: str | None, tenant: str | None) -> None:
    """What a list is asked of is an account of this tenant's, or of any. Raises Problem (404).

    An empty list would say that all is well, of an account that is only misspelt.
    """
    if name is None:
        return
    try:
        account = await accounts.of_name(connection, name)
    except NoAccount:
        account = None
    if account is None or tenant not in (None, account.tenant):
        unknown = FieldError(field="account", message="names no account of this tenant's")
        raise Problem(404, "not-found", not_found("account").detail, errors=[unknown])
