"""What Stripe sends to the bank: payouts when they set out, and their return when they fail.

Over HTTP, as between strangers; the bank counts a payout once by its id, so that what was sent and
not answered is sent again.
"""

from datetime import UTC, datetime

import httpx
import structlog

from simulators.storage import Storage
from simulators.stripe.collection import Document
from simulators.stripe.money import payouts, schedule
from simulators.stripe.simulator import Simulator
from simulators.world import accounts

SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_wires (
    payout TEXT PRIMARY KEY,
    returned INTEGER NOT NULL DEFAULT 0
);
"""
SINCE = "stripe_wires_since"
"""Payouts of before then are history: whoever put them there has put them into a bank, too."""
_SET_OUT = """
SELECT p.id FROM stripe_payouts p LEFT JOIN stripe_wires w ON w.payout = p.id
WHERE p.deleted = 0 AND p.status IN ('in_transit', 'paid') AND p.created >= ? AND w.payout IS NULL
ORDER BY p.sequence
"""
_FAILED = """
SELECT p.id FROM stripe_payouts p JOIN stripe_wires w ON w.payout = p.id
WHERE p.deleted = 0 AND p.status = 'failed' AND p.created >= ? AND w.returned = 0
ORDER BY p.sequence
"""
_SENT = "INSERT OR IGNORE INTO stripe_wires (payout) VALUES (?)"
_RETURNED = "UPDATE stripe_wires SET returned = 1 WHERE payout = ?"
_log = structlog.get_logger()


class Wires:
    """Carries payouts from a Stripe account to the bank at `bank_url`."""

    def __init__(self, storage: Storage, stripe: Simulator, bank_url: str) -> None:
        self._storage, self._stripe = storage, stripe
        self._http = httpx.AsyncClient(base_url=bank_url, timeout=10, trust_env=False)
        storage.create(SCHEMA)
        if storage.setting(SINCE) is None:
            storage.keep_setting(SINCE, int(stripe.clock.now()))

    async def deliver(self) -> None:
        """Have happen at Stripe what is due, and tell the bank all that it should know by now."""
        self._stripe.catch_up()
        since = self._storage.setting(SINCE)
        try:
            for row in self._storage.rows(_SET_OUT, (since,)):
                await self._set_out(row[0])
            for row in self._storage.rows(_FAILED, (since,)):
                await self._http.post(f"/transfers/{row[0]}/return")
                self._storage.run(_RETURNED, row)
        except httpx.HTTPError as error:
            _log.warning("the bank cannot be told", error=type(error).__name__)

    async def _set_out(self, payout_id: str) -> None:
        payout = self._stripe.account.payouts.get(payout_id)
        if payout is None:  # all of Stripe was forgotten meanwhile
            return
        answer = await self._http.post("/transfers", json=self._transfer(payout))
        answer.raise_for_status()
        self._storage.run(_SENT, (payout_id,))

    def _transfer(self, payout: Document) -> Document:
        told = schedule.current(self._stripe.account)
        traced = told.trace == "supported"
        currency = payout["currency"].upper()
        arrival = datetime.fromtimestamp(payout["arrival_date"], UTC)
        return {
            "id": payout["id"],
            "iban": told.bank_accounts.get(payout["currency"]) or accounts.iban(currency),
            "amount": payout["amount"],
            "currency": currency,
            "arrival_date": arrival.date().isoformat(),
            "descriptor": payout["statement_descriptor"] or payouts.DESCRIPTION,
            "trace_id": payouts.trace_id(payout["id"]) if traced else None,
        }

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()
