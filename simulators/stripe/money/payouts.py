"""Payouts: each day's automatic ones, those made by hand, and what becomes of them."""

import hashlib

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Condition, Document
from simulators.stripe.errors import ExecutionError, ParameterError, no_such
from simulators.stripe.money import balance, schedule
from simulators.stripe.money.balance import DAY, Movement
from simulators.stripe.operation import BOUNDS, Operation, equal_to, listed

URL = "/v1/payouts"
DESCRIPTION = "STRIPE PAYOUT"
SUBMITTED_AFTER_SECONDS = 6 * 60 * 60
"""When a payout goes to the bank, and Stripe has worked out what is in an automatic one."""


def pay_out(account: Account, _: str) -> None:
    """Make the day's payouts: all that is available, one for each currency.

    What is negative is taken from the bank account.
    """
    if schedule.current(account).interval == "manual":
        return
    for currency, status, amount in account.balance_transactions.in_balance():
        if status == "available" and amount != 0:
            payout = _new(account, amount, currency, automatic=True)
            account.balance_transactions.pay_out(currency, payout["id"])
            _send(account, None, payout, member_of=payout["id"])


def create(account: Account, call: Call) -> Document:
    """Pay out by hand; what is in such a payout cannot be listed."""
    given = call.parameters
    amount, currency = given["amount"], given["currency"].lower()
    if given.get("method", "standard") != "standard":
        raise ParameterError("Instant payouts are not simulated.", param="method")
    if amount < 1:
        raise ParameterError("The amount must be at least 1.", param="amount")
    sums = account.balance_transactions.in_balance()
    if amount > sum(each[2] for each in sums if each[:2] == (currency, "available")):
        raise ExecutionError(
            "There is not enough available in the balance for this payout.",
            code="balance_insufficient",
        )
    payout = _new(account, amount, currency, automatic=False)
    payout["metadata"] = metadata.merged({}, given.get("metadata", {}))
    for name in ("description", "statement_descriptor"):
        payout[name] = given.get(name, payout[name])
    return _send(account, call, payout, member_of=None)


def cancel(account: Account, call: Call) -> Document:
    """Take back a payout that has not gone to the bank yet."""
    payout = existing(account, call.path["payout"])
    if payout["status"] != "pending" or payout["automatic"]:
        raise ExecutionError("Only a pending payout made by hand can be canceled.")
    booked = _returned(account, payout, "payout_cancel")
    return _turn(
        account,
        payout,
        "canceled",
        call,
        failure_balance_transaction=booked["id"],
    )


def submit(account: Account, payout_id: str) -> None:
    """A payout goes to the bank; what an automatic one consists of is known from now on."""
    payout = existing(account, payout_id)
    if payout["status"] != "pending":
        return
    payout = _turn(account, payout, "in_transit", told="updated")
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        account.payouts.replace(payout)
        account.emit("payout.reconciliation_completed", payout)


def arrive(account: Account, payout_id: str) -> None:
    """A payout is at the bank."""
    payout = existing(account, payout_id)
    if payout["status"] == "in_transit":
        _turn(account, payout, "paid")


def trace(account: Account, payout_id: str) -> None:
    """The trace id of a payout is known, or will never be."""
    payout = existing(account, payout_id)
    if payout["status"] == "canceled":
        return
    conduct = schedule.current(account).trace
    value = trace_id(payout_id) if conduct == "supported" else None
    payout["trace_id"] = {"status": conduct, "value": value}
    account.payouts.replace(payout)
    account.emit("payout.updated", payout)


def fail(account: Account, payout_id: str, code: str, message: str) -> Document:
    """The bank gave a payout back, perhaps days after it was paid: the money is here again."""
    payout = existing(account, payout_id)
    if payout["status"] not in ("in_transit", "paid", "pending"):
        raise ExecutionError(f"A payout that is {payout['status']} cannot fail.")
    booked = _returned(account, payout, "payout_failure")
    return _turn(
        account,
        payout,
        "failed",
        failure_balance_transaction=booked["id"],
        failure_code=code,
        failure_message=message,
    )


def trace_id(payout_id: str) -> str:
    """What the bank calls a payout: the same whoever asks."""
    return f"{int(hashlib.sha256(payout_id.encode()).hexdigest()[:14], 16):017d}"


def retrieve(account: Account, call: Call) -> Document:
    """One payout."""
    return existing(account, call.path["payout"])


def update(account: Account, call: Call) -> Document:
    """Change the metadata, the one thing that can be changed."""
    payout = existing(account, call.path["payout"])
    if "metadata" in call.parameters:
        payout["metadata"] = metadata.merged(payout["metadata"], call.parameters["metadata"])
        account.payouts.replace(payout)
        account.emit("payout.updated", payout, call)
    return payout


def list_all(account: Account, call: Call) -> str:
    """Payouts, newest first."""
    conditions = equal_to(call, "status", "destination")
    arrival = call.parameters.get("arrival_date", {})
    if isinstance(arrival, int):
        conditions.append(Condition("arrival = ?", (arrival,)))
    else:
        conditions += [
            Condition(f"arrival {BOUNDS[each]} ?", (at,)) for each, at in arrival.items()
        ]
    return listed(account.payouts, call, name="payout", url=URL, conditions=conditions)


def existing(account: Account, payout_id: str) -> Document:
    """The payout; raises ExecutionError if there is none."""
    payout = account.payouts.get(payout_id)
    if payout is None:
        raise no_such("payout", payout_id)
    return payout


def _new(account: Account, amount: int, currency: str, *, automatic: bool) -> Document:
    return document_of(new_id("po_1", 24), amount, currency, account.now(), automatic=automatic)


def _send(
    account: Account, call: Call | None, payout: Document, *, member_of: str | None
) -> Document:
    """Take the money out of the balance and have the rest happen in its time."""
    booked = balance.book(
        account,
        Movement(
            type="payout",
            reporting_category="payout",
            amount=-payout["amount"],
            currency=payout["currency"],
            source=payout["id"],
            description=payout["description"],
            payout=member_of,
        ),
    )
    payout["balance_transaction"] = booked["id"]
    account.payouts.add(payout)
    account.emit("payout.created", payout, call)
    traced = payout["arrival_date"] + schedule.current(account).trace_days * DAY
    account.agenda.add(account.now() + SUBMITTED_AFTER_SECONDS, "submit", payout["id"])
    account.agenda.add(payout["arrival_date"], "arrive", payout["id"])
    account.agenda.add(traced, "trace", payout["id"])
    return payout


def _returned(account: Account, payout: Document, kind: str) -> Document:
    return balance.book(
        account,
        Movement(
            type=kind,
            reporting_category="payout_reversal",
            amount=payout["amount"],
            currency=payout["currency"],
            source=payout["id"],
            description=DESCRIPTION if kind == "payout_cancel" else "STRIPE PAYOUT FAILURE",
        ),
    )


def _turn(
    account: Account,
    payout: Document,
    status: str,
    call: Call | None = None,
    *,
    told: str | None = None,
    **fields: str,
) -> Document:
    """Bring a payout to a status and tell of it."""
    after = {**payout, **fields, "status": status}
    account.payouts.replace(after)
    account.emit(f"payout.{told or status}", after, call)
    return after


def document_of(
    payout_id: str, amount: int, currency: str, created: int, *, automatic: bool
) -> Document:
    """A payout as it is when it was just made."""
    bank_account = hashlib.sha256(currency.encode()).hexdigest()[:24]
    return {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": schedule.arrival(created),
        "automatic": automatic,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": DESCRIPTION,
        "destination": f"ba_1{bank_account}",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


NOT_AT_CREATION = frozenset({"destination", "payout_method", "source_type"})
OPERATIONS = (
    Operation("POST", URL, create, not_simulated=NOT_AT_CREATION),
    Operation("GET", URL, list_all),
    Operation("GET", f"{URL}/{{payout}}", retrieve),
    Operation("POST", f"{URL}/{{payout}}", update),
    Operation("POST", f"{URL}/{{payout}}/cancel", cancel),
)
