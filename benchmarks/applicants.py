"""What applicants do: the same hand for every variant, so that it cancels out."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.client import Client

from database import confirmations
from database.connection import transaction
from workers.ports import answers, free_port
from workers.settings import Settings
from workflows.onboarding.confirmation_link import Link, link_of

THINKING = 0.25
"""Seconds until an applicant acts; every process has come to wait for them by then."""
_LINK = re.compile(r"/confirm/(\S+)")
_LOOKS = 0.1
"""Seconds between two looks at the inbox."""


class Applicants:
    """They confirm the address that a mail came to, and submit each identity session.

    Both after a while; then the process is told.
    """

    def __init__(self, settings: Settings, client: Client, engine: AsyncEngine) -> None:
        self._client = client
        self._engine = engine
        self._mail = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{settings.mail_inbox_port}", timeout=30
        )
        self._stripe = httpx.AsyncClient(
            base_url=settings.stripe_api_base or "",
            headers={"Authorization": f"Bearer {settings.secret('stripe_api_key')}"},
            timeout=30,
        )
        self._acting = asyncio.TaskGroup()

    @contextlib.asynccontextmanager
    async def acting(self) -> AsyncIterator[None]:
        """As long as this lasts, whoever is asked does what they are asked for."""
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        app = Starlette(routes=[Route("/", self._asked, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        async with self._stripe, self._mail, self._acting:
            while not await answers(port):  # noqa: ASYNC110 - only the port knows
                await asyncio.sleep(0.01)
            created = {"url": url, "enabled_events[0]": "identity.verification_session.created"}
            answer = await self._stripe.post("/v1/webhook_endpoints", data=created)
            answer.raise_for_status()
            reading = asyncio.create_task(self._read_mail())
            try:
                yield
            finally:
                reading.cancel()
                server.should_exit = True
                await serving

    async def _asked(self, request: Request) -> Response:
        event = await request.json()
        self._acting.create_task(self._prove(event["data"]["object"]))
        return Response(status_code=204)

    async def _read_mail(self) -> None:
        last = 0
        while True:
            query = {"order": "oldest_first", "after": str(last), "limit": "100"}
            answer = await self._mail.get("/messages", params=query)
            for message in answer.json()["messages"]:
                last = message["number"]
                if found := _LINK.search(message["text"]):
                    link = link_of(found[1])
                    assert link is not None
                    self._acting.create_task(self._confirm(link))
            await asyncio.sleep(_LOOKS)

    async def _confirm(self, link: Link) -> None:
        await asyncio.sleep(THINKING)
        async with transaction(self._engine) as connection:
            asked = await confirmations.asked(connection, link)
            assert asked is not None
            await confirmations.confirm(connection, link, asked.workflow_id)
        process = self._client.get_workflow_handle(asked.workflow_id)
        await process.signal("email_confirmed", {"event_id": f"confirmed_{link.application_id}"})

    async def _prove(self, session: dict[str, Any]) -> None:
        await asyncio.sleep(THINKING)
        submitted = await self._stripe.post(
            f"/_simulator/identity/{session['id']}/submit", json={"outcome": "verified"}
        )
        submitted.raise_for_status()
        hint = {"event_id": f"evt_of_{session['id']}", "session_id": session["id"]}
        process = self._client.get_workflow_handle(session["metadata"]["workflow_id"])
        await process.signal("identity_changed", hint)
