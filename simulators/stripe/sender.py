"""Sends webhooks: concurrently, signed afresh at each attempt, until the endpoint answers 2xx."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Sequence

import httpx
import structlog

from simulators.facts import Violation
from simulators.stripe import webhook_endpoints
from simulators.stripe.account import Account
from simulators.stripe.deliveries import Delivery, ReleaseOrder

AT_ONCE = 16
ANSWER_SECONDS = 10.0
log = structlog.get_logger("simulators.stripe.webhooks")


def signature(body: str, secrets: Sequence[str], at: int) -> str:
    """The `Stripe-Signature` header: a time, and for each secret an HMAC over time and body."""
    signed = f"{at}.{body}".encode()
    codes = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
    return ",".join([f"t={at}", *(f"v1={code}" for code in codes)])


class Sender:
    """The sending of one account's deliveries. `wake` it when there may be something new."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._deliveries = account.deliveries
        self._under_way: set[int] = set()
        self._tasks = asyncio.TaskGroup()
        self._news = asyncio.Event()
        self._http = httpx.AsyncClient(
            timeout=ANSWER_SECONDS, limits=httpx.Limits(max_connections=AT_ONCE)
        )

    def wake(self) -> None:
        """Look for deliveries now."""
        self._news.set()

    def resume(self, order: ReleaseOrder) -> int:
        """Send what was kept back, one after the other in this order; how many there are."""
        kept_back = self._deliveries.kept_back(order)
        waiting = [each for each in kept_back if each.id not in self._under_way]
        self._under_way.update(each.id for each in waiting)
        self._deliveries.behave(self._deliveries.conduct.model_copy(update={"paused": False}))
        self._tasks.create_task(self._send(waiting))
        return len(waiting)

    async def run(self) -> None:
        """Send until cancelled; what is under way then stays pending and is sent again."""
        async with self._http, self._tasks:
            while True:
                self._news.clear()
                self._start_due()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._wait_seconds())

    def _start_due(self) -> None:
        if self._deliveries.conduct.paused:
            return
        free = max(0, AT_ONCE - len(self._under_way))
        for delivery in self._deliveries.due(free, self._under_way):
            self._under_way.add(delivery.id)
            self._tasks.create_task(self._send([delivery]))

    def _wait_seconds(self) -> float | None:
        if self._deliveries.conduct.paused or len(self._under_way) >= AT_ONCE:
            return None
        return self._deliveries.seconds_to_next(self._under_way)

    async def _send(self, deliveries: Sequence[Delivery]) -> None:
        """Attempt one after the other; those that fail come again by themselves."""
        for delivery in deliveries:
            try:
                await self._attempt(delivery)
            finally:
                self._under_way.discard(delivery.id)
                self.wake()

    async def _attempt(self, delivery: Delivery) -> None:
        """One attempt at one delivery."""
        event = self._account.events.get(delivery.event)
        endpoint = self._account.webhook_endpoints.get(delivery.endpoint)
        if event is None or endpoint is None or self._is_to_be_lost():
            self._deliveries.lose(delivery)
            return
        body = json.dumps(event, indent=2, ensure_ascii=False)
        try:
            self._account.conformance.check("event", body)
        except Violation as violation:
            log.error(  # noqa: TRY400 - the text says all
                "the event breaks the field facts", violation=str(violation)
            )
            self._deliveries.lose(delivery)
            return
        secrets = webhook_endpoints.signing_secrets(self._account, delivery.endpoint)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, secrets, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        status: int | None = None
        try:
            answer = await self._http.post(endpoint["url"], content=body.encode(), headers=headers)
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("webhook not answered", event_id=delivery.event, error=type(error).__name__)
        self._settle(delivery, status)

    def _is_to_be_lost(self) -> bool:
        conduct = self._deliveries.conduct
        if conduct.drop_next == 0:
            return False
        self._deliveries.behave(conduct.model_copy(update={"drop_next": conduct.drop_next - 1}))
        return True

    def _settle(self, delivery: Delivery, status: int | None) -> None:
        with self._account.storage.transaction():
            self._deliveries.settle(delivery, status)
            event = self._account.events.get(delivery.event)
            if event is not None:
                waiting = self._deliveries.endpoints_waiting(delivery.event)
                self._account.events.replace({**event, "pending_webhooks": waiting})
