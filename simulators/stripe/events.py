"""Events, newest first: the way to find what a webhook did not bring."""

from simulators.stripe.account import Account, Call
from simulators.stripe.collection import Condition, Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.operation import Operation, listed

MOST_TYPES = 20


def retrieve(account: Account, call: Call) -> Document:
    """One event."""
    event = account.events.get(call.path["id"])
    if event is None:
        raise no_such("event", call.path["id"])
    return event


def list_all(account: Account, call: Call) -> str:
    """Events, by `type` (which may be a group as `customer.*`), `types` or `delivery_success`."""
    given = call.parameters
    conditions: list[Condition] = []
    if "type" in given and "types" in given:
        raise ParameterError("type and types cannot be given together.", param="types")
    if "type" in given:
        # GLOB has more wildcards than Stripe; no type of event holds one of those.
        operator = "GLOB" if "*" in given["type"] else "="
        conditions.append(Condition(f"type {operator} ?", (given["type"],)))
    if "types" in given:
        if len(given["types"]) > MOST_TYPES:
            raise ParameterError(f"At most {MOST_TYPES} types.", param="types")
        marks = ", ".join("?" * len(given["types"]))
        conditions.append(Condition(f"type IN ({marks})", tuple(given["types"])))
    if "delivery_success" in given:
        operator = "=" if given["delivery_success"] else ">"
        conditions.append(Condition(f"pending_webhooks {operator} 0"))
    return listed(account.events, call, name="event", url="/v1/events", conditions=conditions)


OPERATIONS = (
    Operation("GET", "/v1/events", list_all),
    Operation("GET", "/v1/events/{id}", retrieve),
)
