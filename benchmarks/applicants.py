"""Applicants who prove who they are: the same hand for every variant, so that it cancels out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.client import Client

from workers.ports import answers, free_port
from workers.settings import Settings

THINKING = 0.25
"""Seconds until an applicant submits; every process has come to wait for them by then."""


class Applicants:
    """Hear of each new identity session, submit it after a while, and tell its process."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        self._stripe = httpx.AsyncClient(
            base_url=settings.stripe_api_base or "",
            headers={"Authorization": f"Bearer {settings.secret('stripe_api_key')}"},
            timeout=30,
        )
        self._proving = asyncio.TaskGroup()

    @contextlib.asynccontextmanager
    async def proving(self) -> AsyncIterator[None]:
        """As long as this lasts, whoever is asked proves who they are."""
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        app = Starlette(routes=[Route("/", self._asked, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        async with self._stripe, self._proving:
            while not await answers(port):  # noqa: ASYNC110 - only the port knows
                await asyncio.sleep(0.01)
            created = {"url": url, "enabled_events[0]": "identity.verification_session.created"}
            answer = await self._stripe.post("/v1/webhook_endpoints", data=created)
            answer.raise_for_status()
            try:
                yield
            finally:
                server.should_exit = True
                await serving

    async def _asked(self, request: Request) -> Response:
        event = await request.json()
        self._proving.create_task(self._prove(event["data"]["object"]))
        return Response(status_code=204)

    async def _prove(self, session: dict[str, Any]) -> None:
        await asyncio.sleep(THINKING)
        submitted = await self._stripe.post(
            f"/_simulator/identity/{session['id']}/submit", json={"outcome": "verified"}
        )
        submitted.raise_for_status()
        hint = {"event_id": f"evt_of_{session['id']}", "session_id": session["id"]}
        process = self._client.get_workflow_handle(session["metadata"]["workflow_id"])
        await process.signal("identity_changed", hint)
