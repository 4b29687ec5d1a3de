"""The world outside, over HTTP: what each system has, and how it shall misbehave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel

from workers.demo.crm import Crm
from workers.demo.directory import Directory
from workers.settings import Settings

System = Literal["stripe", "directory", "crm", "mail"]
FaultKind = Literal["timeout_after_commit", "error_503"]
TO_CONFIRM = "Confirm your e-mail address"
"""The subject of the mail with the link."""
ABOUT_DOCUMENTS, REMINDER = "that we need from you", "A reminder"
"""Parts of the subjects of letters about documents, and of those that remind of them."""
_LINK = re.compile(r"^https?://\S+", re.MULTILINE)
_WELL_BEHAVED = {"copies": 1, "scatter_seconds": 0, "drop_next": 0, "paused": False}


class TaxIdAtStripe(BaseModel):
    """A tax id as Stripe shows it."""

    type: str
    value: str


class CustomerAtStripe(BaseModel):
    """A customer as Stripe shows it; its tax ids are asked for apart."""

    id: str
    email: str | None
    metadata: dict[str, str]


class Redaction(BaseModel):
    """That everything personal was taken out of a session."""

    status: str


class SessionAtStripe(BaseModel):
    """An identity session as Stripe shows it; `client_reference_id` is the onboarding's id."""

    id: str
    status: str
    client_reference_id: str | None
    redaction: Redaction | None


class EventAtStripe(BaseModel):
    """An event; Any: its object is of any type."""

    id: str
    type: str
    data: dict[str, Any]


class Delivery(BaseModel):
    """One delivery of an event to an endpoint."""

    event: str
    state: Literal["pending", "delivered", "lost"]


class Letter(BaseModel):
    """A mail that arrived; one that came twice is there twice."""

    number: int
    message_id: str | None
    subject: str
    text: str


Row = TypeVar("Row", bound=BaseModel)


class Outside:
    """The simulators. All methods raise httpx.HTTPError where one does not answer as it should.

    Here are Stripe and the mailbox; `directory` and `crm` are for themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self._stripe = client_of(
            settings.stripe_simulator_port, auth=(settings.secret("stripe_api_key"), "")
        )
        directory = client_of(
            settings.directory_simulator_port, token=settings.secret("directory_token")
        )
        crm = client_of(settings.crm_simulator_port, token=settings.secret("hubspot_token"))
        self._mail = client_of(settings.mail_inbox_port)
        self._all: Mapping[System, httpx.AsyncClient] = {
            "stripe": self._stripe,
            "directory": directory,
            "crm": crm,
            "mail": self._mail,
        }
        self.directory = Directory(directory)
        self.crm = Crm(crm)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(http.aclose() for http in self._all.values()))

    # What is there

    async def customers(self, since: int) -> list[CustomerAtStripe]:
        """Customers made since a time by Stripe's clock; not the deleted ones."""
        return [one async for one in self._listed("/v1/customers", CustomerAtStripe, since)]

    async def tax_ids(self, customer: str) -> list[TaxIdAtStripe]:
        """The tax ids of a customer."""
        path = f"/v1/customers/{customer}/tax_ids"
        return [one async for one in self._listed(path, TaxIdAtStripe)]

    async def sessions(self, since: int) -> list[SessionAtStripe]:
        """Identity sessions opened since a time by Stripe's clock."""
        path = "/v1/identity/verification_sessions"
        return [one async for one in self._listed(path, SessionAtStripe, since)]

    async def events(self, since: int) -> list[EventAtStripe]:
        """Events since a time by Stripe's clock, newest first."""
        return [one async for one in self._listed("/v1/events", EventAtStripe, since)]

    async def deliveries(self, event: str) -> list[Delivery]:
        """How an event was delivered."""
        found = body_of(await self._stripe.get("/_simulator/deliveries", params={"event": event}))
        return [Delivery.model_validate(one) for one in found["deliveries"]]

    async def letters(self, *, to: str, subject: str | None = None) -> list[Letter]:
        """Mails to one address, oldest first; `subject` is a part of it."""
        query = {"to": to, "order": "oldest_first", "limit": "100"}
        letters: list[Letter] = []
        more = True
        while more:
            after = {"after": str(letters[-1].number)} if letters else {}
            wanted = {"subject": subject} if subject else {}
            page = body_of(await self._mail.get("/messages", params=query | after | wanted))
            letters += [Letter.model_validate(one) for one in page["messages"]]
            more = page["has_more"]
        return letters

    async def link_to_confirm(self, email: str, onboarding: str) -> str | None:
        """The link in the newest mail that asks to confirm the address of an onboarding."""
        letters = await self.letters(to=email, subject=TO_CONFIRM)
        links = [found[0] for one in letters if (found := _LINK.search(one.text))]
        return next((link for link in reversed(links) if onboarding in link), None)

    async def press(self, link: str) -> None:
        """Do what an applicant does with that link: open the page, and press its button."""
        async with httpx.AsyncClient(timeout=10, follow_redirects=True) as browser:
            (await browser.get(link)).raise_for_status()
            (await browser.post(link)).raise_for_status()

    async def now(self) -> int:
        """The time by Stripe's clock."""
        return int(body_of(await self._stripe.get("/_simulator/clock"))["now"])

    async def prove_identity(self, link: str) -> None:
        """Do what an applicant does at the page that `link` leads to."""
        answer = await self._stripe.post(link, data={"outcome": "verified"})
        if not answer.is_redirect:
            answer.raise_for_status()

    async def fail_identity(self, onboarding: str) -> None:
        """Have one try of an applicant fail, without the link, which that would use up."""
        query = {"client_reference_id": onboarding}
        found = body_of(await self._stripe.get("/v1/identity/verification_sessions", params=query))
        session = found["data"][0]["id"]
        await self._post(f"/_simulator/identity/{session}/submit", {"outcome": "failed"})

    # How it misbehaves

    async def behave(self) -> None:
        """Nothing goes wrong any more: what an earlier run that was cut off left is ended."""
        for http in self._all.values():
            body_of(await http.delete("/_simulator/faults"))
        await self._post("/_simulator/webhooks", _WELL_BEHAVED)

    @asynccontextmanager
    async def fault(
        self, system: System, kind: FaultKind, method: str, path: str
    ) -> AsyncIterator[None]:
        """While this lasts requests to a system go wrong; `path` is a glob."""
        http, match = self._all[system], {"method": method, "path": path}
        planned = {"kind": kind, "match": match}
        made = body_of(await http.post("/_simulator/faults", json=planned))
        try:
            yield
        finally:
            body_of(await http.delete(f"/_simulator/faults/{made['id']}"))

    @asynccontextmanager
    async def webhooks_held(self, *, copies: int) -> AsyncIterator[None]:
        """While this lasts webhooks are kept back, so many of each; then all go, newest first."""
        await self._post("/_simulator/webhooks", {"paused": True, "copies": copies})
        try:
            yield
        finally:
            await self._post("/_simulator/webhooks", {"copies": 1})
            await self._post("/_simulator/webhooks/resume", {"order": "newest_first"})

    async def faulted(self, system: System, method: str, path: str) -> int:
        """How many requests were ever answered by a fault before anything ran."""
        return await self._counted(system, method=method, path=path, outcome="faulted")

    async def asked(self, system: System, method: str, path: str) -> int:
        """How many requests there ever were, however they were answered."""
        return await self._counted(system, method=method, path=path)

    async def _counted(self, system: System, **wanted: str) -> int:
        counted = body_of(await self._all[system].get("/_simulator/counters"))["counters"]
        return sum(one["requests"] for one in counted if wanted.items() <= one.items())

    async def faults(self) -> int:
        """How many faults wait for requests, in all systems."""
        waiting = [body_of(await http.get("/_simulator/faults")) for http in self._all.values()]
        return sum(len(one["faults"]) for one in waiting)

    async def _listed(
        self, path: str, shape: type[Row], since: int | None = None
    ) -> AsyncIterator[Row]:
        query = {"limit": "100"} | ({"created[gte]": str(since)} if since is not None else {})
        more = True
        while more:
            page = body_of(await self._stripe.get(path, params=query))
            for row in page["data"]:
                yield shape.model_validate(row)
            more = page["has_more"]
            if more:
                query["starting_after"] = page["data"][-1]["id"]

    async def _post(self, path: str, body: Mapping[str, object]) -> Any:
        return body_of(await self._stripe.post(path, json=body))


def client_of(
    port: int, *, auth: tuple[str, str] | None = None, token: str | None = None
) -> httpx.AsyncClient:
    """A client of the simulator at a port."""
    headers = {"Authorization": f"Bearer {token}"} if token else None
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", auth=auth, headers=headers, timeout=10
    )


def body_of(answer: httpx.Response) -> Any:
    """The JSON of an answer. Any: each caller reads what it asked for."""
    return answer.raise_for_status().json()
