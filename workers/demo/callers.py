"""Who calls the gateway: the backend service of a business, an operator, and its reviewers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from workers.demo.cast import Applicant, Run
from workers.demo.reviewers import Reviewers
from workers.settings import Settings
from workflows.client import PerdureClient
from workflows.onboarding.application import DocumentList, Onboarding, OnboardingInFull
from workflows.onboarding.rules import DocumentKind

_PATIENCE = 20.0
_PAUSE = 0.5


class Reason(BaseModel):
    """Why something waits, as the attention list says it."""

    kind: str
    type: str
    text: str


class Waiting(BaseModel):
    """A parked step, as the attention list shows it."""

    workflow_id: str
    step: str | None
    owner: str
    why: Reason
    choices: tuple[str, ...]


class Callers:
    """All of them, each with their own key."""

    def __init__(self, settings: Settings) -> None:
        self._service = PerdureClient(settings.gateway_url, settings.secret("api_key_service"))
        self._by_service = client_of(settings, settings.secret("api_key_service"))
        self._by_operator = client_of(settings, settings.secret("api_key_operator"))
        self.reviewers = Reviewers(settings)

    async def aclose(self) -> None:
        """Close their connections."""
        await self._service.close()
        await self._by_service.aclose()
        await self._by_operator.aclose()
        await self.reviewers.aclose()

    async def sign_up(self, run: Run, applicant: Applicant) -> Onboarding:
        """The service sends a signup, as often as it takes, under the applicant's key."""
        return await self._service.start(applicant.application, key=run.key(applicant))

    async def show(self, onboarding: str) -> OnboardingInFull:
        """The service looks at an onboarding."""
        return await self._service.show(onboarding)

    async def missing(self, onboarding: str) -> list[DocumentKind]:
        """Which documents an onboarding waits for."""
        found = await asked(self._by_service, "GET", f"/v1/onboardings/{onboarding}/documents")
        return DocumentList.model_validate(found).missing

    async def deliver(self, onboarding: str, kind: DocumentKind, content: bytes) -> None:
        """The service hands on a document of an applicant. Returns when it is taken in."""
        path = f"/v1/onboardings/{onboarding}/documents?kind={kind}"
        await asked(self._by_service, "POST", path, content)

    async def change(self, onboarding: str, changes: dict[str, object], reason: str) -> None:
        """The service changes what an application says. Returns when that is accepted."""
        await self._service.change(onboarding, changes, version=1, reason=reason)

    async def appeal(self, onboarding: str, reason: str) -> Onboarding:
        """The service appeals against a rejection, as the applicant wishes."""
        return await self._service.appeal(onboarding, reason=reason)

    async def withdraw(self, onboarding: str, reason: str) -> None:
        """The service takes an application back. Returns when that is accepted."""
        path = f"/v1/onboardings/{onboarding}/withdraw"
        await asked(self._by_service, "POST", path, {"reason": reason})

    async def waiting(self) -> list[Waiting]:
        """The operator looks at the attention list."""
        items: list[Waiting] = []
        cursor = None
        while True:
            after = f"&cursor={cursor}" if cursor else ""
            page = await asked(self._by_operator, "GET", f"/v1/attention?limit=100{after}")
            items += [Waiting.model_validate(one) for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return items

    async def resolve(
        self, waiting: Waiting, action: Literal["retry", "abort"], reason: str
    ) -> None:
        """The operator decides about a parked step. Returns when that is accepted."""
        decision = {
            "workflow_id": waiting.workflow_id,
            "step": waiting.step,
            "action": action,
            "reason": reason,
        }
        await asked(self._by_operator, "POST", "/v1/attention/resolve", decision)


def client_of(settings: Settings, key: str) -> httpx.AsyncClient:
    """A client of the gateway with somebody's key."""
    return httpx.AsyncClient(
        base_url=settings.gateway_url, headers={"Authorization": f"Bearer {key}"}, timeout=10
    )


async def asked(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    body: Mapping[str, object] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The answer's JSON, asked for again while the gateway says that it cannot work just now.

    Any: each caller reads what it asked for. Raises httpx.HTTPError.
    """
    until = time.monotonic() + _PATIENCE
    file = body if isinstance(body, bytes) else None
    while True:
        answer = await http.request(
            method,
            path,
            json=body if file is None else None,
            content=file,
            headers={"Content-Type": "application/octet-stream"} if file else headers,
        )
        if answer.status_code not in (429, 503) or time.monotonic() > until:
            return answer.raise_for_status().json()
        await asyncio.sleep(_PAUSE)
