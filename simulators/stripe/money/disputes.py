"""Disputes: a customer's bank takes a payment back, with a fee; a won one brings it again."""

from typing import Literal

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ExecutionError, no_such
from simulators.stripe.money import balance, charges, fees, schedule
from simulators.stripe.money.balance import DAY, Movement
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/disputes"
EVENT = "charge.dispute"
DAYS_FOR_EVIDENCE = 9
OPEN = ("needs_response", "under_review")
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)

Outcome = Literal["won", "lost"]


def begin(
    account: Account, charge_id: str, amount: int | None = None, reason: str = "fraudulent"
) -> Document:
    """The customer's bank takes a payment or a part of it back at once, and Stripe its fee."""
    charge = charges.existing(account, charge_id)
    left = charge["amount"] - charge["amount_refunded"]
    disputed = left if amount is None else amount
    if not charge["captured"] or charge["disputed"] or not 0 < disputed <= left:
        raise ExecutionError(f"Charge {charge_id} cannot be disputed, or not with that amount.")
    dispute = _new(account, charge, disputed, reason)
    _book(account, dispute, charge, -disputed)
    account.disputes.add(dispute)
    account.charges.replace(charge | {"disputed": True})
    account.emit(f"{EVENT}.created", dispute)
    account.emit(f"{EVENT}.funds_withdrawn", dispute)
    return dispute


def end(account: Account, dispute_id: str, outcome: Outcome, call: Call | None = None) -> Document:
    """The banks have decided; what was taken comes back if it is won, the fee does not."""
    dispute = existing(account, dispute_id)
    if dispute["status"] not in OPEN:
        raise ExecutionError(f"The dispute is {dispute['status']}: it is over.")
    dispute["status"] = outcome
    if outcome == "won":
        charge = charges.existing(account, dispute["charge"])
        _book(account, dispute, charge, dispute["amount"])
    account.disputes.replace(dispute)
    account.emit(f"{EVENT}.closed", dispute, call)
    if outcome == "won":
        account.emit(f"{EVENT}.funds_reinstated", dispute, call)
    return dispute


def retrieve(account: Account, call: Call) -> Document:
    """One dispute."""
    return existing(account, call.path["dispute"])


def update(account: Account, call: Call) -> Document:
    """Answer with evidence; unless `submit` is false the banks look at it from now on."""
    dispute = existing(account, call.path["dispute"])
    given = call.parameters
    if "metadata" in given:
        dispute["metadata"] = metadata.merged(dispute["metadata"], given["metadata"])
    if "evidence" in given:
        _require_open(dispute)
        dispute["evidence"] |= given["evidence"]
        details = dispute["evidence_details"]
        details["has_evidence"] = True
        if given.get("submit", True):
            details["submission_count"] += 1
            dispute["status"] = "under_review"
    account.disputes.replace(dispute)
    account.emit(f"{EVENT}.updated", dispute, call)
    return dispute


def close(account: Account, call: Call) -> Document:
    """Accept the dispute: it is lost."""
    return end(account, call.path["dispute"], "lost", call)


def list_all(account: Account, call: Call) -> str:
    """Disputes, newest first."""
    conditions = equal_to(call, "charge", "payment_intent")
    return listed(account.disputes, call, name="dispute", url=URL, conditions=conditions)


def existing(account: Account, dispute_id: str) -> Document:
    """The dispute; raises ExecutionError if there is none."""
    dispute = account.disputes.get(dispute_id)
    if dispute is None:
        raise no_such("dispute", dispute_id)
    return dispute


def _require_open(dispute: Document) -> None:
    if dispute["status"] not in OPEN:
        raise ExecutionError(f"The dispute is {dispute['status']}: evidence comes too late.")


def _book(account: Account, dispute: Document, charge: Document, amount: int) -> None:
    taken = amount < 0
    movement = Movement(
        type="adjustment",
        reporting_category="dispute" if taken else "dispute_reversal",
        amount=amount,
        currency=dispute["currency"],
        source=dispute["id"],
        description=f"Chargeback {'withdrawal' if taken else 'reversal'} for {charge['id']}",
        payment=charges.payment_of(charge),
    )
    costs = fees.for_dispute(dispute["currency"]) if taken else ()
    booked = balance.book(account, schedule.settled(account, movement, costs))
    dispute["balance_transactions"].append(booked)


def _new(account: Account, charge: Document, amount: int, reason: str) -> Document:
    return {
        "id": new_id("dp_1", 24),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": account.now() + DAYS_FOR_EVIDENCE * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }


OPERATIONS = (
    Operation("GET", URL, list_all),
    Operation("GET", f"{URL}/{{dispute}}", retrieve),
    Operation("POST", f"{URL}/{{dispute}}", update),
    Operation("POST", f"{URL}/{{dispute}}/close", close),
)
