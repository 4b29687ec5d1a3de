"""CRM by HubSpot: contacts and companies.

What we made carries our key in `perdure_onboarding_id`: a property of contacts and of companies
that somebody must once set up in the account, with unique values. Records are put there by an
upsert over it, which does the same however often it comes. HubSpot keeps the e-mail address of
contacts unique, too: a contact that has the address without our key is never taken for ours.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, ValidationError

from connectors.capabilities import Sent, Told
from connectors.http_api import HttpApi
from connectors.hubspot.errors import Missing, as_connector_error, bad_body, of_one

API_BASE = "https://api.hubapi.com"
UNIQUE = "perdure_onboarding_id"
_SOME_FAILED = 207

_CONTACT = {"email": "email", "country": "country", "name": "lastname", "company": "company"}
_COMPANY = {"name": "name", "country": "country"}
"""What is called what by us and by HubSpot."""

Kind = Literal["contacts", "companies"]
Shape = TypeVar("Shape", bound=BaseModel)


class _Record(BaseModel):
    id: str


class _Properties(BaseModel):
    properties: dict[str, str | None]


class _Records(BaseModel):
    results: list[_Record] = Field(min_length=1, max_length=1)


class _Error(BaseModel, extra="allow"):
    category: str


class _Errors(BaseModel):
    errors: list[_Error] = Field(min_length=1)


class HubSpotCrm:
    """CRM, in the account that the token belongs to."""

    def __init__(self, http: HttpApi) -> None:
        self._http = http

    async def create_contact(
        self, key: str, *, email: str, country: str, name: str | None, company: str | None
    ) -> str:
        """Make a contact; the answer is its id. Raises Refused (`crm.conflict`).

        A name stays whole: nobody can tell from it what is called by a first name and what not.
        """
        properties = {"email": email, "country": country, "lastname": name, "company": company}
        return await self._upsert("contacts", key, properties)

    async def find_contact(self, sent: Sent) -> str | None:
        """The contact that was made under this key."""
        return await self._find("contacts", sent.key)

    async def look_at_contact(self, contact_id: str) -> Told | None:
        """What is there of a contact; None where it is gone."""
        return await self._look_at("contacts", contact_id, _CONTACT)

    async def archive_contact(self, contact_id: str) -> None:
        """Put a contact away; one that is away stays so."""
        await self._archive("contacts", contact_id)

    async def create_company(self, key: str, *, name: str, country: str) -> str:
        """Make a company; the answer is its id."""
        return await self._upsert("companies", key, {"name": name, "country": country})

    async def find_company(self, sent: Sent) -> str | None:
        """The company that was made under this key."""
        return await self._find("companies", sent.key)

    async def look_at_company(self, company_id: str) -> Told | None:
        """What is there of a company; None where it is gone."""
        return await self._look_at("companies", company_id, _COMPANY)

    async def archive_company(self, company_id: str) -> None:
        """Put a company away; one that is away stays so."""
        await self._archive("companies", company_id)

    async def _upsert(self, kind: Kind, key: str, properties: dict[str, str | None]) -> str:
        told = {name: value for name, value in properties.items() if value is not None}
        one = {"id": key, "idProperty": UNIQUE, "properties": told}
        response = await self._request("POST", f"{kind}/batch/upsert", json={"inputs": [one]})
        if response.status_code == _SOME_FAILED:
            raise of_one(_read(_Errors, response).errors[0].model_dump())
        return _read(_Records, response).results[0].id

    async def _find(self, kind: Kind, key: str) -> str | None:
        try:
            response = await self._request(
                "GET", f"{kind}/{quote(key, safe='')}", params={"idProperty": UNIQUE}
            )
        except Missing:
            return None
        return _read(_Record, response).id

    async def _look_at(self, kind: Kind, record_id: str, names: Mapping[str, str]) -> Told | None:
        try:
            response = await self._request(
                "GET",
                f"{kind}/{quote(record_id, safe='')}",
                params={"properties": ",".join(names.values())},
            )
        except Missing:
            return None
        properties = _read(_Properties, response).properties
        return {field: properties.get(name) for field, name in names.items()}

    async def _archive(self, kind: Kind, record_id: str) -> None:
        try:
            await self._request("DELETE", f"{kind}/{quote(record_id, safe='')}")
        except Missing:
            return

    async def _request(self, method: str, path: str, **given: object) -> httpx.Response:
        response = await self._http.send(method, f"crm/v3/objects/{path}", **given)
        if not response.is_success:
            raise as_connector_error(response)
        return response


def _read(shape: type[Shape], response: httpx.Response) -> Shape:
    """An answer as we need it. Raises Unanswered where it is not of that shape."""
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        raise bad_body() from None
