"""Whose a process is."""

from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import accounts
from database.reconciliation.accounts import NoAccount
from workflows.onboarding.messages import tenant_of
from workflows.reconciliation.messages import account_of_process


async def tenant_of_process(engine: AsyncEngine, process: str) -> str | None:
    """The tenant of a process; None where it is none of ours.

    The ids of onboardings and customers say it, so that people can decide about them while our
    database is down. Of a reconciliation the account knows. Raises DatabaseDown.
    """
    account = account_of_process(process)
    if account is None:
        return tenant_of(process)
    try:
        async with transaction(engine) as connection:
            return (await accounts.of_name(connection, account)).tenant
    except NoAccount:
        return None
