"""Puts Stripe together: an account, how requests are answered, what may go wrong, webhooks."""

import asyncio
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.counters import Counters
from simulators.faults import Faults
from simulators.storage import Storage
from simulators.stripe import (
    customers,
    events,
    tax_ids,
    verification_sessions,
    webhook_endpoints,
)
from simulators.stripe.account import Account
from simulators.stripe.conformance import Conformance
from simulators.stripe.idempotency import IdempotencyKeys
from simulators.stripe.money import (
    balance,
    captures,
    charges,
    disputes,
    passing,
    payment_intents,
    payouts,
    refunds,
    reports,
    schedule,
)
from simulators.stripe.money.reports import Writer
from simulators.stripe.operation import Operation
from simulators.stripe.sender import Sender

OPERATIONS: tuple[Operation, ...] = (
    *customers.OPERATIONS,
    *tax_ids.OPERATIONS,
    *verification_sessions.OPERATIONS,
    *events.OPERATIONS,
    *webhook_endpoints.OPERATIONS,
    *payment_intents.OPERATIONS,
    *charges.OPERATIONS,
    *captures.OPERATIONS,
    *refunds.OPERATIONS,
    *disputes.OPERATIONS,
    *balance.OPERATIONS,
    *payouts.OPERATIONS,
    *reports.OPERATIONS,
)
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Simulator:
    """The parts that the API and the control API act on."""

    storage: Storage
    clock: Clock
    account: Account
    faults: Faults
    keys: IdempotencyKeys
    counters: Counters
    sender: Sender
    reports: Writer
    api_key: str

    @classmethod
    def on(cls, storage: Storage, clock: Clock, api_key: str) -> "Simulator":
        """The simulator as the storage left it; call it with a running event loop."""
        storage.create(verification_sessions.SCHEMA + webhook_endpoints.SCHEMA)
        account = Account(storage, clock, Conformance.from_file())
        sender = Sender(account)
        return cls(
            storage=storage,
            clock=clock,
            account=account,
            faults=Faults(storage, "stripe"),
            keys=IdempotencyKeys(storage, clock),
            counters=Counters(storage, "stripe"),
            sender=sender,
            reports=Writer(account, told=sender.wake),
            api_key=api_key,
        )

    async def run(self) -> None:
        """Send webhooks, write reports and let time pass until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sender.run())
            tasks.create_task(self.reports.run())
            while True:
                self.catch_up()
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def wake(self) -> None:
        """Look for what is to be sent or written."""
        self.sender.wake()
        self.reports.wake()

    def catch_up(self) -> None:
        """Let happen what is due by now."""
        if passing.catch_up(self.account, self.clock.now()):
            self.sender.wake()

    def reset(self, *, webhook_endpoints: bool) -> None:
        """Forget everything but the time."""
        with self.storage.transaction():
            self.account.clear(webhook_endpoints=webhook_endpoints)
            self.storage.run("DELETE FROM stripe_applicants")
            self.storage.run("DELETE FROM stripe_verification_links")
            if webhook_endpoints:
                self.storage.run("DELETE FROM stripe_webhook_secrets")
            self.storage.run("DELETE FROM settings WHERE name = ?", (schedule.SETTING,))
            self.keys.forget(None)
            self.counters.clear()
            self.faults.clear()
        reports.clear(self.storage)
