"""What is taken back, and what is done again on purpose: by an undo, by an operator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.once import Kept
from connectors.capabilities import Sent
from connectors.errors import Refused, Unanswered
from database import reopening, requests
from database.claims import RefusedBefore, TakenBack
from database.connection import transaction
from database.reopening import NotReopened
from tests.faults.ledger import Ledger
from workflows.onboarding.messages import Customer
from workflows.request_key import outside_key
from workflows.step import Undo


async def test_undoing_takes_back_what_was_made_before_it_was_reopened_too(ledger: Ledger) -> None:
    await ledger.theirs()
    async with transaction(ledger.engine) as connection:
        await reopening.reopen(connection, ledger.key, 1, actor="ada", reason="once more")
    await ledger.theirs()
    assert len(ledger.outside.made) == 2
    await ledger.undo()
    assert ledger.outside.made == {}


async def test_undoing_looks_for_what_a_doubtful_no_may_have_left(ledger: Ledger) -> None:
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    made = dict(ledger.outside.made)
    ledger.outside.made.clear()
    ledger.outside.failing = [Refused("stripe.auth", "401")]
    ledger.outside.after_the_commit = False
    await ledger.time_passes(timedelta(minutes=5))
    with pytest.raises(RefusedBefore):
        await ledger.theirs()
    ledger.outside.made.update(made)  # later than anybody would have thought
    assert await ledger.undo() is True
    assert ledger.outside.made == {}


async def test_undoing_what_was_never_asked_leaves_a_tombstone(ledger: Ledger) -> None:
    assert await ledger.undo() is False
    with pytest.raises(TakenBack, match=f"^{ledger.key} was undone before"):
        await ledger.theirs()
    assert ledger.outside.sent == []


async def test_undoing_removes_what_was_made_and_late_attempts_are_refused(ledger: Ledger) -> None:
    await ledger.theirs()
    assert await ledger.undo() is True
    assert await ledger.undo() is True
    assert ledger.outside.made == {}
    with pytest.raises(TakenBack):
        await ledger.theirs()


async def test_undoing_waits_while_an_answer_may_be_on_its_way(ledger: Ledger) -> None:
    """The create committed and its answer was lost; the undo finds it by its key."""
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    with pytest.raises(Unanswered) as wait:
        await ledger.undo()
    assert wait.value.type == "request.in_flight"
    assert len(ledger.outside.made) == 1
    with pytest.raises(TakenBack):
        await ledger.theirs()
    await ledger.time_passes(timedelta(minutes=5))
    assert await ledger.undo() is True
    assert ledger.outside.made == {}


async def test_an_attempt_that_finishes_under_the_undo_is_removed_too(ledger: Ledger) -> None:
    async def overtaken(key: str) -> Customer:
        made = await ledger.outside.send(key)
        with pytest.raises(Unanswered):
            await ledger.undo()
        return made

    with pytest.raises(TakenBack):
        await ledger.once.theirs(ledger.request(), Customer, send=overtaken)
    assert (await ledger.row())["state"] == "undone"
    audit = await ledger.rows("SELECT * FROM audit WHERE event = 'request.made_after_undo'")
    assert audit[0]["details"]["result"] == {"customer_id": "cus_1"}
    assert await ledger.undo() is True
    assert ledger.outside.made == {}


async def test_what_was_refused_needs_no_search_to_undo(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [Refused("stripe.card", "402")]
    with pytest.raises(RefusedBefore):
        await ledger.theirs()
    assert await ledger.undo() is False
    assert ledger.outside.looked_for == []


async def test_reopening_has_an_effect_done_again_on_purpose_and_is_audited(
    ledger: Ledger,
) -> None:
    await ledger.theirs()
    async with transaction(ledger.engine) as connection:
        await reopening.reopen(
            connection, ledger.key, 1, actor="ada", reason="made in the wrong account"
        )
    await ledger.theirs(version=2)
    assert ledger.outside.sent == [outside_key(ledger.key, 1), outside_key(ledger.key, 2)]
    audit = await ledger.rows("SELECT * FROM audit WHERE event = 'request.reopened'")
    assert (audit[0]["actor"], audit[0]["details"]["key"]) == ("ada", ledger.key)


async def test_what_is_pending_or_unknown_cannot_be_reopened(ledger: Ledger) -> None:
    async with transaction(ledger.engine) as connection:
        await requests.claim(connection, ledger.request(), timedelta(seconds=30))
    for key in (ledger.key, "onboarding/acme/x/billing.create_customer"):
        with pytest.raises(NotReopened):
            async with transaction(ledger.engine) as connection:
                await reopening.reopen(connection, key, 1, actor="ada", reason="why not")


async def test_a_reopened_effect_of_our_own_happens_again(ledger: Ledger) -> None:
    happened: list[int] = []

    async def effect(_: object) -> Kept:
        happened.append(1)
        return Kept()

    for _ in range(2):
        await ledger.once.ours(ledger.request(), effect, Kept)
    assert len(happened) == 1
    async with transaction(ledger.engine) as connection:
        await reopening.reopen(connection, ledger.key, 1, actor="ada", reason="lost by hand")
    for _ in range(2):
        await ledger.once.ours(ledger.request(), effect, Kept)
    assert len(happened) == 2
    assert (await ledger.row())["state"] == "succeeded"


async def test_an_undo_waits_for_an_early_attempt_although_a_later_one_succeeded(
    ledger: Ledger,
) -> None:
    outside = ledger.outside
    outside.after_the_commit = False
    outside.failing = [Unanswered("stripe.timeout", "no answer")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.theirs()
    with pytest.raises(Unanswered) as wait:
        await ledger.undo()
    assert wait.value.type == "request.in_flight"
    assert len(outside.made) == 1, "taken back now, it could be made anew by the early attempt"
    await ledger.time_passes(timedelta(minutes=5))
    assert await ledger.undo() is True
    assert outside.made == {}


async def test_an_undo_of_what_was_answered_at_once_does_not_wait(ledger: Ledger) -> None:
    await ledger.theirs()
    assert await ledger.undo() is True


async def test_what_an_early_attempt_made_besides_is_taken_back_too(ledger: Ledger) -> None:
    """Where nothing is unique outside, a late answer may make a second one under the same key."""
    there: list[str] = []
    early = Unanswered("directory.timeout", "no answer")

    async def send(_: str) -> Customer:
        if not there:
            there.append("first")
            raise early
        there.append("second")
        return Customer(customer_id="second")

    async def find(_: Sent, __: object) -> Customer | None:
        return Customer(customer_id=there[0]) if there else None

    async def remove(one: Customer) -> None:
        there.remove(one.customer_id)

    with pytest.raises(Unanswered):
        await ledger.once.theirs(ledger.request(), Customer, send=send)
    await ledger.once.theirs(ledger.request(), Customer, send=send)
    await ledger.time_passes(timedelta(minutes=5))
    undo = Undo(request_key=ledger.key.replace("create", "delete"), of=ledger.key)
    assert (await ledger.once.undo(undo, Customer, find=find, remove=remove)).existed
    assert there == []
