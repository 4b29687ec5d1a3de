"""The directory, over HTTP: its users and groups, and what a person does there by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import BaseModel, Field

_PAGE = 100
_JSON = {"Content-Type": "application/scim+json"}
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Meta(BaseModel):
    """What the directory notes about an entry: the version is another after each change."""

    version: str


class UserInDirectory(BaseModel):
    """A user as the directory shows it; `mark` is where our key is, if we made it."""

    id: str
    name: str = Field(alias="userName")
    display_name: str | None = Field(alias="displayName", default=None)
    mark: str | None = Field(alias="externalId", default=None)
    meta: Meta


class Member(BaseModel):
    """A place in a group."""

    user: str = Field(alias="value")


class GroupInDirectory(BaseModel):
    """A group as the directory shows it."""

    id: str
    name: str = Field(alias="displayName")
    members: tuple[Member, ...] = ()


class Directory:
    """A directory behind `http`. All methods raise httpx.HTTPError."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def users(self, since: int) -> list[UserInDirectory]:
        """Users made since a time by the simulators' clock."""
        moment = datetime.fromtimestamp(since, UTC).isoformat()
        found = await self._listed("/v2/Users", f'meta.created ge "{moment}"')
        return [UserInDirectory.model_validate(one) for one in found]

    async def user(self, identifier: str) -> UserInDirectory:
        """One user as it is now."""
        answer = await self._http.get(f"/v2/Users/{identifier}")
        return UserInDirectory.model_validate_json(answer.raise_for_status().content)

    async def groups(self, name: str) -> list[GroupInDirectory]:
        """All groups of a name, with their members."""
        found = await self._listed("/v2/Groups", f'displayName eq "{name}"')
        return [GroupInDirectory.model_validate(one) for one in found]

    async def make_by_hand(self, name: str, display_name: str) -> UserInDirectory:
        """Make a user as a person does at the directory's own console, of whom we know nothing."""
        user = {"schemas": [_USER], "userName": name, "displayName": display_name, "active": True}
        answer = await self._http.post("/v2/Users", json=user, headers=_JSON)
        return UserInDirectory.model_validate_json(answer.raise_for_status().content)

    async def rename_by_hand(self, identifier: str, name: str) -> UserInDirectory:
        """Give a user another name, as a person does; the user as it is then."""
        rename = {"op": "replace", "path": "userName", "value": name}
        patch = {"schemas": [_PATCH], "Operations": [rename]}
        answer = await self._http.patch(f"/v2/Users/{identifier}", json=patch, headers=_JSON)
        answer.raise_for_status()
        return await self.user(identifier)

    async def _listed(self, path: str, wanted: str) -> list[Any]:
        """Every entry that is wanted, page by page. Any: JSON of either kind."""
        entries: list[Any] = []
        while True:
            start = len(entries) + 1
            query = {"filter": wanted, "startIndex": str(start), "count": str(_PAGE)}
            page = (await self._http.get(path, params=query)).raise_for_status().json()
            entries += page.get("Resources", ())
            if len(entries) >= page["totalResults"]:
                return entries
