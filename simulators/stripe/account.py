"""One Stripe account: everything that is there, and the events that tell of it."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import Clock
from simulators.storage import Storage
from simulators.stripe.collection import Collection, Document, encode
from simulators.stripe.conformance import Conformance
from simulators.stripe.deliveries import Deliveries
from simulators.stripe.money.agenda import Agenda
from simulators.stripe.money.transactions import BalanceTransactions
from simulators.stripe.parameters import Parameters
from simulators.stripe.search import SearchLag

EVERYTHING = "*"


@dataclass(frozen=True)
class Call:
    """One request as an operation sees it."""

    request_id: str
    idempotency_key: str | None
    base_url: str
    path: Mapping[str, str] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=dict)


class Account:
    """The account's objects. Whoever changes them does it in a transaction of the storage."""

    def __init__(self, storage: Storage, clock: Clock, conformance: Conformance) -> None:
        self.storage = storage
        self.clock = clock
        self.conformance = conformance
        self.customers = Collection(storage, "stripe_customers", {"email": "$.email"})
        self.tax_ids = Collection(storage, "stripe_tax_ids", {"customer": "$.customer"})
        self.verification_sessions = Collection(
            storage,
            "stripe_verification_sessions",
            {
                "status": "$.status",
                "client_reference_id": "$.client_reference_id",
                "related_customer": "$.related_customer",
            },
        )
        self.charges = Collection(
            storage,
            "stripe_charges",
            {"customer": "$.customer", "payment_intent": "$.payment_intent"},
        )
        self.payment_intents = Collection(
            storage, "stripe_payment_intents", {"customer": "$.customer"}
        )
        self.refunds = Collection(
            storage,
            "stripe_refunds",
            {"charge": "$.charge", "payment_intent": "$.payment_intent"},
        )
        self.disputes = Collection(
            storage,
            "stripe_disputes",
            {"charge": "$.charge", "payment_intent": "$.payment_intent"},
        )
        self.payouts = Collection(
            storage,
            "stripe_payouts",
            {"status": "$.status", "destination": "$.destination", "arrival": "$.arrival_date"},
        )
        self.report_runs = Collection(
            storage, "stripe_report_runs", {"status": "$.status"}, beside=("base_url",)
        )
        self.files = Collection(storage, "stripe_files", {"purpose": "$.purpose"})
        self.balance_transactions = BalanceTransactions(storage)
        self.agenda = Agenda(storage)
        self.events = Collection(
            storage, "stripe_events", {"type": "$.type", "pending_webhooks": "$.pending_webhooks"}
        )
        self.webhook_endpoints = Collection(storage, "stripe_webhook_endpoints", {})
        self.deliveries = Deliveries(storage)
        self.search_lag = SearchLag(storage, clock)
        self._moment: int | None = None

    def now(self) -> int:
        """The simulated time in seconds, as `created` has it."""
        return int(self.clock.now()) if self._moment is None else self._moment

    @contextmanager
    def standing_at(self, moment: int) -> Iterator[None]:
        """Do what was due at a moment that has passed as if it were now."""
        self._moment = moment
        try:
            yield
        finally:
            self._moment = None

    def emit(
        self,
        event_type: str,
        document: Document,
        call: Call | None = None,
        previous_attributes: Document | None = None,
    ) -> None:
        """Tell of a change: an event, and a delivery to each endpoint that wants its type.

        `call` is the request that made the change; None if the world did it by itself. Raises
        Violation for an event that Stripe could not send.
        """
        data: Document = {"object": document}
        if previous_attributes is not None:
            data["previous_attributes"] = previous_attributes
        endpoints = self.endpoints_for(event_type)
        event: Document = {
            "id": new_id("evt_1", 24),
            "object": "event",
            "api_version": self.conformance.version,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {
                "id": call.request_id if call else None,
                "idempotency_key": call.idempotency_key if call else None,
            },
            "type": event_type,
        }
        self.conformance.check("event", encode(event))
        self.events.add(event)
        self.deliveries.plan(event["id"], endpoints)

    def endpoints_for(self, event_type: str) -> list[str]:
        """The enabled endpoints that want events of this type."""
        return [
            endpoint["id"]
            for endpoint in self.webhook_endpoints.everything()
            if endpoint["status"] == "enabled"
            and not {event_type, EVERYTHING}.isdisjoint(endpoint["enabled_events"])
        ]

    def clear(self, *, webhook_endpoints: bool) -> None:
        """Forget all objects; endpoints only if told so."""
        collections = [
            self.customers,
            self.tax_ids,
            self.verification_sessions,
            self.charges,
            self.payment_intents,
            self.refunds,
            self.disputes,
            self.payouts,
            self.balance_transactions,
            self.report_runs,
            self.files,
            self.events,
        ]
        if webhook_endpoints:
            collections.append(self.webhook_endpoints)
        for collection in collections:
            collection.clear()
        self.agenda.clear()
        self.deliveries.clear()
        self.search_lag.clear()


def changed(before: Document, after: Document) -> dict[str, Any]:
    """What an update changed, with the values before: an event's `previous_attributes`."""
    return {
        name: before.get(name)
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def new_id(prefix: str, length: int = 14) -> str:
    """A fresh id, as long as Stripe's: `cus_` and 14 characters."""
    return prefix + secrets.token_hex(length // 2)
