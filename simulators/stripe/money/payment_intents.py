"""Payment intents: a payment by card from its beginning to the charge that pays it."""

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, changed, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ExecutionError, ParameterError, Refusal, no_such
from simulators.stripe.money import captures, cards, charges
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/payment_intents"
EVENT = "payment_intent"
TEXTS = (
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
)


def create(account: Account, call: Call) -> Document | Refusal:
    """Begin a payment; with `confirm` the card is charged in the same call."""
    given = call.parameters
    currency = given["currency"].lower()
    charges.check_amount(given["amount"], currency)
    if given.get("customer") is not None and account.customers.get(given["customer"]) is None:
        raise no_such("customer", given["customer"], param="customer", status=400)
    intent = _new(account, call, given["amount"], currency)
    account.payment_intents.add(intent)
    account.emit(f"{EVENT}.created", intent, call)
    return _charged(account, call, intent) if given.get("confirm") else intent


def confirm(account: Account, call: Call) -> Document | Refusal:
    """Charge the card."""
    intent = existing(account, call.path["intent"])
    _require(intent, ("requires_confirmation", "requires_payment_method"), "confirmed")
    if "payment_method" in call.parameters:
        intent["payment_method"] = cards.check(call.parameters["payment_method"])
    return _charged(account, call, intent)


def capture(account: Account, call: Call) -> Document:
    """Take what is held, or a part of it."""
    intent = existing(account, call.path["intent"])
    _require(intent, ("requires_capture",), "captured")
    given = call.parameters
    if "metadata" in given:
        intent["metadata"] = metadata.merged(intent["metadata"], given["metadata"])
    charge = charges.existing(account, intent["latest_charge"])
    final = given.get("final_capture", True)
    charge = captures.capture(account, call, charge, given.get("amount_to_capture"), final=final)
    after = intent | {"amount_received": charge["amount_captured"]}
    if charge["captured"]:
        after |= {"amount_capturable": 0, "status": "succeeded"}
    else:
        after["amount_capturable"] = charge["amount"] - charge["amount_captured"]
    account.payment_intents.replace(after)
    told = "succeeded" if charge["captured"] else "amount_capturable_updated"
    account.emit(f"{EVENT}.{told}", after, call)
    return after


def cancel(account: Account, call: Call) -> Document:
    """End a payment that is not complete; what is held is let go, and no balance moves."""
    intent = existing(account, call.path["intent"])
    _require(
        intent, ("requires_capture", "requires_confirmation", "requires_payment_method"), "canceled"
    )
    if intent["amount_received"]:
        raise ExecutionError("A payment intent that is captured in part is ended by a capture.")
    if intent["status"] == "requires_capture":
        charge = charges.existing(account, intent["latest_charge"])
        released = charge | {"amount_refunded": charge["amount"], "refunded": True}
        account.charges.replace(released)
        account.emit("charge.refunded", released, call)
    after = intent | {
        "amount_capturable": 0,
        "canceled_at": account.now(),
        "cancellation_reason": call.parameters.get("cancellation_reason"),
        "status": "canceled",
    }
    account.payment_intents.replace(after)
    account.emit(f"{EVENT}.canceled", after, call)
    return after


def retrieve(account: Account, call: Call) -> Document:
    """One payment intent."""
    return existing(account, call.path["intent"])


def update(account: Account, call: Call) -> Document:
    """Change what does not touch the money."""
    before = existing(account, call.path["intent"])
    given = call.parameters
    after = {**before, **{name: given[name] for name in TEXTS if name in given}}
    if "metadata" in given:
        after["metadata"] = metadata.merged(before["metadata"], given["metadata"])
    if changed(before, after):
        account.payment_intents.replace(after)
    return after


def list_all(account: Account, call: Call) -> str:
    """Payment intents, newest first."""
    conditions = equal_to(call, "customer")
    return listed(
        account.payment_intents, call, name="payment_intent", url=URL, conditions=conditions
    )


def existing(account: Account, intent_id: str) -> Document:
    """The payment intent; raises ExecutionError if there is none."""
    intent = account.payment_intents.get(intent_id)
    if intent is None:
        raise no_such("payment_intent", intent_id, param="intent")
    return intent


def _charged(account: Account, call: Call, intent: Document) -> Document | Refusal:
    if intent["payment_method"] is None:
        raise ExecutionError(
            "A payment intent without a payment method cannot be confirmed.",
            code="payment_intent_unexpected_state",
            param="payment_method",
        )
    order = charges.Order(
        amount=intent["amount"],
        currency=intent["currency"],
        card=intent["payment_method"],
        captured=intent["capture_method"] != "manual",
        payment_intent=intent["id"],
        customer=intent["customer"],
        metadata=intent["metadata"],
        texts={name: intent[name] for name in charges.TEXTS},
    )
    charge = charges.make(account, call, order)
    after = {**intent, "latest_charge": charge["id"]}
    if not charge["paid"]:
        return _failed(account, call, after, charge)
    if charge["captured"]:
        after |= {"amount_received": charge["amount_captured"], "status": "succeeded"}
    else:
        after |= {"amount_capturable": charge["amount"], "status": "requires_capture"}
    account.payment_intents.replace(after)
    told = "succeeded" if charge["captured"] else "amount_capturable_updated"
    account.emit(f"{EVENT}.{told}", after, call)
    return after


def _failed(account: Account, call: Call, intent: Document, charge: Document) -> Refusal:
    error = {
        "charge": charge["id"],
        "code": charge["failure_code"],
        "decline_code": charge["outcome"]["reason"],
        "message": charge["failure_message"],
        "type": "card_error",
    }
    after = intent | {
        "last_payment_error": error,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    account.payment_intents.replace(after)
    account.emit(f"{EVENT}.payment_failed", after, call)
    return charges.declined(charge, payment_intent=after)


def _require(intent: Document, statuses: tuple[str, ...], done: str) -> None:
    if intent["status"] not in statuses:
        raise ExecutionError(
            f"A payment intent that is {intent['status']} cannot be {done}.",
            code="payment_intent_unexpected_state",
        )


def _new(account: Account, call: Call, amount: int, currency: str) -> Document:
    given = call.parameters
    types = given.get("payment_method_types", ["card"])
    if types != ["card"]:
        raise ParameterError("Payments are simulated by card alone.", param="payment_method_types")
    card = given.get("payment_method")
    automatic = given.get("automatic_payment_methods", {"enabled": False})
    intent_id = new_id("pi_3", 24)
    intent: Document = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic if automatic["enabled"] else None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic"),
        "client_secret": new_id(f"{intent_id}_secret_", 24),
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": currency,
        "customer_account": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None if card is None else cards.check(card),
        "payment_method_types": types,
        "processing": None,
        "review": None,
        "shipping": None,
        "status": "requires_payment_method" if card is None else "requires_confirmation",
        "transfer_data": None,
        "transfer_group": None,
    }
    return intent | {name: given.get(name) for name in TEXTS}


TAKEN_AT_CREATION = frozenset(
    {
        "amount",
        "automatic_payment_methods",
        "capture_method",
        "confirm",
        "currency",
        "error_on_requires_action",
        "expand",
        "metadata",
        "off_session",
        "payment_method",
        "payment_method_types",
        "return_url",
        *TEXTS,
    }
)
TAKEN_AT_CONFIRMATION = frozenset({"expand", "off_session", "payment_method", "return_url"})
OPERATIONS = (
    Operation("POST", URL, create, taken=TAKEN_AT_CREATION),
    Operation("GET", URL, list_all, not_simulated=frozenset({"customer_account"})),
    Operation("GET", f"{URL}/{{intent}}", retrieve, not_simulated=frozenset({"client_secret"})),
    Operation("POST", f"{URL}/{{intent}}", update, taken=frozenset({"expand", "metadata", *TEXTS})),
    Operation("POST", f"{URL}/{{intent}}/cancel", cancel),
    Operation(
        "POST",
        f"{URL}/{{intent}}/capture",
        capture,
        taken=frozenset({"amount_to_capture", "expand", "final_capture", "metadata"}),
    ),
    Operation("POST", f"{URL}/{{intent}}/confirm", confirm, taken=TAKEN_AT_CONFIRMATION),
)
