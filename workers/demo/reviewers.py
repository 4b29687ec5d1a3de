"""Who decides in the demo: reviewers, each with their own key, at the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from workers.settings import SecretName, Settings
from workflows.onboarding.application import DeliveredDocument, DocumentList
from workflows.onboarding.messages import RefusalCode
from workflows.onboarding.rules import AdverseAction

Key = Literal["reviewer", "reviewer_two", "senior_reviewer", "senior_reviewer_two"]

_KEYS: Mapping[Key, SecretName] = {
    "reviewer": "api_key_reviewer",
    "reviewer_two": "api_key_reviewer_two",
    "senior_reviewer": "api_key_senior_reviewer",
    "senior_reviewer_two": "api_key_senior_reviewer_two",
}


def name_of(key: Key) -> str:
    """What decisions by the holder of a key are kept under."""
    return f"laptop-{key.replace('_', '-')}"


class OpenReview(BaseModel):
    """A review in the queue."""

    id: str
    onboarding: str
    version: int
    reasons: tuple[str, ...]
    agreed: tuple[str, ...]


class OpenHit(BaseModel):
    """A hit of a screening that nobody has judged."""

    id: int
    revision: int
    party: str
    name: str


class Reviewers:
    """All four. What they do is refused with a code, or accepted, which is None."""

    def __init__(self, settings: Settings) -> None:
        self._by: Mapping[Key, httpx.AsyncClient] = {
            key: httpx.AsyncClient(
                base_url=settings.gateway_url,
                headers={"Authorization": f"Bearer {settings.secret(secret)}"},
                timeout=10,
            )
            for key, secret in _KEYS.items()
        }

    async def aclose(self) -> None:
        """Close their connections."""
        for http in self._by.values():
            await http.aclose()

    async def review_of(self, onboarding: str) -> OpenReview | None:
        """The review of an onboarding that is in the queue."""
        page = await self._seen("/v1/reviews?limit=100")
        reviews = (OpenReview.model_validate(one) for one in page["items"])
        return next((one for one in reviews if one.onboarding == onboarding), None)

    async def hits(self, onboarding: str) -> list[OpenHit]:
        """The hits that wait to be judged."""
        found = await self._seen(f"/v1/onboardings/{onboarding}/screening")
        return [OpenHit.model_validate(one) for one in found["hits"] if one["judgement"] is None]

    async def duplicates(self, review: OpenReview) -> list[str]:
        """The onboardings that may be of the same applicant."""
        found = await self._seen(f"/v1/reviews/{review.id}/duplicates")
        return [one["other"] for one in found["duplicates"]]

    async def document(self, onboarding: str, document: str) -> bytes:
        """The content of a document, which the archive has."""
        path = f"/v1/onboardings/{onboarding}/documents/{document}/content"
        return (await self._by["reviewer"].get(path)).raise_for_status().content

    async def judge(
        self,
        key: Key,
        onboarding: str,
        hit: OpenHit,
        verdict: Literal["false_positive", "confirmed"],
        reason: str,
    ) -> str | None:
        """Say whether a party is who is listed."""
        path = f"/v1/onboardings/{onboarding}/screening/hits/{hit.id}/judgement"
        body = {"verdict": verdict, "reason": reason}
        return await self._sent(key, path, body, looked_at=hit.revision)

    async def delivered(self, onboarding: str) -> list[DeliveredDocument]:
        """The documents that nobody has judged, once the archive has them."""
        found = await self._seen(f"/v1/onboardings/{onboarding}/documents")
        there = DocumentList.model_validate(found).items
        return [one for one in there if one.state == "stored"]

    async def refuse(
        self, key: Key, document: DeliveredDocument, code: RefusalCode, reason: str
    ) -> str | None:
        """Say what is wrong with a document."""
        path = f"/v1/onboardings/{document.onboarding_id}/documents/{document.id}/refusal"
        return await self._sent(key, path, {"code": code, "reason": reason}, looked_at=1)

    async def approve(self, key: Key, review: OpenReview, reason: str) -> str | None:
        """Agree."""
        path = f"/v1/reviews/{review.id}/approve"
        return await self._sent(key, path, {"reason": reason}, looked_at=review.version)

    async def reject(
        self, key: Key, review: OpenReview, code: AdverseAction, reason: str
    ) -> str | None:
        """Say no."""
        path = f"/v1/reviews/{review.id}/reject"
        body = {"reason": reason, "codes": [code]}
        return await self._sent(key, path, body, looked_at=review.version)

    async def merge(self, key: Key, review: OpenReview, other: str, reason: str) -> str | None:
        """Say that it is the same applicant as another one, which goes on instead."""
        path = f"/v1/reviews/{review.id}/duplicates/{other}"
        body = {"relation": "merge", "reason": reason}
        return await self._sent(key, path, body, looked_at=review.version)

    async def _seen(self, path: str) -> Any:
        """What a reviewer is shown. Any: each caller reads what it asked for."""
        return (await self._by["reviewer"].get(path)).raise_for_status().json()

    async def _sent(
        self, key: Key, path: str, body: Mapping[str, object], *, looked_at: int
    ) -> str | None:
        answer = await self._by[key].post(path, json=body, headers={"If-Match": f'"{looked_at}"'})
        if answer.status_code in (403, 409):
            return str(answer.json()["type"]).rsplit(":", 1)[-1]
        answer.raise_for_status()
        return None
