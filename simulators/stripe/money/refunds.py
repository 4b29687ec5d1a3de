"""Refunds: the whole of a payment or a part of it is given back; its fee is not."""

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ExecutionError, ParameterError, no_such
from simulators.stripe.money import balance, charges, schedule
from simulators.stripe.money.balance import Movement
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/refunds"


def create(account: Account, call: Call) -> Document:
    """Give back a charge's money, by the charge or its payment intent."""
    charge = _charge(account, call)
    left = charge["amount"] - charge["amount_refunded"]
    amount = call.parameters.get("amount", left)
    if not charge["captured"]:
        raise ExecutionError(f"Charge {charge['id']} is not captured.", code="charge_not_captured")
    if left == 0:
        raise ExecutionError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if charge["disputed"]:
        raise ExecutionError(f"Charge {charge['id']} is disputed.", code="charge_disputed")
    if not 0 < amount <= left:
        raise ExecutionError(
            f"The refund must be positive and at most {left}.",
            code="amount_too_large",
            param="amount",
        )
    refund = _new(account, charge, amount)
    refund["reason"] = call.parameters.get("reason")
    refund["metadata"] = metadata.merged({}, call.parameters.get("metadata", {}))
    charge = _give_back(account, charge, refund, "refund")
    account.emit("refund.created", refund, call)
    account.emit("charge.refunded", charge, call)
    return refund


def give_back_uncaptured(account: Account, charge: Document) -> Document:
    """What was held and is not captured goes back; the charge after it."""
    refund = _new(account, charge, charge["amount"] - charge["amount_captured"])
    return _give_back(account, charge, refund, "partial_capture_reversal")


def fail(account: Account, refund_id: str) -> Document:
    """The customer's bank did not take the refund: its money comes back."""
    refund = existing(account, refund_id)
    if refund["status"] != "succeeded":
        raise ExecutionError(f"Refund {refund_id} is {refund['status']}: it cannot fail.")
    charge = charges.existing(account, refund["charge"])
    booked = balance.book(
        account,
        schedule.settled(
            account,
            Movement(
                type="refund_failure",
                reporting_category="refund_failure",
                amount=refund["amount"],
                currency=refund["currency"],
                source=refund["id"],
                description="REFUND FAILURE",
                payment=charges.payment_of(charge),
            ),
        ),
    )
    after = refund | {
        "failure_balance_transaction": booked["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    account.refunds.replace(after)
    refunded = charge["amount_refunded"] - refund["amount"]
    account.charges.replace(charge | {"amount_refunded": refunded, "refunded": False})
    account.emit("refund.failed", after)
    return after


def retrieve(account: Account, call: Call) -> Document:
    """One refund."""
    return existing(account, call.path["refund"])


def update(account: Account, call: Call) -> Document:
    """Change the metadata, the one thing that can be changed."""
    refund = existing(account, call.path["refund"])
    if "metadata" in call.parameters:
        refund["metadata"] = metadata.merged(refund["metadata"], call.parameters["metadata"])
        account.refunds.replace(refund)
        account.emit("refund.updated", refund, call)
    return refund


def list_all(account: Account, call: Call) -> str:
    """Refunds, newest first."""
    conditions = equal_to(call, "charge", "payment_intent")
    return listed(account.refunds, call, name="refund", url=URL, conditions=conditions)


def existing(account: Account, refund_id: str) -> Document:
    """The refund; raises ExecutionError if there is none."""
    refund = account.refunds.get(refund_id)
    if refund is None:
        raise no_such("refund", refund_id)
    return refund


def _charge(account: Account, call: Call) -> Document:
    given = call.parameters
    if ("charge" in given) == ("payment_intent" in given):
        raise ParameterError("Give one of charge and payment_intent.", param="charge")
    if "charge" in given:
        return charges.existing(account, given["charge"])
    intent = account.payment_intents.get(given["payment_intent"])
    if intent is None:
        raise no_such("payment_intent", given["payment_intent"], param="payment_intent")
    if intent["latest_charge"] is None:
        raise ExecutionError("This payment intent has no charge to refund.")
    return charges.existing(account, intent["latest_charge"])


def _give_back(account: Account, charge: Document, refund: Document, category: str) -> Document:
    """Book the refund and keep it; the charge after it."""
    paid = account.balance_transactions.get(charge["balance_transaction"])
    assert paid is not None, "a captured charge has a balance transaction"
    booked = balance.book(
        account,
        schedule.settled(
            account,
            Movement(
                type="refund",
                reporting_category=category,
                amount=-refund["amount"],
                currency=refund["currency"],
                source=refund["id"],
                # Not before the payment's own money is there.
                available_on=max(paid["available_on"], account.now()),
                description=f"REFUND FOR CHARGE ({charge['description'] or charge['id']})",
                payment=charges.payment_of(charge),
            ),
        ),
    )
    refund["balance_transaction"] = booked["id"]
    account.refunds.add(refund)
    refunded = charge["amount_refunded"] + refund["amount"]
    after = charge | {"amount_refunded": refunded, "refunded": refunded == charge["amount"]}
    account.charges.replace(after)
    return after


def _new(account: Account, charge: Document, amount: int) -> Document:
    return {
        "id": new_id("re_3", 24),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "type": "refund"},
            "type": "card",
        },
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


NOT_AT_CREATION = frozenset(
    {
        "currency",
        "customer",
        "instructions_email",
        "origin",
        "refund_application_fee",
        "reverse_transfer",
    }
)
OPERATIONS = (
    Operation("POST", URL, create, not_simulated=NOT_AT_CREATION),
    Operation("GET", URL, list_all),
    Operation("GET", f"{URL}/{{refund}}", retrieve),
    Operation("POST", f"{URL}/{{refund}}", update),
)
