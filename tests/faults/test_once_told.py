"""What `once` keeps of an effect and tells of it: to the next attempt, to the undo, to people."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.testing import ActivityEnvironment

from connectors.capabilities import Sent
from connectors.errors import OutcomeLost, Refused, Unanswered
from database.claims import InProgress, RefusedBefore, TakenBack
from tests.faults.ledger import Ledger
from workflows.onboarding.messages import Customer
from workflows.request_key import Message, outside_key
from workflows.step import Undo

LATE = Unanswered("stripe.connection", "reset")
NO = Refused("stripe.auth", "401 no such key")


class Dated(Message):
    """A result that JSON has no word for."""

    at: datetime


NOON = Dated(at=datetime(2026, 1, 31, 12, tzinfo=UTC))


async def noon(_: object) -> Dated:
    return NOON


async def test_what_came_of_an_effect_of_our_own_is_kept_in_its_transaction(
    ledger: Ledger,
) -> None:
    transactions: list[int] = []

    async def effect(connection: AsyncConnection) -> Dated:
        rows = await connection.scalar(text("SELECT count(*) FROM requests"))
        transactions.append(rows or 0)
        return NOON

    first = await ledger.once.ours(ledger.request(), effect, Dated)
    again = await ledger.once.ours(ledger.request(), effect, Dated)
    assert first == again == NOON
    assert transactions == [1]  # it saw its own claim, which nobody else does before the end
    assert (await ledger.row())["result"] == {"at": "2026-01-31T12:00:00Z"}


async def test_a_result_is_kept_as_json_has_it(ledger: Ledger) -> None:
    for _ in range(2):
        assert await ledger.once.theirs(ledger.request(), Dated, send=noon) == NOON


async def test_a_no_is_kept_with_its_reason_and_names_its_request(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [NO]
    for _ in range(2):
        with pytest.raises(RefusedBefore) as no:
            await ledger.theirs()
        assert (no.value.key, no.value.reason) == (ledger.key, "401 no such key")


async def test_without_a_way_to_look_a_lost_outcome_is_refused(ledger: Ledger) -> None:
    ledger.outside.failing = [OutcomeLost("stripe.server_replayed", "500 replayed")]
    with pytest.raises(RefusedBefore):
        await ledger.once.theirs(ledger.request(), Customer, send=ledger.outside.send)


async def test_the_search_is_told_since_when(ledger: Ledger) -> None:
    ledger.outside.failing = [OutcomeLost("stripe.server_replayed", "500 replayed")]
    await ledger.theirs()
    assert ledger.outside.looked_since == [(await ledger.row())["first_sent_at"]]


async def test_looking_in_vain_does_not_put_off_the_time_when_all_is_quiet(
    ledger: Ledger,
) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [LATE, NO, NO]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.time_passes(timedelta(seconds=20))
    for _ in range(2):
        with pytest.raises(Unanswered) as wait:
            await ledger.theirs()
        assert wait.value.type == "request.in_flight"
        assert wait.value.text == "an answer to the request may still be on its way"
        assert wait.value.retry_after is not None
        assert timedelta(seconds=5) < wait.value.retry_after <= timedelta(seconds=10)


async def test_what_takes_longer_than_its_lease_is_given_up(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.once._OUTSIDE_AN_ACTIVITY", timedelta(seconds=0.3))

    async def slow(_: str) -> Customer:
        await asyncio.sleep(5)
        raise AssertionError("it was not given up")

    with pytest.raises(Unanswered) as late:
        await ledger.once.theirs(ledger.request(), Customer, send=slow)
    assert (late.value.type, late.value.text) == (
        "request.too_slow",
        "no answer before the lease was over",
    )


async def test_what_was_stalled_tells_its_request_and_when_to_ask_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.once._OUTSIDE_AN_ACTIVITY", timedelta(0))
    with pytest.raises(InProgress, match=ledger.key) as stalled:
        await ledger.theirs()
    assert stalled.value.left == timedelta(seconds=1)


async def test_an_activity_holds_its_request_a_little_longer_than_it_may_take(
    ledger: Ledger,
) -> None:
    leases: list[timedelta] = []

    async def look(_: str) -> Customer:
        sql = "SELECT lease_until - clock_timestamp() AS left FROM requests WHERE key = :key"
        leases.append((await ledger.rows(sql, key=ledger.key))[0]["left"])
        raise LATE

    async def attempt() -> None:
        with pytest.raises(Unanswered):
            await ledger.once.theirs(
                ledger.request(),
                Customer,
                send=look,
                find=ledger.outside.find,
                keys_live=timedelta(hours=1),
            )

    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, start_to_close_timeout=timedelta(seconds=60)
    )
    await environment.run(attempt)  # new
    await environment.run(attempt)  # claimed again
    await ledger.time_passes(timedelta(hours=2))
    await environment.run(attempt)  # in a new generation, after the key's life
    assert len(leases) == 3
    assert all(timedelta(seconds=60) < lease <= timedelta(seconds=62) for lease in leases)


async def test_what_was_taken_back_is_named(ledger: Ledger) -> None:
    async def overtaken(key: str) -> Customer:
        made = await ledger.outside.send(key)
        with pytest.raises(Unanswered):
            await ledger.undo()
        return made

    with pytest.raises(TakenBack, match=ledger.key):
        await ledger.once.theirs(ledger.request(), Customer, send=overtaken)


async def test_an_undo_waits_as_long_as_an_answer_may_take_and_is_told_what_was_asked(
    ledger: Ledger,
) -> None:
    ledger.outside.failing = [LATE]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    with pytest.raises(Unanswered) as wait:
        await ledger.undo()
    assert wait.value.retry_after is not None
    assert timedelta(seconds=25) < wait.value.retry_after <= timedelta(seconds=32)
    await ledger.time_passes(timedelta(minutes=5))
    assert await ledger.undo() is True
    assert ledger.outside.undone == [{"application_id": "a", "version": 1}]
    assert ledger.outside.looked_since[0] is not None


async def test_what_an_undo_found_is_noted_before_it_is_removed(ledger: Ledger) -> None:
    """The removal is carried out and its answer lost: nobody could find it any more."""
    there, removed = [NOON], []

    async def late(_: str) -> Dated:
        raise LATE

    async def find(sent: Sent, _: dict[str, object]) -> Dated | None:
        return there[0] if there else None

    async def remove(found: Dated) -> None:
        there.clear()
        removed.append(found)
        if len(removed) == 1:
            raise LATE

    undo = Undo(request_key=ledger.key.replace("create", "delete"), of=ledger.key)
    with pytest.raises(Unanswered):
        await ledger.once.theirs(ledger.request(), Dated, send=late)
    await ledger.time_passes(timedelta(minutes=5))
    with pytest.raises(Unanswered):
        await ledger.once.undo(undo, Dated, find=find, remove=remove)
    assert (await ledger.once.undo(undo, Dated, find=find, remove=remove)).existed
    assert removed == [NOON, NOON]


async def test_whoever_comes_second_to_what_is_shared_asks_again_in_a_moment(
    ledger: Ledger,
) -> None:
    second: list[Unanswered] = []

    async def shared() -> Customer:
        return await ledger.once.shared(
            ledger.request(), Customer, send=send, find=ledger.outside.find
        )

    async def send(key: str) -> Customer:
        with pytest.raises(Unanswered) as busy:
            await shared()
        second.append(busy.value)
        return await ledger.outside.send(key)

    made = await shared()
    assert await shared() == made
    (told,) = second
    assert (told.type, told.text, told.retry_after) == (
        "request.shared",
        "another process is making what they share",
        timedelta(seconds=1),
    )
    assert ledger.outside.sent == [outside_key(ledger.key, 1)]


async def test_a_lost_outcome_of_what_is_shared_is_looked_up(ledger: Ledger) -> None:
    ledger.outside.failing = [OutcomeLost("stripe.server_replayed", "500 replayed")]
    made = await ledger.once.shared(
        ledger.request(), Customer, send=ledger.outside.send, find=ledger.outside.find
    )
    assert made.customer_id == "cus_1"


async def test_a_no_to_what_is_shared_is_told_and_not_kept(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [NO, LATE]

    async def shared() -> Customer:
        return await ledger.once.shared(
            ledger.request(), Customer, send=ledger.outside.send, find=ledger.outside.find
        )

    with pytest.raises(Refused) as no:
        await shared()
    assert no.value is NO
    with pytest.raises(Unanswered) as late:
        await shared()
    assert late.value is LATE
    with pytest.raises(Unanswered) as wait:
        await shared()
    assert wait.value.type == "request.in_flight", "it could come now, and then there were two"
    assert len(ledger.outside.sent) == 2
    await ledger.time_passes(timedelta(minutes=5))
    assert (await shared()).customer_id == "cus_1"
