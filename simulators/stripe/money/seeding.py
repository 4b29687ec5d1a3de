"""Puts a whole generated world into the account: its balance transactions and payouts.

No events tell of them, and of charges there is no more than what reports say. What was there stays.
No automatic payouts are made any more, since the world has its own.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cache

from simulators.stripe.account import Account
from simulators.stripe.collection import Document, encode
from simulators.stripe.money import balance, payouts, schedule
from simulators.stripe.money.balance import Movement
from simulators.world import accounts
from simulators.world.generate import World
from simulators.world.rows import Day, Payout, Transaction

AT_ONCE = 5_000
INSTEAD_OF_UNKNOWN = "adjustment"
"""The type of a transaction whose own is none of Stripe's; its reporting category stays."""


async def load(account: Account, world: World) -> int:
    """Put everything of a world there, day by day; how many balance transactions it has."""
    schedule.change(account, schedule.Change(interval="manual"))
    table = account.balance_transactions
    number = 0
    with table.without_indexes():
        for opening in _openings(world):
            table.book(opening, None, None)
        for day in world.days():
            for some in _batches(day.transactions + day.unreported):
                with account.storage.transaction():
                    _add(account, some)
                await asyncio.sleep(0)  # other requests are answered in between
            with account.storage.transaction():
                account.payouts.add_many([*_payouts(account, day)])
                table.hide([each.id for each in day.unreported])
                _note_failures(account, day)
            number += len(day.transactions) + len(day.unreported)
    balance.watch_pending(account)
    return number


def _batches(transactions: list[Transaction]) -> Iterator[list[Transaction]]:
    for first in range(0, len(transactions), AT_ONCE):
        yield transactions[first : first + AT_ONCE]


def _openings(world: World) -> list[Document]:
    """What the balance of each currency came to before the world's first day."""
    before = int(datetime.combine(world.shape.first_day, time(), UTC).timestamp()) - 1
    return [
        balance.transaction_of(
            Movement(
                type="adjustment",
                reporting_category="other_adjustment",
                amount=accounts.opening(currency, "processor"),
                currency=currency.lower(),
                description="Opening balance",
            ),
            f"txn_opening_{currency.lower()}_{before}",
            before,
        )
        for currency in world.shape.currencies
    ]


def _add(account: Account, transactions: list[Transaction]) -> None:
    types = account.conformance.types_of_balance_transactions
    now = account.now()
    rows = []
    for each in transactions:
        document = _transaction(each, now, types)
        text = encode(document)
        account.conformance.check("balance_transaction", text)
        rows.append((document, text, each.payout, _payment(each)))
    account.balance_transactions.book_texts(rows)


def _transaction(given: Transaction, now: int, types: frozenset[str]) -> Document:
    currency = given.currency.lower()
    available_on = _midnight(given.available_on)
    fees = [_fee(amount, kind, currency) for kind, amount in given.fees]
    fee = sum([each["amount"] for each in fees])
    return {
        "id": given.id,
        "object": "balance_transaction",
        "amount": given.gross,
        "available_on": available_on,
        "balance_type": "payments",
        "created": int(given.created.timestamp()),
        "currency": currency,
        "description": given.description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees,
        "net": given.gross - fee,
        "reporting_category": given.category,
        "source": given.source,
        "status": "pending" if available_on > now else "available",
        "type": given.type if given.type in types else INSTEAD_OF_UNKNOWN,
    }


def _fee(amount: int, kind: str, currency: str) -> Document:
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": None,
        "type": kind,
    }


def _payment(given: Transaction) -> Document | None:
    if given.charge is None:
        return None
    payment: Document = {"charge_id": given.charge, "payment_intent_id": given.intent}
    if given.order is not None:
        payment["metadata"] = {"order_id": given.order}
    if given.presentment is not None:
        amount, currency = given.presentment
        payment["customer_facing_amount"] = amount
        payment["customer_facing_currency"] = currency.lower()
    return payment


def _payouts(account: Account, day: Day) -> Iterator[Document]:
    for given in day.payouts:
        document = _payout(account, given)
        account.conformance.check("payout", encode(document))
        yield document


def _payout(account: Account, given: Payout) -> Document:
    created, arrival = int(given.created.timestamp()), _midnight(given.arrival_on)
    document = payouts.document_of(
        given.id, given.amount, given.currency.lower(), created, automatic=given.automatic
    )
    arrived = arrival <= account.now()
    document |= {
        "arrival_date": arrival,
        "balance_transaction": f"txn_{given.id[3:]}",
        "reconciliation_status": "completed" if given.automatic else "not_applicable",
        "status": "paid" if arrived else "in_transit",
        "trace_id": {"status": "supported" if given.trace else "unsupported", "value": given.trace},
    }
    return document


def _note_failures(account: Account, day: Day) -> None:
    """Payouts that failed on a day, whenever they were made."""
    for given in day.transactions + day.unreported:
        if given.type == "payout_failure" and given.source is not None:
            payout = payouts.existing(account, given.source)
            account.payouts.replace(
                payout
                | {
                    "failure_balance_transaction": given.id,
                    "failure_code": "account_closed",
                    "failure_message": "The bank account has been closed.",
                    "status": "failed",
                }
            )


@cache
def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
