"""Money: what is charged, what Stripe takes, when it is paid out, and how all of it is listed."""

from datetime import timedelta
from typing import Any

import stripe

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
