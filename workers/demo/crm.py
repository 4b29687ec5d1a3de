"""The CRM, over HTTP: the contacts and companies that it has."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import httpx
from pydantic import BaseModel, Field

CONTACTS = "/crm/v3/objects/contacts/batch/upsert"
"""Where contacts are made."""

_PAGE = 100
_TOLD = {
    "contacts": "email,lastname,company,perdure_onboarding_id",
    "companies": "name,perdure_onboarding_id",
}


class Told(BaseModel):
    """What a record says; `mark` is where our key is, if we made it."""

    email: str | None = None
    lastname: str | None = None
    company: str | None = None
    name: str | None = None
    mark: str | None = Field(alias="perdure_onboarding_id", default=None)


class RecordInCrm(BaseModel):
    """A contact or company as the CRM shows it."""

    id: str
    made: datetime = Field(alias="createdAt")
    told: Told = Field(alias="properties")

    @property
    def called(self) -> str | None:
        """The person's or the company's name."""
        return self.told.name or self.told.company or self.told.lastname


class Crm:
    """A CRM behind `http`. All methods raise httpx.HTTPError."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def contacts(self, since: int) -> list[RecordInCrm]:
        """Contacts made since a time by the simulators' clock; not the archived ones."""
        return await self._listed("contacts", since)

    async def companies(self, since: int) -> list[RecordInCrm]:
        """Companies, likewise."""
        return await self._listed("companies", since)

    async def _listed(
        self, kind: Literal["contacts", "companies"], since: int
    ) -> list[RecordInCrm]:
        query = {"limit": str(_PAGE), "properties": _TOLD[kind]}
        records: list[RecordInCrm] = []
        while True:
            answer = await self._http.get(f"/crm/v3/objects/{kind}", params=query)
            page = answer.raise_for_status().json()
            records += [RecordInCrm.model_validate(one) for one in page["results"]]
            if "paging" not in page:
                return [one for one in records if one.made.timestamp() >= since]
            query["after"] = page["paging"]["next"]["after"]
