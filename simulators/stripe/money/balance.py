"""The balance and its transactions: every movement of money is booked here."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Condition, Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.money.fees import Fee
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/balance_transactions"
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Movement:
    """One movement of the balance, in minor units; `amount` is before the fees.

    `available_on` is when it can be paid out (None: at once). `payment` is what reports tell of
    the payment behind it: `charge_id`, `payment_intent_id`, `metadata` and the like.
    """

    type: str
    reporting_category: str
    amount: int
    currency: str
    source: str | None = None
    fees: Sequence[Fee] = ()
    available_on: int | None = None
    description: str | None = None
    exchange_rate: float | None = None
    payment: Document | None = None
    payout: str | None = None


def book(account: Account, movement: Movement) -> Document:
    """Book a movement now; the balance transaction."""
    transaction = transaction_of(movement, new_id("txn_1", 24), account.now())
    account.balance_transactions.book(transaction, movement.payout, movement.payment)
    if transaction["status"] == "pending":
        account.agenda.add(transaction["available_on"], "available")
    else:
        account.agenda.add(midnight_from(account.now()), "pay_out")
    return transaction


def transaction_of(movement: Movement, transaction_id: str, now: int) -> Document:
    """The balance transaction of a movement that is made now."""
    fee = sum(each.amount for each in movement.fees)
    available_on = movement.available_on or now
    return {
        "id": transaction_id,
        "object": "balance_transaction",
        "amount": movement.amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": now,
        "currency": movement.currency,
        "description": movement.description,
        "exchange_rate": movement.exchange_rate,
        "fee": fee,
        "fee_details": [each.document(movement.currency) for each in movement.fees],
        "net": movement.amount - fee,
        "reporting_category": movement.reporting_category,
        "source": movement.source,
        "status": "pending" if available_on > now else "available",
        "type": movement.type,
    }


def become_available(account: Account, _: str) -> None:
    """Funds that were pending until now can be paid out."""
    if account.balance_transactions.become_available(account.now()):
        account.agenda.add(midnight_from(account.now()), "pay_out")
        account.emit("balance.available", current(account))


def watch_pending(account: Account) -> None:
    """Have what is pending become available in time, after it was put there in bulk."""
    for available_on in account.balance_transactions.pending():
        account.agenda.add(available_on, "available")


def midnight_from(moment: int) -> int:
    """The midnight (UTC) at or after a moment."""
    return -(-moment // DAY) * DAY


def current(account: Account) -> Document:
    """The balance: what can be paid out and what is pending, for each currency."""
    sums = account.balance_transactions.in_balance()
    return {
        "object": "balance",
        "available": _amounts(sums, "available"),
        "livemode": False,
        "pending": _amounts(sums, "pending"),
    }


def _amounts(sums: list[tuple[str, str, int]], status: str) -> list[Document]:
    currencies = sorted({currency for currency, _, _ in sums}) or ["eur"]
    found = {currency: amount for currency, state, amount in sums if state == status}
    return [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency in currencies
        for amount in [found.get(currency, 0)]
    ]


def retrieve_balance(account: Account, _: Call) -> Document:
    """The balance now."""
    return current(account)


def retrieve(account: Account, call: Call) -> Document:
    """One balance transaction."""
    found = account.balance_transactions.get(call.path["id"])
    if found is None:
        raise no_such("balance transaction", call.path["id"])
    return found


def list_all(account: Account, call: Call) -> str:
    """Balance transactions, newest first; `payout` lists its members and its own row first."""
    conditions = equal_to(call, "currency", "source", "type")
    if "payout" in call.parameters:
        conditions += _paid_out_by(account, call.parameters["payout"])
    return listed(
        account.balance_transactions,
        call,
        name="balance transaction",
        url=URL,
        conditions=conditions,
    )


def _paid_out_by(account: Account, payout_id: str) -> list[Condition]:
    payout = account.payouts.get(payout_id)
    if payout is None:
        raise no_such("payout", payout_id, param="payout", status=400)
    if not payout["automatic"]:
        raise ParameterError(
            "Only for automatic payouts is it known which transactions they paid out.",
            param="payout",
        )
    conditions = [Condition("payout = ?", (payout_id,))]
    if payout["reconciliation_status"] == "in_progress":
        # What is in the payout is not worked out yet; its own row alone is there at once.
        conditions.append(Condition("source = ?", (payout_id,)))
    return conditions


def source_of(account: Account, transaction: Document) -> Document | str | None:
    """What is behind a balance transaction: all of it where it is kept, else its id."""
    source: str | None = transaction["source"]
    for kept in (account.charges, account.refunds, account.disputes, account.payouts):
        if source is not None and (found := kept.get(source)) is not None:
            return found
    return source


_EXPANDABLE = {"source": source_of}
OPERATIONS = (
    Operation("GET", "/v1/balance", retrieve_balance),
    Operation("GET", URL, list_all, expandable=_EXPANDABLE, in_place=True),
    Operation("GET", f"{URL}/{{id}}", retrieve, expandable=_EXPANDABLE, in_place=True),
)
