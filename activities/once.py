"""Doing things once: the only way to the request ledger.

An effect is named by its request key. Before it is carried out it is claimed in the ledger, and
what came of it is recorded there, so that a second attempt, at the same time or after a crash,
meets what the first one did.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio import activity

from connectors.capabilities import Sent
from connectors.errors import OutcomeLost, Refused, Unanswered
from database import requests
from database.connection import transaction
from workflows.request_key import Message, Request
from workflows.step import Undo, Undone

Result = TypeVar("Result", bound=Message)

ALWAYS = timedelta.max
"""For systems that remember a key for good, or that cannot be asked what they did."""

_MARGIN = timedelta(seconds=2)
_OUTSIDE_AN_ACTIVITY = timedelta(seconds=30)


class Kept(Message):
    """The result of an effect that has nothing to tell."""


class Once:
    """Runs effects once for each request key, with our database as its memory."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ours(
        self,
        request: Request,
        effect: Callable[[AsyncConnection], Awaitable[Result]],
        result: type[Result],
    ) -> Result:
        """An effect in our own database: it and its ledger row are committed in one transaction.

        Raises Conflict, TakenBack or DatabaseDown.
        """
        async with transaction(self._engine) as connection:
            done = await requests.first_time(connection, request)
            if done is not None:
                return result.model_validate(done.result)
            made = await effect(connection)
            if made != Kept():
                await requests.settle_ours(connection, request, made.model_dump(mode="json"))
            return made

    async def theirs(
        self,
        request: Request,
        result: type[Result],
        *,
        send: Callable[[str], Awaitable[Result]],
        find: Callable[[Sent], Awaitable[Result | None]] | None = None,
        keys_live: timedelta = ALWAYS,
    ) -> Result:
        """An effect on somebody else's system, under a key that it is given.

        1. Claim the request and commit, so that no other attempt begins meanwhile.
        2. Where it was sent before, longer ago than the other side remembers keys (`keys_live`):
           `find` it, and only if it is not there go on, under a new generation.
        3. `send` it with the key. Where the outcome will never be told, or a no comes after a send
           without an answer, `find` it. A no that stands is recorded as refused. No answer lets
           the next attempt on.
        4. Record what was made and commit.

        Raises InProgress, Conflict, TakenBack, RefusedBefore, Unanswered or DatabaseDown.
        """
        lease = _lease()
        async with transaction(self._engine) as connection:
            held = await requests.claim(connection, request, lease)
        if isinstance(held, requests.Done):
            return result.model_validate(held.result)
        try:
            made = None
            if find and held.sent_before is not None and held.sent_before >= keys_live:
                made = await find(_sent(held))
                if made is None:
                    async with transaction(self._engine) as connection:
                        held = await requests.claim_anew(connection, held, request, lease)
            if made is None:
                made = await self._sent_or_found(held, send, find)
        except (Refused, OutcomeLost) as no:
            await self._refuse(held, no)
            raise requests.RefusedBefore(held.key, held.generation, no.type, no.text) from no
        except Unanswered:
            async with transaction(self._engine) as connection:
                await requests.release(connection, held)
            raise
        async with transaction(self._engine) as connection:
            await requests.succeed(connection, held, made.model_dump(mode="json"))
        return made

    async def undo(
        self,
        undo: Undo,
        result: type[Result],
        *,
        find: Callable[[Sent, dict[str, Any]], Awaitable[Result | None]],
        remove: Callable[[Result], Awaitable[bool]],
    ) -> Undone:
        """Take back the effect of the request `undo.of`, itself an effect that is done once.

        The request is sealed first, so that a late attempt at it meets a tombstone. While an answer
        to an earlier attempt may still be on its way, this one waits. Only what our ledger says we
        made is removed: its result, or what is found under its key.

        Raises what `theirs` raises.
        """

        async def take_back(_: str) -> Undone:
            async with transaction(self._engine) as connection:
                sealed = await requests.seal(connection, undo.of)
            if sealed.quiet_in is not None:
                text = "an answer to the request may still be on its way"
                raise Unanswered("request.in_flight", text, retry_after=sealed.quiet_in)
            made: Result | None = None
            if sealed.result is not None:
                made = result.model_validate(sealed.result)
            elif sealed.first_sent_at is not None:
                made = await find(
                    Sent(sealed.outside_key, sealed.first_sent_at), sealed.input or {}
                )
                if made is not None:  # noted first: once it is removed nobody can find it again
                    async with transaction(self._engine) as connection:
                        await requests.note_found(connection, undo.of, made.model_dump(mode="json"))
            if made is not None:
                await remove(made)
            return Undone(existed=made is not None)

        return await self.theirs(undo, Undone, send=take_back)

    async def _sent_or_found(
        self,
        held: requests.Claim,
        send: Callable[[str], Awaitable[Result]],
        find: Callable[[Sent], Awaitable[Result | None]] | None,
    ) -> Result:
        try:
            return await send(held.outside_key)
        except (Refused, OutcomeLost) as no:
            # A no to the first send is definite; a later one says nothing of the sends before it.
            unsure = isinstance(no, OutcomeLost) or held.sent_before is not None
            made = await find(_sent(held)) if find and unsure else None
            if made is None:
                raise
            return made

    async def _refuse(self, held: requests.Claim, no: Refused | OutcomeLost) -> None:
        async with transaction(self._engine) as connection:
            await requests.refuse(connection, held, no.type, no.text)


def _sent(held: requests.Claim) -> Sent:
    return Sent(held.outside_key, held.first_sent_at)


def _lease() -> timedelta:
    """How long this attempt may take, and a little more: nobody else begins before."""
    if not activity.in_activity():
        return _OUTSIDE_AN_ACTIVITY
    return (activity.info().start_to_close_timeout or _OUTSIDE_AN_ACTIVITY) + _MARGIN
