"""The request ledger under everything that the outside, an operator or chance can do to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.once import Kept, Once
from connectors.errors import OutcomeLost, Refused, Unanswered
from database import reopening, requests
from database.claims import Conflict, InProgress, RefusedBefore
from database.connection import DatabaseDown, engine_for, transaction
from tests.faults.ledger import Ledger, Outside
from workflows.onboarding.messages import CreateCustomer, Customer
from workflows.request_key import outside_key


async def test_another_input_under_the_same_key_is_a_conflict(ledger: Ledger) -> None:
    await ledger.theirs()
    with pytest.raises(Conflict, match=f"^{ledger.key} was asked with another input"):
        await ledger.once.theirs(ledger.request("b"), Customer, send=ledger.outside.send)
    assert len(ledger.outside.sent) == 1


async def test_ids_alone_are_kept_and_the_outside_sees_a_hash(ledger: Ledger) -> None:
    await ledger.theirs()
    row = await ledger.row()
    assert row["state"] == "succeeded"
    assert row["result"] == {"customer_id": "cus_1"}
    assert row["workflow_id"] == ledger.key.rsplit("/", 1)[0]
    assert ledger.outside.sent == [outside_key(ledger.key, 1)]
    assert len(ledger.outside.sent[0]) <= 40
    assert "acme" not in ledger.outside.sent[0]


async def test_inside_the_lease_of_another_attempt_nothing_is_sent(ledger: Ledger) -> None:
    async with transaction(ledger.engine) as connection:
        await requests.claim(connection, ledger.request(), timedelta(seconds=30))
    with pytest.raises(InProgress, match=f"^{ledger.key} is being carried out") as busy:
        await ledger.theirs()
    assert timedelta(seconds=25) < busy.value.left <= timedelta(seconds=30)
    assert ledger.outside.sent == []
    await ledger.time_passes(timedelta(seconds=31))
    await ledger.theirs()


async def test_who_lost_the_lease_may_not_finish(ledger: Ledger) -> None:
    """A slow attempt comes back after another took over: it records nothing."""

    async def slow(key: str) -> Customer:
        await ledger.time_passes(timedelta(minutes=5))
        await ledger.theirs()
        return Customer(customer_id="cus_of_the_slow_one")

    with pytest.raises(InProgress):
        await ledger.once.theirs(ledger.request(), Customer, send=slow)
    assert (await ledger.row())["result"] == {"customer_id": "cus_1"}


async def test_no_answer_lets_the_next_attempt_on_with_the_same_key(ledger: Ledger) -> None:
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    assert (await ledger.row())["state"] == "pending"
    assert (await ledger.theirs()).customer_id == "cus_1"
    assert ledger.outside.sent == [outside_key(ledger.key, 1)] * 2
    assert len(ledger.outside.made) == 1


async def test_a_definite_no_is_kept_and_only_a_higher_generation_asks_again(
    ledger: Ledger,
) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [Refused("stripe.invalid_request", "400 email_invalid")]
    for _ in range(2):
        with pytest.raises(RefusedBefore) as no:
            await ledger.theirs()
        assert (no.value.key, no.value.generation) == (ledger.key, 1)
        assert (no.value.type, no.value.reason) == ("stripe.invalid_request", str(no.value))
        assert str(no.value) == "400 email_invalid"
    assert len(ledger.outside.sent) == 1
    assert (await ledger.theirs(generation=2, version=2)).customer_id == "cus_1"
    assert ledger.outside.sent[-1] == outside_key(ledger.key, 2)
    # Whoever still asks with the first generation gets what came of the second.
    assert (await ledger.theirs()).customer_id == "cus_1"


async def test_a_refused_request_that_is_asked_again_is_sent_for_the_first_time(
    ledger: Ledger,
) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [Refused("stripe.invalid_request", "400 email_invalid")]
    with pytest.raises(RefusedBefore):
        await ledger.theirs()
    await ledger.time_passes(timedelta(hours=24))
    await ledger.theirs(generation=2)
    assert ledger.outside.sent == [outside_key(ledger.key, 1), outside_key(ledger.key, 2)]
    assert ledger.outside.looked_for == []


async def test_it_is_looked_for_since_it_was_first_sent_in_its_generation(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [
        Unanswered("stripe.connection", "reset"),
        OutcomeLost("stripe.server_replayed", "500 replayed"),
    ]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.time_passes(timedelta(hours=24))
    first = (await ledger.row())["first_sent_at"]
    with pytest.raises(RefusedBefore):
        await ledger.theirs()
    anew = (await ledger.row())["first_sent_at"]
    assert ledger.outside.looked_since == [first, anew]
    assert first != anew


async def test_a_lost_outcome_is_looked_up_and_adopted(ledger: Ledger) -> None:
    ledger.outside.failing = [OutcomeLost("stripe.server_replayed", "500 replayed")]
    assert (await ledger.theirs()).customer_id == "cus_1"
    assert ledger.outside.looked_for == [outside_key(ledger.key, 1)]


async def test_a_lost_outcome_that_is_not_found_is_refused(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [OutcomeLost("stripe.server_replayed", "500 replayed")]
    with pytest.raises(RefusedBefore):
        await ledger.theirs()
    assert (await ledger.theirs(generation=2)).customer_id == "cus_1"


async def test_a_no_after_a_lost_answer_is_not_believed_before_looking(ledger: Ledger) -> None:
    """The first send was carried out, its answer lost; then our key to the outside is revoked."""
    ledger.outside.failing = [
        Unanswered("stripe.connection", "reset"),
        Refused("stripe.auth", "401"),
    ]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    assert (await ledger.theirs()).customer_id == "cus_1"
    assert len(ledger.outside.made) == 1


async def test_nothing_found_counts_only_once_no_answer_can_be_on_its_way(ledger: Ledger) -> None:
    """The first send is slow: it is carried out after the second was refused and looked for."""
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [
        Unanswered("stripe.connection", "timeout"),
        Refused("stripe.auth", "401"),
        Refused("stripe.auth", "401"),
    ]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    with pytest.raises(Unanswered) as wait:
        await ledger.theirs()
    assert wait.value.type == "request.in_flight"
    assert (await ledger.row())["state"] == "pending"
    ledger.outside.made[outside_key(ledger.key, 1)] = "cus_slow"
    assert (await ledger.theirs()).customer_id == "cus_slow"


async def test_at_the_end_of_the_keys_life_a_slow_answer_is_waited_for(ledger: Ledger) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [Unanswered("stripe.connection", "timeout")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    sql = "UPDATE requests SET first_sent_at = first_sent_at - interval '1 day'"
    await ledger.rows(sql)  # sent for a day, the last time a moment ago
    with pytest.raises(Unanswered) as wait:
        await ledger.theirs()
    assert wait.value.type == "request.in_flight"
    assert len(ledger.outside.sent) == 1
    await ledger.time_passes(timedelta(minutes=5))
    await ledger.theirs()
    assert ledger.outside.sent[-1] == outside_key(ledger.key, 2)


async def test_what_was_stalled_past_its_lease_is_not_sent(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.once._OUTSIDE_AN_ACTIVITY", timedelta(0))
    with pytest.raises(InProgress):
        await ledger.theirs()
    assert ledger.outside.sent == []


async def test_a_defect_lets_the_next_attempt_on(ledger: Ledger) -> None:
    async def defective(key: str) -> Customer:
        raise TypeError(key)

    for _ in range(2):
        with pytest.raises(TypeError):
            await ledger.once.theirs(ledger.request(), Customer, send=defective)
    assert (await ledger.theirs()).customer_id == "cus_1"


@pytest.mark.parametrize("hours", [1, 22])
async def test_while_the_key_lives_it_is_sent_again_without_looking(
    ledger: Ledger, hours: int
) -> None:
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.time_passes(timedelta(hours=hours))
    await ledger.theirs()
    assert ledger.outside.looked_for == []
    assert len(ledger.outside.made) == 1


async def test_once_the_key_may_be_forgotten_what_was_made_is_found(ledger: Ledger) -> None:
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.time_passes(timedelta(hours=24))
    assert (await ledger.theirs()).customer_id == "cus_1"
    assert len(ledger.outside.sent) == 1


async def test_once_the_key_may_be_forgotten_nothing_found_is_a_new_generation(
    ledger: Ledger,
) -> None:
    ledger.outside.after_the_commit = False
    ledger.outside.failing = [Unanswered("stripe.connection", "reset")]
    with pytest.raises(Unanswered):
        await ledger.theirs()
    await ledger.time_passes(timedelta(hours=24))
    await ledger.theirs()
    assert ledger.outside.sent == [outside_key(ledger.key, 1), outside_key(ledger.key, 2)]
    assert (await ledger.row())["generation"] == 2


async def test_what_a_request_made_last_is_known_after_it_was_reopened_too(ledger: Ledger) -> None:
    assert await ledger.once.last_made(ledger.key, Customer) is None
    made = await ledger.theirs()
    assert await ledger.once.last_made(ledger.key, Customer) == made
    async with transaction(ledger.engine) as connection:
        await reopening.reopen(connection, ledger.key, 1, actor="ada", reason="once more")
    assert await ledger.once.last_made(ledger.key, Customer) == made
    again = await ledger.theirs()
    assert again != made
    assert await ledger.once.last_made(ledger.key, Customer) == again


async def test_an_effect_of_our_own_that_fails_leaves_nothing_in_the_ledger(ledger: Ledger) -> None:
    async def failing(_: object) -> Kept:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await ledger.once.ours(ledger.request(), failing, Kept)
    assert await ledger.rows("SELECT * FROM requests") == []


async def test_an_optional_field_of_a_later_release_is_no_conflict(ledger: Ledger) -> None:
    class CreateCustomerTomorrow(CreateCustomer):
        language: str | None = None

    await ledger.theirs()
    tomorrow = CreateCustomerTomorrow(**ledger.request().model_dump())
    again = await ledger.once.theirs(tomorrow, Customer, send=ledger.outside.send)
    assert again.customer_id == "cus_1"


async def test_our_own_outage_is_told_apart_and_nothing_is_sent() -> None:
    nowhere = engine_for("postgresql://perdure:none@127.0.0.1:1/nowhere")
    outside = Outside()
    with pytest.raises(DatabaseDown):
        await Once(nowhere).theirs(
            CreateCustomer(request_key="a/b/c.d", application_id="a"), Customer, send=outside.send
        )
    assert outside.sent == []
    await nowhere.dispose()
