"""What applicants and customers are told."""

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.letters import Letters
from activities.onboarding.reading import application_of
from database.onboardings import Application
from workflows.onboarding.messages import Letter, Reject, Welcome
from workflows.onboarding.rejection import ADVERSE_ACTIONS
from workflows.onboarding.steps import NoticeSteps
from workflows.request_key import Request
from workflows.step import implements


class NoticeActivities(NoticeSteps):
    """Letters to them."""

    def __init__(self, engine: AsyncEngine, letters: Letters) -> None:
        self._engine = engine
        self._letters = letters

    @implements(NoticeSteps.welcome)
    async def welcome(self, request: Welcome) -> Letter:
        """Send the welcome mail."""
        application = await application_of(self._engine, request)
        form = application.form
        text = (
            f"Hello {form['name']},\n\n"
            f"your account is ready. It is kept in {form['currency']}.\n\n"
            f"Your onboarding: {application.id}\n"
        )
        return await self._send(request, application, "Welcome", text)

    @implements(NoticeSteps.reject)
    async def reject(self, request: Reject) -> Letter:
        """Send the letter of a rejection: the codes in words, and never why we decided so."""
        application = await application_of(self._engine, request)
        lines = [
            f"Hello {application.form['name']},",
            "",
            "we are sorry: the answer to your application is no.",
            "",
            *(f"- {ADVERSE_ACTIONS[code]}" for code in request.codes),
            "",
        ]
        if application.appeal_of is None:
            until = request.appeal_until.date().isoformat()
            lines += [
                f"You may appeal until {until}. Somebody who has not decided about it before",
                "then looks at everything anew.",
                "",
            ]
        text = "\n".join([*lines, f"Your onboarding: {application.id}", ""])
        return await self._send(request, application, "Your application", text)

    async def _send(
        self, request: Request, application: Application, subject: str, text: str
    ) -> Letter:
        to = application.form["email"]
        return await self._letters.send(request, to=to, subject=subject, text=text)
