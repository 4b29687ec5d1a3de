"""Doing things once: the only way to the request ledger for effects.

An effect is named by its request key. Before it is carried out it is claimed in the ledger, and
what came of it is recorded there, so that a second attempt, at the same time or after a crash,
meets what the first one did.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio import activity

from connectors.capabilities import Sent
from connectors.errors import OutcomeLost, Refused, Unanswered
from database import claims, requests
from database.connection import statement, transaction
from database.prepared import Effect
from workflows.request_key import Message, Request
from workflows.step import Undo, Undone

Result = TypeVar("Result", bound=Message)

ALWAYS = timedelta.max
"""For systems that remember a key for good, or that cannot be asked what they did."""

_WHILE_ANOTHER_MAKES_IT = timedelta(seconds=1)
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
                kept = made.model_dump(mode="json")
                await requests.settle_ours(connection, request.request_key, kept)
            return made

    async def ours_at_once(
        self, request: Request, effect: Effect, values: Mapping[str, Any]
    ) -> None:
        """`ours`, for an effect that is one statement and has nothing to tell.

        Raises Conflict, TakenBack or DatabaseDown.
        """
        async with statement(self._engine) as connection:
            if await requests.effect_the_first_time(connection, request, effect, values):
                return
        async with transaction(self._engine) as connection:
            if await requests.first_time(connection, request) is None:
                await effect.carry_out(connection, values)

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
        until = time.monotonic() + lease.total_seconds()
        held = await self._claim(request, lease)
        if isinstance(held, claims.Done):
            return result.model_validate(held.result)
        attempt = _Attempt(self._engine, request, held, until, send, find)
        try:
            made = await attempt.carry_out(keys_live, lease)
        except (Refused, OutcomeLost) as no:
            held = attempt.held
            async with statement(self._engine) as connection:
                await requests.refuse(connection, held, no.type, no.text, sure=attempt.sure(no))
            raise claims.RefusedBefore(held.key, held.generation, no.type, no.text) from no
        except Exception as error:
            quiet_in = None
            if isinstance(error, StillOnItsWay):
                quiet_in = error.quiet_in
            elif isinstance(error, _ToldOnly):
                quiet_in = attempt.held.quiet_in or timedelta(0)
            async with statement(self._engine) as connection:
                await requests.release(connection, attempt.held, quiet_in=quiet_in)
            raise
        async with statement(self._engine) as connection:
            kept = made.model_dump(mode="json")
            in_time = await requests.succeed(connection, attempt.held, kept)
        if not in_time:
            raise claims.TakenBack(held.key)
        return made

    async def shared(
        self,
        request: Request,
        result: type[Result],
        *,
        send: Callable[[str], Awaitable[Result]],
        find: Callable[[Sent], Awaitable[Result | None]],
    ) -> Result:
        """`theirs`, for what several processes share under one key.

        Whoever comes second asks again in a moment instead of waiting for the lease. A no is told
        and not kept: it would hold up every one of them for good. What had no answer is looked for
        once all is quiet, and only then sent again: there would be two, and they would not notice.

        Raises Conflict, TakenBack, Refused, Unanswered or DatabaseDown.
        """

        async def send_unkept(key: str) -> Result:
            try:
                return await send(key)
            except Refused as no:
                raise _ToldOnly(no) from no

        async with statement(self._engine) as connection:
            done = await requests.done_before(connection, request)
        if done is not None:
            return result.model_validate(done.result)
        try:
            return await self.theirs(
                request, result, send=send_unkept, find=find, keys_live=timedelta(0)
            )
        except claims.InProgress:
            text = "another process is making what they share"
            raise Unanswered("request.shared", text, _WHILE_ANOTHER_MAKES_IT) from None
        except _ToldOnly as error:
            raise error.no from None

    async def last_made(self, key: str, result: type[Result]) -> Result | None:
        """What a request made last, reopened since or not; None where it made nothing so far.

        Raises DatabaseDown.
        """
        async with statement(self._engine) as connection:
            made = await requests.last_made(connection, key)
        return None if made is None else result.model_validate(made)

    async def undo(
        self,
        undo: Undo,
        result: type[Result],
        *,
        find: Callable[[Sent, dict[str, Any]], Awaitable[Result | None]],
        remove: Callable[[Result], Awaitable[object]],
    ) -> Undone:
        """Take back the effect of the request `undo.of`, itself an effect that is done once.

        The request is sealed first, so that a late attempt at it meets a tombstone. While an answer
        to an earlier attempt may still be on its way, this one waits, even where a later one
        succeeded. Only what our ledger says we made is removed: its result, and what is found under
        its key.

        Raises what `theirs` raises.
        """

        async def take_back(_: str) -> Undone:
            async with transaction(self._engine) as connection:
                sealed = await requests.seal(connection, undo.of)
            if sealed.quiet_in is not None:
                raise StillOnItsWay(sealed.quiet_in)
            made = [result.model_validate(one) for one in sealed.results]

            async def found_besides() -> Result | None:
                if sealed.first_sent_at is None:
                    return None
                sent = Sent(sealed.outside_key, sealed.first_sent_at)
                found = await find(sent, sealed.input or {})
                if found is None or found in made:
                    return None
                made.append(found)
                noted = found.model_dump(mode="json")
                async with transaction(self._engine) as connection:
                    await requests.note_found(connection, undo.of, noted)
                return found  # noted first: once it is removed nobody can find it again

            if not sealed.made:
                await found_besides()
            for one in reversed(made):
                await remove(one)
            if sealed.made and sealed.in_doubt and (stray := await found_besides()) is not None:
                await remove(stray)
            return Undone(existed=bool(made))

        return await self.theirs(undo, Undone, send=take_back)

    async def _claim(self, request: Request, lease: timedelta) -> claims.Claim | claims.Done:
        """Nearly all requests are new, and one statement claims them."""
        async with statement(self._engine) as connection:
            new = await requests.claim_new(connection, request, lease)
        if new is not None:
            return new
        async with transaction(self._engine) as connection:
            return await requests.claim(connection, request, lease)


class _ToldOnly(Unanswered):
    """A definite no that is not to be kept."""

    def __init__(self, no: Refused) -> None:
        super().__init__(no.type, no.text)
        self.no = no


class StillOnItsWay(Unanswered):
    """Nothing is there yet, but an answer to an earlier attempt may still be on its way."""

    def __init__(self, quiet_in: timedelta) -> None:
        text = "an answer to the request may still be on its way"
        super().__init__("request.in_flight", text, retry_after=quiet_in)
        self.quiet_in = quiet_in


@dataclass
class _Attempt(Generic[Result]):
    """An attempt at a request that it holds; `until` is when its lease ends, by our own clock."""

    engine: AsyncEngine
    request: Request
    held: claims.Claim
    until: float
    send: Callable[[str], Awaitable[Result]]
    find: Callable[[Sent], Awaitable[Result | None]] | None

    async def carry_out(self, keys_live: timedelta, lease: timedelta) -> Result:
        """Send it, or find what an earlier send made. Raises ConnectorError or InProgress."""
        sent_before = self.held.sent_before
        if self.find and sent_before is not None and sent_before >= keys_live:
            made = await self._found()
            if made is not None:
                return made
            async with transaction(self.engine) as connection:
                self.held = await requests.claim_anew(connection, self.held, self.request, lease)
        try:
            return await self._answer()
        except (Refused, OutcomeLost) as no:
            made = None if self.sure(no) else await self._found()
            if made is None:
                raise
            return made

    def sure(self, no: Refused | OutcomeLost) -> bool:
        """Whether nothing was done: a no to the first send says so, a later one does not."""
        return isinstance(no, Refused) and self.held.sent_before is None

    async def _answer(self) -> Result:
        # An attempt that was stalled past its lease must not send: its undo may be over.
        left = self.until - time.monotonic()
        if left <= 0:
            raise claims.InProgress(self.held.key, timedelta(seconds=1))
        try:
            async with asyncio.timeout(left):
                return await self.send(self.held.outside_key)
        except TimeoutError as late:
            text = "no answer before the lease was over"
            raise Unanswered("request.too_slow", text) from late

    async def _found(self) -> Result | None:
        """What is there. That nothing is counts only once no answer can be on its way any more."""
        made = await self.find(_sent(self.held)) if self.find else None
        if made is None and self.held.quiet_in is not None:
            raise StillOnItsWay(self.held.quiet_in)
        return made


def _sent(held: claims.Claim) -> Sent:
    return Sent(held.outside_key, held.first_sent_at)


def _lease() -> timedelta:
    """How long this attempt may take, and a little more: nobody else begins before."""
    if not activity.in_activity():
        return _OUTSIDE_AN_ACTIVITY
    return (activity.info().start_to_close_timeout or _OUTSIDE_AN_ACTIVITY) + _MARGIN
