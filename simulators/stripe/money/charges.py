"""Charges: a card is charged at once, or the amount is held to be captured later."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, changed, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ParameterError, Refusal, no_such
from simulators.stripe.money import balance, cards, fees, schedule
from simulators.stripe.money.balance import Movement
from simulators.stripe.money.fees import Fee
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/charges"
LARGEST = 99_999_999
TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")


@dataclass(frozen=True)
class Order:
    """What is to be charged, in minor units."""

    amount: int
    currency: str
    card: str
    captured: bool = True
    payment_intent: str | None = None
    customer: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    texts: Document = field(default_factory=dict)


def create(account: Account, call: Call) -> Document | Refusal:
    """Charge a card token."""
    given = call.parameters
    for name in ("amount", "currency", "source"):
        if given.get(name) is None:
            raise ParameterError(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    order = Order(
        amount=given["amount"],
        currency=given["currency"].lower(),
        card=cards.of_token(given["source"]),
        captured=given.get("capture", True),
        customer=given.get("customer"),
        metadata=metadata.merged({}, given.get("metadata", {})),
        texts={name: given[name] for name in TEXTS if name in given},
    )
    charge = make(account, call, order)
    return charge if charge["paid"] else declined(charge)


def make(account: Account, call: Call, order: Order) -> Document:
    """Charge a card, whose test number decides what happens; a failed charge is kept as well."""
    check_amount(order.amount, order.currency)
    if order.customer is not None and account.customers.get(order.customer) is None:
        raise no_such("customer", order.customer, param="customer", status=400)
    reason = cards.DECLINED.get(order.card)
    charge = _new(account, order, reason)
    account.charges.add(charge)
    if reason is not None:
        account.emit("charge.failed", charge, call)
        return charge
    if order.captured:
        charge = take(account, charge, order.amount)
    account.emit("charge.succeeded", charge, call)
    return charge


def take(account: Account, charge: Document, amount: int) -> Document:
    """Book a whole charge with a fee for the `amount` of it that is captured; the charge after."""
    costs = fees.for_payment(amount, charge["currency"])
    booked = _book(account, charge, charge["amount"], costs)
    after = charge | {
        "amount_captured": amount,
        "balance_transaction": booked["id"],
        "captured": True,
    }
    account.charges.replace(after)
    return after


def take_part(account: Account, charge: Document, amount: int, *, final: bool) -> Document:
    """Book one of several captures; the charge after. What is left after the last is let go."""
    first = charge["amount_captured"] == 0
    costs = fees.for_payment(amount, charge["currency"], first=first)
    booked = _book(account, charge, amount, costs)
    captured = charge["amount_captured"] + amount
    after = charge | {
        "amount_captured": captured,
        "amount_refunded": charge["amount"] - captured if final else 0,
        "balance_transaction": booked["id"] if first else charge["balance_transaction"],
        "captured": final,
    }
    account.charges.replace(after)
    return after


def _book(account: Account, charge: Document, amount: int, costs: Sequence[Fee]) -> Document:
    movement = Movement(
        type="charge",
        reporting_category="charge",
        amount=amount,
        currency=charge["currency"],
        source=charge["id"],
        available_on=schedule.available_on(account),
        description=charge["description"],
        payment=payment_of(charge),
    )
    return balance.book(account, schedule.settled(account, movement, costs))


def retrieve(account: Account, call: Call) -> Document:
    """One charge."""
    return existing(account, call.path["charge"])


def update(account: Account, call: Call) -> Document:
    """Change what does not touch the money."""
    before = existing(account, call.path["charge"])
    given = call.parameters
    after = {**before, **{name: given[name] for name in TEXTS[:2] if name in given}}
    if "metadata" in given:
        after["metadata"] = metadata.merged(before["metadata"], given["metadata"])
    previous = changed(before, after)
    if previous:
        account.charges.replace(after)
        account.emit("charge.updated", after, call, previous)
    return after


def list_all(account: Account, call: Call) -> str:
    """Charges, newest first."""
    conditions = equal_to(call, "customer", "payment_intent")
    return listed(account.charges, call, name="charge", url=URL, conditions=conditions)


def existing(account: Account, charge_id: str) -> Document:
    """The charge; raises ExecutionError if there is none."""
    charge = account.charges.get(charge_id)
    if charge is None:
        raise no_such("charge", charge_id)
    return charge


def payment_of(charge: Document) -> Document:
    """What reports tell of the payment behind a balance transaction."""
    return {
        "charge_id": charge["id"],
        "payment_intent_id": charge["payment_intent"],
        "customer_id": charge["customer"],
        "customer_facing_amount": charge["amount"],
        "customer_facing_currency": charge["currency"],
        "metadata": charge["metadata"],
    }


def check_amount(amount: int, currency: str) -> None:
    """Raise ParameterError for what cannot be charged."""
    if not 1 <= amount <= LARGEST:
        raise ParameterError(
            f"The amount must be between 1 and {LARGEST}.",
            code="amount_too_small" if amount < 1 else "amount_too_large",
            param="amount",
        )
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise ParameterError(f"Invalid currency: {currency}.", param="currency")
    if fees.decimals(currency) == 3 and amount % 10:
        raise ParameterError("The last digit of the amount must be 0.", param="amount")


def declined(charge: Document, **more: Any) -> Refusal:
    """The answer of a charge that the card's bank did not allow."""
    return Refusal(
        charge["failure_message"],
        status=402,
        error_type="card_error",
        code=charge["failure_code"],
        decline_code=charge["outcome"]["reason"],
        charge=charge["id"],
        **more,
    )


def _new(account: Account, order: Order, reason: str | None) -> Document:
    charge: Document = {
        "id": new_id("ch_3", 24),
        "object": "charge",
        "amount": order.amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": dict.fromkeys(("address", "email", "name", "phone", "tax_id")),
        "calculated_statement_descriptor": None,
        "captured": False,
        "created": account.now(),
        "currency": order.currency,
        "customer": order.customer,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": reason and "card_declined",
        "failure_message": reason and "The card was declined.",
        "fraud_details": {},
        "livemode": False,
        "metadata": order.metadata,
        "on_behalf_of": None,
        "outcome": cards.outcome(reason),
        "paid": reason is None,
        "payment_intent": order.payment_intent,
        "payment_method": order.card,
        "payment_method_details": cards.details(order.amount),
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if reason is None else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }
    return charge | order.texts


NOT_AT_CREATION = frozenset(
    {
        "application_fee",
        "application_fee_amount",
        "card",
        "destination",
        "on_behalf_of",
        "radar_options",
        "shipping",
        "transfer_data",
        "transfer_group",
    }
)
NOT_IN_AN_UPDATE = frozenset({"customer", "fraud_details", "shipping", "transfer_group"})
OPERATIONS = (
    Operation("POST", URL, create, not_simulated=NOT_AT_CREATION),
    Operation("GET", URL, list_all, not_simulated=frozenset({"transfer_group"})),
    Operation("GET", f"{URL}/{{charge}}", retrieve),
    Operation("POST", f"{URL}/{{charge}}", update, not_simulated=NOT_IN_AN_UPDATE),
)
