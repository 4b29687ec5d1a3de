"""The applicant's address: the mail with the link, and whether it was confirmed."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.letters import Letters
from activities.once import Once
from database import confirmations, onboardings
from database.connection import statement
from database.onboardings import NoApplication
from workflows.onboarding.confirmation import (
    ConfirmationStatus,
    ConfirmationSteps,
    OpenConfirmation,
    OpenedConfirmation,
    ReadConfirmation,
    SendConfirmation,
)
from workflows.onboarding.confirmation_link import Link, LinkSeals
from workflows.onboarding.messages import Letter
from workflows.step import implements


class ConfirmationActivities(ConfirmationSteps):
    """Confirmations. `page` is where links lead to: the token comes after it and a slash."""

    def __init__(
        self, engine: AsyncEngine, letters: Letters, seals: LinkSeals, *, page: str
    ) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._letters = letters
        self._seals = seals
        self._page = page.rstrip("/")

    @implements(ConfirmationSteps.open)
    async def open(self, request: OpenConfirmation) -> OpenedConfirmation:
        """Note until when the next link holds.

        The ledger keeps the time: whoever asks again, even a process that was reset, hears the
        same, and the mail that rests on it stays the same.
        """

        async def note(connection: AsyncConnection) -> OpenedConfirmation:
            until = await confirmations.opened(
                connection, request.application_id, request.version, seconds=request.link_seconds
            )
            if until is None:
                raise NoApplication(f"there is no application {request.application_id}")
            return OpenedConfirmation(until=until)

        return await self._once.ours(request, note, OpenedConfirmation)

    @implements(ConfirmationSteps.send)
    async def send(self, request: SendConfirmation) -> Letter:
        """Send the mail. The link is a secret of the applicant: it is in the mail and nowhere else.

        Where the same mail goes out a second time, its link is the same, too.
        """
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
        form = application.form
        link = Link(application.id, application.version, request.until)
        until = datetime.fromtimestamp(request.until, UTC)
        return await self._letters.send(
            request,
            to=form["email"],
            subject="Confirm your e-mail address",
            # Nobody knows yet whose address it is: no word of the applicant's goes there.
            text=(
                "Hello,\n\n"
                "please confirm that this is your e-mail address. Open this page and press\n"
                "the button:\n\n"
                f"{self._page}/{self._seals.token(link, form['email'])}\n\n"
                f"The link can be used until {until:%Y-%m-%d %H:%M} UTC.\n\n"
                "If you have not applied with us, do nothing: nobody else can use this link.\n"
            ),
        )

    @implements(ConfirmationSteps.read)
    async def read(self, request: ReadConfirmation) -> ConfirmationStatus:
        """Look whether the address is confirmed that the version names."""
        async with statement(self._engine) as connection:
            confirmed = await confirmations.is_confirmed(
                connection, request.application_id, request.version
            )
        return ConfirmationStatus(confirmed=confirmed)
