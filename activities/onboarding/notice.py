"""What customers are told."""

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.onboarding.reading import application_of
from activities.once import Once
from connectors.capabilities import Mail
from workflows.onboarding.messages import Letter, Welcome
from workflows.onboarding.steps import NoticeSteps
from workflows.request_key import message_id
from workflows.step import implements


class NoticeActivities(NoticeSteps):
    """Letters to customers."""

    def __init__(self, engine: AsyncEngine, mail: Mail, *, mail_domain: str) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._mail = mail
        self._mail_domain = mail_domain

    @implements(NoticeSteps.welcome)
    async def welcome(self, request: Welcome) -> Letter:
        """Send the welcome mail.

        Mail cannot be asked for what it took: when a worker dies after the server accepted the
        letter and before we noted it, a second one goes out, with the same Message-ID.
        """
        application = await application_of(self._engine, request)
        form = application.form
        letter = message_id(request.request_key, self._mail_domain)

        async def send(_: str) -> Letter:
            await self._mail.send(
                message_id=letter,
                to=form["email"],
                subject="Welcome",
                text=(
                    f"Hello {form['name']},\n\n"
                    f"your account is ready. It is kept in {form['currency']}.\n\n"
                    f"Your onboarding: {application.id}\n"
                ),
            )
            return Letter(message_id=letter)

        return await self._once.theirs(request, Letter, send=send)
