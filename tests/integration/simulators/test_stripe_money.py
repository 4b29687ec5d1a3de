"""Money: what is charged, what Stripe takes, when it is paid out, and how all of it is listed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from tests.integration.simulators.conftest import client_of
from tests.integration.simulators.receiver import Receiver
from tests.simulated import SimulatorHandle


async def pay(client: stripe.StripeClient, amount: int = 10_000, currency: str = "eur") -> str:
    """A payment by card, complete; its charge."""
    intent = await client.v1.payment_intents.create_async(
        {"amount": amount, "currency": currency, "confirm": True, "payment_method": "pm_card_visa"}
    )
    assert intent.status == "succeeded"
    return str(intent.latest_charge)


async def rows(client: stripe.StripeClient, **where: str) -> list[tuple[str, int, int, int]]:
    """Category, amount, fee and net of balance transactions, newest first."""
    query: Any = {"limit": 100, **where}  # Any: the filter is a variable
    page = await client.v1.balance_transactions.list_async(query)
    return [(each.reporting_category, each.amount, each.fee, each.net) for each in page.data]


async def test_a_payment_moves_the_balance_by_its_net(client: stripe.StripeClient) -> None:
    charge = await pay(client)
    [row] = (await client.v1.balance_transactions.list_async({"source": charge})).data
    assert (row.amount, row.fee, row.net) == (10_000, 350, 9_650)
    assert sum(each.amount for each in row.fee_details) == row.fee
    assert (row.type, row.reporting_category, row.status) == ("charge", "charge", "pending")
    balance = await client.v1.balance.retrieve_async()
    assert [(each.amount, each.currency) for each in balance.pending] == [(9_650, "eur")]
    assert [each.amount for each in balance.available] == [0]


async def test_each_days_payout_is_made_of_what_became_available(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await pay(client)
    await pay(client, 4_000)
    await world.advance(timedelta(days=8))
    [payout] = (await client.v1.payouts.list_async()).data
    assert (payout.amount, payout.status, payout.automatic) == (9_650 + 3_845, "paid", True)
    assert payout.reconciliation_status == "completed"
    assert await rows(client, payout=payout.id) == [
        ("payout", -13_495, 0, -13_495),
        ("charge", 4_000, 155, 3_845),
        ("charge", 10_000, 350, 9_650),
    ]
    balance = await client.v1.balance.retrieve_async()
    assert not balance.available or balance.available[0].amount == 0


async def test_a_partial_capture_makes_two_rows(client: stripe.StripeClient) -> None:
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": 10_000,
            "currency": "eur",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"order": "17"},
        }
    )
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 10_000)
    assert await rows(client) == []
    captured = await client.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 6_000}
    )
    assert (captured.status, captured.amount_received) == ("succeeded", 6_000)
    assert await rows(client) == [
        ("partial_capture_reversal", -4_000, 0, -4_000),
        ("charge", 10_000, 220, 9_780),
    ]
    charge = await client.v1.charges.retrieve_async(str(captured.latest_charge))
    assert (charge.amount_captured, charge.amount_refunded) == (6_000, 4_000)
    assert charge.to_dict()["metadata"] == {"order": "17"}
    with pytest.raises(stripe.InvalidRequestError, match="cannot be captured"):
        await client.v1.payment_intents.capture_async(intent.id)


async def test_several_captures_make_a_row_each(client: stripe.StripeClient) -> None:
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": 10_000,
            "currency": "eur",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
        }
    )
    first = await client.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 4_000, "final_capture": False}
    )
    assert (first.status, first.amount_capturable) == ("requires_capture", 6_000)
    with pytest.raises(stripe.InvalidRequestError, match="at most 6000"):
        await client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 6_001})
    last = await client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 5_000})
    assert (last.status, last.amount_received) == ("succeeded", 9_000)
    assert await rows(client, source=str(last.latest_charge)) == [
        ("charge", 5_000, 163, 4_837),
        ("charge", 4_000, 155, 3_845),
    ]
    whole = await client.v1.refunds.create_async({"payment_intent": intent.id})
    assert whole.amount == 9_000


async def test_what_is_held_can_be_let_go(client: stripe.StripeClient) -> None:
    charge = await client.v1.charges.create_async(
        {"amount": 500, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    assert charge.balance_transaction is None
    taken = await client.v1.charges.capture_async(charge.id)
    assert taken.captured
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": 500,
            "currency": "usd",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
        }
    )
    gone = await client.v1.payment_intents.cancel_async(intent.id)
    assert gone.status == "canceled"
    assert await rows(client) == [("charge", 500, 41, 459)]


async def test_a_declined_card_is_a_refusal_that_is_kept(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await client.v1.payment_intents.create_async(
            {
                "amount": 500,
                "currency": "eur",
                "confirm": True,
                "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
            }
        )
    assert declined.value.http_status == 402
    assert declined.value.code == "card_declined"
    assert declined.value.error is not None
    assert declined.value.error.decline_code == "insufficient_funds"
    [intent] = (await client.v1.payment_intents.list_async()).data
    assert intent.status == "requires_payment_method"
    assert intent.to_dict()["last_payment_error"]["code"] == "card_declined"
    [charge] = (await client.v1.charges.list_async({"payment_intent": intent.id})).data
    assert (charge.status, charge.paid) == ("failed", False)
    paid = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa"}
    )
    assert paid.status == "succeeded"
    assert [row[0] for row in await rows(client)] == ["charge"]


async def test_a_refund_does_not_give_the_fee_back(client: stripe.StripeClient) -> None:
    charge = await pay(client)
    refund = await client.v1.refunds.create_async({"charge": charge, "amount": 4_000})
    assert refund.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="at most 6000"):
        await client.v1.refunds.create_async({"charge": charge, "amount": 6_001})
    await client.v1.refunds.create_async({"charge": charge})
    assert await rows(client) == [
        ("refund", -6_000, 0, -6_000),
        ("refund", -4_000, 0, -4_000),
        ("charge", 10_000, 350, 9_650),
    ]
    page = await client.v1.balance_transactions.list_async()
    assert len({each.available_on for each in page.data}) == 1, "not before the payment's money"
    whole = await client.v1.charges.retrieve_async(charge)
    assert whole.refunded
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        await client.v1.refunds.create_async({"charge": charge})


async def test_a_refund_that_fails_brings_its_money_back(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    refund = await client.v1.refunds.create_async({"charge": await pay(client)})
    await world.stripe_control(f"refunds/{refund.id}/fail")
    assert (await rows(client))[0] == ("refund_failure", 10_000, 0, 10_000)
    assert (await client.v1.refunds.retrieve_async(refund.id)).status == "failed"


async def test_a_dispute_costs_a_fee_that_winning_does_not_bring_back(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    won, lost = await pay(client), await pay(client)
    disputes = [await world.stripe_control("disputes", {"charge_id": each}) for each in (won, lost)]
    await client.v1.disputes.update_async(
        disputes[0]["id"], {"evidence": {"uncategorized_text": "Delivered."}}
    )
    await world.stripe_control(f"disputes/{disputes[0]['id']}/end", {"outcome": "won"})
    closed = await client.v1.disputes.close_async(disputes[1]["id"])
    assert closed.status == "lost"
    assert (await rows(client, type="adjustment")) == [
        ("dispute_reversal", 10_000, 0, 10_000),
        ("dispute", -10_000, 1_500, -11_500),
        ("dispute", -10_000, 1_500, -11_500),
    ]
    [dispute] = (await client.v1.disputes.list_async({"charge": won})).data
    assert dispute.status == "won"
    assert len(dispute.balance_transactions) == 2
    events = await client.v1.events.list_async({"type": "charge.dispute.*"})
    assert len(events.data) == 8


async def test_stripes_own_movements_are_booked_as_told(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    movements = [
        {"type": "stripe_fee", "reporting_category": "fee", "amount": -1_200},
        {"type": "reserve_hold", "reporting_category": "risk_reserved_funds", "amount": -500},
        {"type": "contribution", "reporting_category": "moonlight", "amount": 710, "fee": 10},
    ]
    for movement in movements:
        await world.stripe_control("balance_transactions", movement)
    assert await rows(client) == [
        ("moonlight", 710, 10, 700),
        ("risk_reserved_funds", -500, 0, -500),
        ("fee", -1_200, 0, -1_200),
    ]
    await world.advance(timedelta(days=1))
    [payout] = (await client.v1.payouts.list_async()).data
    assert payout.amount == -1_000, "what is negative is taken from the bank account"


async def test_a_payout_goes_its_way(world: SimulatorHandle, client: stripe.StripeClient) -> None:
    await world.stripe_control("payout_schedule", {"delay_days": 0, "trace_days": 3})
    await pay(client)
    now = await world.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    await world.advance(midnight - now + timedelta(hours=1))
    [payout] = (await client.v1.payouts.list_async()).data
    assert (payout.status, payout.reconciliation_status) == ("pending", "in_progress")
    assert [row[0] for row in await rows(client, payout=payout.id)] == ["payout"]
    arrival = datetime.fromtimestamp(payout.arrival_date, UTC)
    assert arrival.weekday() < 5
    assert arrival > datetime.fromtimestamp(payout.created, UTC)
    await world.advance(arrival - await world.now() + timedelta(hours=1))
    paid = await client.v1.payouts.retrieve_async(payout.id)
    assert (paid.status, paid.reconciliation_status) == ("paid", "completed")
    assert paid.to_dict()["trace_id"] == {"status": "pending", "value": None}
    await world.advance(timedelta(days=3))
    traced = (await client.v1.payouts.retrieve_async(payout.id)).to_dict()["trace_id"]
    assert traced["status"] == "supported"
    assert traced["value"]
    types = [event.type for event in (await client.v1.events.list_async({"type": "payout.*"})).data]
    assert types[::-1] == [
        "payout.created",
        "payout.updated",
        "payout.reconciliation_completed",
        "payout.paid",
        "payout.updated",
    ]


async def test_a_late_failure_brings_the_payout_back_and_into_the_next(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await pay(client)
    await world.advance(timedelta(days=8))
    [payout] = (await client.v1.payouts.list_async()).data
    assert payout.status == "paid"
    failed = await world.stripe_control(f"payouts/{payout.id}/fail")
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    assert await rows(client, source=payout.id) == [
        ("payout_reversal", 9_650, 0, 9_650),
        ("payout", -9_650, 0, -9_650),
    ]
    row = await client.v1.balance_transactions.retrieve_async(failed["failure_balance_transaction"])
    assert row.type == "payout_failure"
    await world.advance(timedelta(days=1))
    again = (await client.v1.payouts.list_async()).data[0]
    assert (again.id != payout.id, again.amount) == (True, 9_650)


async def test_a_payout_by_hand_cannot_be_itemised(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await world.stripe_control("payout_schedule", {"interval": "manual", "delay_days": 0})
    await pay(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payouts.create_async({"amount": 9_651, "currency": "eur"})
    assert refused.value.code == "balance_insufficient"
    first = await client.v1.payouts.create_async({"amount": 4_000, "currency": "eur"})
    assert (first.automatic, first.reconciliation_status) == (False, "not_applicable")
    with pytest.raises(stripe.InvalidRequestError, match="Only for automatic payouts"):
        await rows(client, payout=first.id)
    gone = await client.v1.payouts.cancel_async(first.id)
    assert gone.status == "canceled"
    assert [row[:2] for row in await rows(client)] == [
        ("payout_reversal", 4_000),
        ("payout", -4_000),
        ("charge", 10_000),
    ]
    balance = await client.v1.balance.retrieve_async()
    assert balance.available[0].amount == 9_650


async def test_yen_and_dinars_have_other_units(client: stripe.StripeClient) -> None:
    await pay(client, 10_000, "jpy")
    await pay(client, 10_000, "kwd")
    await pay(client, 10_000, "aud")
    with pytest.raises(stripe.InvalidRequestError, match="last digit"):
        await pay(client, 10_001, "kwd")
    assert await rows(client) == [
        ("charge", 10_000, 385, 9_615),
        ("charge", 10_000, 580, 9_420),
        ("charge", 10_000, 325, 9_675),
    ]
    [row] = (await client.v1.balance_transactions.list_async({"currency": "aud"})).data
    assert [(each.type, each.amount) for each in row.fee_details] == [
        ("stripe_fee", 350),
        ("tax", 35),
    ]


async def test_a_sale_in_another_currency_settles_in_ours(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await world.stripe_control(
        "payout_schedule", {"settles_in": {"jpy": {"currency": "eur", "rate": "0.00625"}}}
    )
    charge = await pay(client, 16_000, "jpy")
    [row] = (await client.v1.balance_transactions.list_async({"source": charge})).data
    assert (row.amount, row.currency, row.exchange_rate) == (10_000, "eur", 0.00625)


async def test_webhooks_tell_of_payouts(
    world: SimulatorHandle, client: stripe.StripeClient, receiver: Receiver
) -> None:
    types = [
        "balance.available",
        "payout.created",
        "payout.paid",
        "payout.reconciliation_completed",
    ]
    _, secret = await world.register_webhook(receiver.url, types)
    await pay(client)
    await world.advance(timedelta(days=8))
    received = await receiver.until(4)
    assert sorted(each.event(secret).type for each in received) == types


async def test_money_survives_the_end_of_the_process(own_world: SimulatorHandle) -> None:
    client = client_of(own_world)
    await pay(client)
    await own_world.kill()
    await own_world.start()
    await own_world.advance(timedelta(days=8))
    [payout] = (await client.v1.payouts.list_async()).data
    assert (payout.amount, payout.status) == (9_650, "paid")
    await own_world.reset()
    assert (await client.v1.payouts.list_async()).data == []
    assert await rows(client) == []
