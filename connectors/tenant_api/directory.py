"""Directory by a plain API of tenants: users, groups, and who is in which.

    POST   users            {"external_id", "email", "name"}    201 {"id", "external_id", …}
    POST   groups           {"external_id", "name"}             201 {"id", "external_id", …}
    GET    users?external_id=KEY, groups?external_id=KEY        200 {"items": [{"id", …}]}
    GET    users/ID                                             200 {"id", "email", "name", …}
    DELETE users/ID                                             204
    GET    groups/ID/members/USER                               204 where the user is in it
    PUT    groups/ID/members/USER, DELETE likewise              204, however often it comes

`external_id` is our key, and unique; so is the address of a user. 409 says that one of them is
taken, 404 with the code `not_found` that there is no such thing. The API reads its own writes, so
that our key is looked for before anything is made.
"""

from typing import Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, ValidationError

from connectors.capabilities import Sent, Told
from connectors.http_api import HttpApi
from connectors.tenant_api.errors import Missing, Taken, as_connector_error, bad_body

Kind = Literal["users", "groups"]
Shape = TypeVar("Shape", bound=BaseModel)


class _Entry(BaseModel):
    id: str = Field(min_length=1)
    external_id: str | None = None


class _User(BaseModel):
    email: str
    name: str


class _Entries(BaseModel):
    items: list[_Entry]


class TenantDirectory:
    """Directory, behind the root URL of a tenant's API."""

    def __init__(self, http: HttpApi) -> None:
        self._http = http

    async def create_user(self, key: str, *, name: str, email: str) -> str:
        """Make a user; the answer is its id. Raises Refused (`directory.conflict`)."""
        return await self._found_or_created("users", key, {"email": email, "name": name})

    async def find_user(self, sent: Sent) -> str | None:
        """The user that was made under this key."""
        return await self._find("users", sent.key)

    async def look_at_user(self, user_id: str) -> Told | None:
        """What is there of a user; None where it is gone. Whoever is there is active."""
        try:
            answer = await self._request("GET", _path("users", user_id))
        except Missing:
            return None
        user = _read(_User, answer)
        return {"name": user.name, "email": user.email}

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user; False where it was gone."""
        return await self._deleted("users", user_id)

    async def create_group(self, key: str, *, name: str) -> str:
        """Make a group; the answer is its id."""
        return await self._found_or_created("groups", key, {"name": name})

    async def find_group(self, sent: Sent) -> str | None:
        """The group that was made under this key."""
        return await self._find("groups", sent.key)

    async def add_member(self, *, group_id: str, user_id: str) -> None:
        """Put a user into a group; one that is in it stays."""
        await self._request("PUT", _path("groups", group_id, "members", user_id))

    async def is_member(self, *, group_id: str, user_id: str) -> bool:
        """Whether a user is in a group."""
        try:
            await self._request("GET", _path("groups", group_id, "members", user_id))
        except Missing:
            return False
        return True

    async def remove_member(self, *, group_id: str, user_id: str) -> bool:
        """Take a user out of a group; one that is not in it stays out. False: no such group."""
        return await self._deleted("groups", group_id, "members", user_id)

    async def _found_or_created(self, kind: Kind, key: str, told: dict[str, str]) -> str:
        if (found := await self._find(kind, key)) is not None:
            return found
        try:
            made = await self._request("POST", kind, json={"external_id": key, **told})
        except Taken:
            # Perhaps by ourselves: an earlier request whose answer was lost came only now.
            if (found := await self._find(kind, key)) is not None:
                return found
            raise
        return _read(_Entry, made).id

    async def _find(self, kind: Kind, key: str) -> str | None:
        answer = await self._request("GET", kind, params={"external_id": key})
        # Whoever overlooks the parameter lists others.
        ours = [entry for entry in _read(_Entries, answer).items if entry.external_id == key]
        return ours[0].id if ours else None

    async def _deleted(self, *parts: str) -> bool:
        try:
            await self._request("DELETE", _path(*parts))
        except Missing:
            return False
        return True

    async def _request(self, method: str, path: str, **given: object) -> httpx.Response:
        response = await self._http.send(method, path, **given)
        if not response.is_success:
            raise as_connector_error(response)
        return response


def _path(*parts: str) -> str:
    """The path of something, whatever its ids are made of."""
    return "/".join(quote(part, safe="") for part in parts)


def _read(shape: type[Shape], response: httpx.Response) -> Shape:
    """An answer as we need it. Raises Unanswered where it is not of that shape."""
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        raise bad_body() from None
