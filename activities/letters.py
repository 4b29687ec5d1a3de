"""Mail to whomever it concerns: each letter is sent once."""

from email.utils import parseaddr

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.once import Once
from connectors.capabilities import Mail
from workflows.onboarding.messages import Letter
from workflows.request_key import Request, message_id


class Letters:
    """Letters of ours. `sender` is the address that they come from; its domain is in their ids."""

    def __init__(self, engine: AsyncEngine, mail: Mail, *, sender: str) -> None:
        self._once = Once(engine)
        self._mail = mail
        self._domain = parseaddr(sender)[1].partition("@")[2]

    async def send(self, request: Request, *, to: str, subject: str, text: str) -> Letter:
        """Send one letter for a request key. Raises what `Once.theirs` raises.

        Mail cannot be asked for what it took: when a worker dies after the server accepted the
        letter and before we noted it, a second one goes out, with the same Message-ID.
        """
        letter = message_id(request.request_key, self._domain)

        async def send(_: str) -> Letter:
            await self._mail.send(message_id=letter, to=to, subject=subject, text=text)
            return Letter(message_id=letter)

        return await self._once.theirs(request, Letter, send=send)
