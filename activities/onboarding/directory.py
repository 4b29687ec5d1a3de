"""The customer's user in the directory, and the group of the tenant's customers."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.onboarding.reading import application_of
from activities.once import Once
from connectors.capabilities import Directory, Sent
from workflows.onboarding.messages import CreateUser, JoinGroup, Membership, User
from workflows.onboarding.steps import DirectorySteps
from workflows.request_key import Message, Request, request_key
from workflows.step import Undo, Undone, implements


class _MakeGroup(Request):
    """Make the group of a tenant's customers."""

    tenant: str


class _Group(Message):
    group_id: str


class DirectoryActivities(DirectorySteps):
    """Users and memberships in the directory."""

    def __init__(self, engine: AsyncEngine, directory: Directory) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._directory = directory

    @implements(DirectorySteps.create_user)
    async def create_user(self, request: CreateUser) -> User:
        """Make the user."""
        form = (await application_of(self._engine, request)).form

        async def send(key: str) -> User:
            user_id = await self._directory.create_user(key, name=form["name"], email=form["email"])
            return User(user_id=user_id)

        return await self._once.theirs(request, User, send=send, find=self._find)

    @implements(DirectorySteps.delete_user)
    async def delete_user(self, request: Undo) -> Undone:
        """Delete the user that we made."""

        async def find(sent: Sent, _: dict[str, Any]) -> User | None:
            return await self._find(sent)

        async def remove(user: User) -> bool:
            return await self._directory.delete_user(user.user_id)

        return await self._once.undo(request, User, find=find, remove=remove)

    @implements(DirectorySteps.join_group)
    async def join_group(self, request: JoinGroup) -> Membership:
        """Put the user into the group of the tenant's customers."""
        group_id = await self._group_of((await application_of(self._engine, request)).tenant)

        async def send(_: str) -> Membership:
            await self._directory.add_member(group_id=group_id, user_id=request.user_id)
            return Membership(group_id=group_id, user_id=request.user_id)

        return await self._once.theirs(request, Membership, send=send)

    @implements(DirectorySteps.leave_group)
    async def leave_group(self, request: Undo) -> Undone:
        """Take the user out of the group again; the group stays, it is not this customer's."""

        async def find(_: Sent, asked: dict[str, Any]) -> Membership | None:
            joined = JoinGroup.model_validate(asked)
            key = _group_key((await application_of(self._engine, joined)).tenant)
            group = await self._once.last_made(key, _Group)
            return Membership(group_id=group.group_id, user_id=joined.user_id) if group else None

        async def remove(membership: Membership) -> bool:
            return await self._directory.remove_member(
                group_id=membership.group_id, user_id=membership.user_id
            )

        return await self._once.undo(request, Membership, find=find, remove=remove)

    async def _group_of(self, tenant: str) -> str:
        """The group of a tenant's customers, made once for all of them.

        Its key names the tenant: many onboardings ask for it, perhaps at the same time. A group
        that somebody deleted is made anew after `perdure request reopen` with that key.
        """

        async def send(key: str) -> _Group:
            return _Group(group_id=await self._directory.create_group(key, name=tenant))

        async def find(sent: Sent) -> _Group | None:
            group_id = await self._directory.find_group(sent)
            return _Group(group_id=group_id) if group_id else None

        request = _MakeGroup(request_key=_group_key(tenant), tenant=tenant)
        return (await self._once.shared(request, _Group, send=send, find=find)).group_id

    async def _find(self, sent: Sent) -> User | None:
        user_id = await self._directory.find_user(sent)
        return User(user_id=user_id) if user_id else None


def _group_key(tenant: str) -> str:
    return request_key(f"tenant/{tenant}", "directory.create_group")
