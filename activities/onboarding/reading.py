"""What an effect outside is done with: the application that a request is about."""

from sqlalchemy.ext.asyncio import AsyncEngine

from database import onboardings
from database.connection import statement
from database.onboardings import Application
from workflows.onboarding.messages import ForApplication


async def application_of(engine: AsyncEngine, request: ForApplication) -> Application:
    """The application in the version that the request names. Raises NoApplication, DatabaseDown."""
    async with statement(engine) as connection:
        return await onboardings.application(connection, request.application_id, request.version)
