"""Directory by SCIM 2.0: users and the groups that they are in.

A user signs in by e-mail address: `userName`, which the directory keeps unique, is the address.
What we made carries our key as `externalId`. The directory reads its own writes, so that it is
looked there first, and what has the same address without our key is never taken for ours.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from scim2_client import BaseAsyncSCIMClient, SCIMClientException
from scim2_client.client import RawResponse
from scim2_models import (
    Email,
    Group,
    GroupMember,
    ListResponse,
    Name,
    PatchOp,
    PatchOperation,
    Path,
    SCIMException,
    ScimFilter,
    ScimProvider,
    SearchRequest,
    User,
)

from connectors.capabilities import Sent, Told
from connectors.errors import Refused
from connectors.http_api import HttpApi
from connectors.scim.errors import Missing, Taken, as_connector_error, bad_body

SCIM_JSON = {"Accept": "application/scim+json", "Content-Type": "application/scim+json"}

# Pydantic builds a parametrised model anew, in milliseconds, whenever nobody holds it any more.
_BUILT = (ListResponse[User], ListResponse[Group])  # type: ignore[type-arg]  # as the client does
_GroupPath = Path[Group]
_GroupOperation = PatchOperation[Group]
_GroupPatch = PatchOp[Group]

_OPS = PatchOperation.Op
Kind = type[User[Any]] | type[Group]  # Any: extensions of a user, of which we have none


class ScimDirectory:
    """Directory, behind the root URL of a SCIM service."""

    def __init__(self, http: HttpApi) -> None:
        self._scim = _Scim(http)

    async def create_user(self, key: str, *, name: str, email: str) -> str:
        """Make a user; the answer is its id. Raises Refused (`directory.conflict`)."""
        with _applicants_words():
            user = User[Any](
                external_id=key,
                user_name=email,
                name=Name(formatted=name),
                display_name=name,
                emails=[Email(value=email, primary=True)],
                active=True,
            )
        return await self._found_or_created(User, key, user)

    async def find_user(self, sent: Sent) -> str | None:
        """The user that was made under this key."""
        return await self._find(User, sent.key)

    async def look_at_user(self, user_id: str) -> Told | None:
        """What is there of a user; None where it is gone."""
        try:
            with _readable():
                user = await self._scim.query(User[Any], user_id)
        except Missing:
            await self._check_address(User)
            return None
        if not isinstance(user, User):
            raise bad_body()
        active = {None: None, True: "yes", False: "no"}[user.active]
        told = {"name": user.display_name, "email": user.user_name, "active": active}
        return {field: value for field, value in told.items() if value is not None}

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user; False where it was gone."""
        try:
            with _readable():
                await self._scim.delete(User, user_id)
        except Missing:
            await self._check_address(User)
            return False
        return True

    async def create_group(self, key: str, *, name: str) -> str:
        """Make a group; the answer is its id."""
        return await self._found_or_created(Group, key, Group(external_id=key, display_name=name))

    async def find_group(self, sent: Sent) -> str | None:
        """The group that was made under this key."""
        return await self._find(Group, sent.key)

    async def add_member(self, *, group_id: str, user_id: str) -> None:
        """Put a user into a group; one that is in it stays (RFC 7644 §3.5.2.1)."""
        member = GroupMember(value=user_id)
        operation = _GroupOperation(op=_OPS.add, path=_GroupPath("members"), value=[member])
        await self._change(group_id, operation)

    async def is_member(self, *, group_id: str, user_id: str) -> bool:
        """Whether a user is in a group: asked for that member alone, for a group may be large."""
        wanted = SearchRequest[Any](
            filter=ScimFilter[Any](f"members.value eq {json.dumps(user_id)}"),
            attributes=[Path[Any]("externalId")],
        )
        with _readable():
            answer = await self._scim.query(Group, query_parameters=wanted)
        if not isinstance(answer, ListResponse):
            raise bad_body()
        return any(group.id == group_id for group in answer.resources or ())

    async def remove_member(self, *, group_id: str, user_id: str) -> bool:
        """Take a user out of a group; one that is not in it stays out. False: no such group."""
        which = _GroupPath(f"members[value eq {json.dumps(user_id)}]")
        try:
            await self._change(group_id, _GroupOperation(op=_OPS.remove, path=which))
        except Missing:
            await self._check_address(Group)
            return False
        return True

    async def _check_address(self, kind: Kind) -> None:
        """Raise Missing where it is not the entry that is missing, but where we look for it."""
        await self._find(kind, "nobody's key")

    async def _change(self, group_id: str, operation: PatchOperation[Group]) -> None:
        with _readable():
            await self._scim.modify(Group, group_id, _GroupPatch(operations=[operation]))

    async def _found_or_created(self, kind: Kind, key: str, entry: User[Any] | Group) -> str:
        if (found := await self._find(kind, key)) is not None:
            return found
        try:
            with _readable():
                return _id_of(await self._scim.create(entry))
        except Taken:
            # Perhaps by ourselves: an earlier request whose answer was lost came only now.
            if (found := await self._find(kind, key)) is not None:
                return found
            raise

    async def _find(self, kind: Kind, key: str) -> str | None:
        wanted = SearchRequest[Any](
            filter=ScimFilter[Any](f"externalId eq {json.dumps(key)}"),
            attributes=[Path[Any]("externalId")],
        )
        with _readable():
            answer = await self._scim.query(kind, query_parameters=wanted)
        if not isinstance(answer, ListResponse):
            raise bad_body()
        ours = [entry for entry in answer.resources or () if entry.external_id == key]
        return _id_of(ours[0]) if ours else None


class _Scim(BaseAsyncSCIMClient):
    """The library's client, on our way of talking; statuses are read by us."""

    def __init__(self, http: HttpApi) -> None:
        super().__init__(provider=ScimProvider(models=[User, Group]))
        self._http = http

    async def request(self, method: str, url: str, **given: Any) -> RawResponse:
        """The answer, if it is a success. Raises what the failure means."""
        response = await self._http.send(method, url, headers=SCIM_JSON, **given)
        if not response.is_success:
            raise as_connector_error(response)
        return response


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Whatever the library finds wrong with an answer."""
    try:
        yield
    except (SCIMClientException, SCIMException):
        raise bad_body() from None


@contextlib.contextmanager
def _applicants_words() -> Iterator[None]:
    """What the applicant told us, where SCIM does not allow it."""
    try:
        yield
    except ValidationError as error:
        fields = sorted({str(part["loc"][0]) for part in error.errors(include_input=False)})
        text = f"the application does not fit into the directory: {', '.join(fields)}"
        raise Refused("directory.invalid_request", text) from None


def _id_of(entry: object) -> str:
    """The id of an entry. Raises Unanswered where the answer has none."""
    identifier = getattr(entry, "id", None)
    if not isinstance(identifier, str) or not identifier:
        raise bad_body()
    return identifier
