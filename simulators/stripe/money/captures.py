"""Captures: what a card was held for is taken, or a part of it and the rest is given back."""

from simulators.stripe.account import Account, Call
from simulators.stripe.collection import Document
from simulators.stripe.errors import ExecutionError
from simulators.stripe.money import charges, refunds
from simulators.stripe.operation import Operation


def of_charge(account: Account, call: Call) -> Document:
    """Capture a charge that was made with `capture=false`."""
    charge = charges.existing(account, call.path["charge"])
    if charge["payment_intent"] is not None:
        raise ExecutionError("A payment intent's charge is captured by the payment intent.")
    return capture(account, call, charge, call.parameters.get("amount"))


def capture(
    account: Account, call: Call, charge: Document, amount: int | None, *, final: bool = True
) -> Document:
    """Take so much (None: all that is left) and tell of it.

    A part that is all that will be taken makes two balance transactions: one of what was held, and
    one that gives back the rest. Several captures make one each.
    """
    left = charge["amount"] - charge["amount_captured"]
    taken = left if amount is None else amount
    if not charge["paid"] or charge["captured"] or charge["refunded"]:
        raise ExecutionError(
            f"Charge {charge['id']} is captured already, was let go or was never paid.",
            code="charge_already_captured",
        )
    if not 0 < taken <= left:
        raise ExecutionError(
            f"The amount to capture must be positive and at most {left}.",
            code="amount_too_large",
            param="amount",
        )
    if final and left == charge["amount"]:
        after = charges.take(account, charge, taken)
        if taken < left:
            after = refunds.give_back_uncaptured(account, after)
    else:
        after = charges.take_part(account, charge, taken, final=final or taken == left)
    account.emit("charge.captured", after, call)
    return after


NOT_SIMULATED = frozenset(
    {
        "application_fee",
        "application_fee_amount",
        "receipt_email",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    }
)
OPERATIONS = (
    Operation("POST", "/v1/charges/{charge}/capture", of_charge, not_simulated=NOT_SIMULATED),
)
