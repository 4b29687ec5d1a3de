"""Who has to do with the books at the gateway: finance, by two people, and the service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from workers.demo.books.plan import CURRENCY, Week
from workers.demo.callers import asked, client_of
from workers.settings import Settings
from workflows.reconciliation.answers import BreakInFull, Match, Reconciliation, Verification
from workflows.reconciliation.opening import ProposedOpening
from workflows.reconciliation.payments import PaymentKind

PROPOSER, APPROVER = "laptop-finance-operator", "laptop-finance-approver"
"""The names of the API keys of who proposes what the books begin with, and who approves."""

_PAGE = 100

One = TypeVar("One", bound=BaseModel)


class Finance:
    """Finance's two people, and the service that takes payments, each with their own key."""

    def __init__(self, settings: Settings) -> None:
        self._operator = client_of(settings, settings.secret("api_key_finance_operator"))
        self._approver = client_of(settings, settings.secret("api_key_finance_approver"))
        self._service = client_of(settings, settings.secret("api_key_service"))

    async def aclose(self) -> None:
        """Close the connections."""
        for http in (self._operator, self._approver, self._service):
            await http.aclose()

    # The account

    async def make_account(self, name: str, iban: str, week: Week) -> None:
        """Have an account whose books are compared, from the Monday of a week on."""
        bank = {"identification": iban, "currency": CURRENCY, "calendar": "target"}
        account = {
            "name": name,
            "time_zone": "UTC",
            "opened_on": week.monday.isoformat(),
            "processor": "listing",
            "posts": ["fees", "payouts", "settlements"],
            "bank_accounts": [bank],
        }
        await asked(self._operator, "POST", "/v1/accounts", account)

    async def propose_opening(
        self, name: str, week: Week, balances: Mapping[str, int], reason: str
    ) -> int:
        """Propose what the books begin with; the proposal's number."""
        opening = {
            "opened_on": week.monday.isoformat(),
            "balances": [
                {"book": book, "currency": CURRENCY, "amount_minor": amount}
                for book, amount in balances.items()
            ],
            "reason": reason,
        }
        path = f"/v1/accounts/{name}/opening"
        return int((await asked(self._operator, "POST", path, opening))["id"])

    async def approve_opening(
        self, name: str, proposal: int, reason: str, *, by_proposer: bool = False
    ) -> int:
        """Approve of a proposal; the status of the answer."""
        answer = await (self._operator if by_proposer else self._approver).post(
            f"/v1/accounts/{name}/opening/approve",
            json={"reason": reason},
            headers={"If-Match": f'"{proposal}"'},
        )
        return answer.status_code

    async def opening(self, name: str) -> ProposedOpening:
        """What the books began with, and who proposed and decided it."""
        found = await asked(self._approver, "GET", f"/v1/accounts/{name}/opening")
        return ProposedOpening.model_validate(found)

    # What comes in

    async def tell(
        self,
        account: str,
        key: str,
        *,
        kind: PaymentKind,
        about: str,
        amount: int,
        fee: int,
        at: int,
    ) -> None:
        """The service tells a payment, under a key: `about` is Stripe's object."""
        payment = {
            "account": account,
            "kind": kind,
            "reference": about,
            "amount_minor": amount,
            "currency": CURRENCY,
            "captured_at": datetime.fromtimestamp(at, UTC).isoformat(),
            "fee_minor": fee,
        }
        headers = {"Idempotency-Key": key}
        await asked(self._service, "POST", "/v1/payments", payment, headers)

    async def payments(self, account: str) -> int:
        """How many payments are booked."""
        return len(await self._all(self._operator, "/v1/payments", {"account": account}, _Any))

    async def send_statement(self, content: bytes) -> None:
        """The bank's file is uploaded."""
        await asked(self._operator, "POST", "/v1/statements", content)

    async def statements(self, iban: str) -> list[str]:
        """The state of each statement of a bank account, in every file that came."""
        page = await asked(self._operator, "GET", "/v1/statements?limit=100")
        told = (one for file in page["items"] for one in file["statements"])
        return [one["state"] for one in told if one["bank_account"] == iban]

    # Nights

    async def reconcile(self, account: str, day: date) -> Reconciliation:
        """Have a day reconciled. Returns when that is begun."""
        body = {"account": account, "business_date": day.isoformat()}
        begun = await asked(self._operator, "POST", "/v1/reconciliations", body)
        return Reconciliation.model_validate(begun)

    async def reconcile_range(self, account: str, first: date, last: date) -> None:
        """Have days reconciled, one after the other. Returns when that is begun."""
        body = {"account": account, "first": first.isoformat(), "last": last.isoformat()}
        await asked(self._operator, "POST", "/v1/reconciliations/range", body)

    async def runs(self, account: str) -> list[Reconciliation]:
        """The runs of an account, the oldest first."""
        path = f"/v1/reconciliations?limit={_PAGE}&account={account}"
        found = await asked(self._operator, "GET", path)
        return [Reconciliation.model_validate(one) for one in reversed(found["items"])]

    async def certificate(self, id_: str, format_: str = "json") -> bytes:
        """A certificate, as it was kept."""
        found = await self._approver.get(f"/v1/certificates/{id_}", params={"format": format_})
        return found.raise_for_status().content

    async def verify(self, id_: str) -> Verification:
        """Have a certificate made anew from what is stored, and compared."""
        found = await asked(self._approver, "GET", f"/v1/certificates/{id_}/verification")
        return Verification.model_validate(found)

    async def breaks(self, account: str) -> list[BreakInFull]:
        """Every break that there ever was, with what it is about and what happened to it."""
        query = {"account": account, "state": "all"}
        found = await self._all(self._operator, "/v1/breaks", query, _Numbered)
        one_by_one = (asked(self._operator, "GET", f"/v1/breaks/{one.id}") for one in found)
        return [BreakInFull.model_validate(one) for one in await asyncio.gather(*one_by_one)]

    async def matches(self, account: str) -> list[Match]:
        """Every match, the latest first."""
        return await self._all(self._operator, "/v1/matches", {"account": account}, Match)

    async def _all(
        self, http: httpx.AsyncClient, path: str, query: Mapping[str, str], shape: type[One]
    ) -> list[One]:
        """The rows of all pages."""
        rows: list[One] = []
        cursor = None
        while True:
            wanted: dict[str, Any] = {**query, "limit": _PAGE}  # Any: httpx's own
            wanted |= {"cursor": cursor} if cursor else {}
            page = await asked(http, "GET", str(httpx.URL(path, params=wanted)))
            rows += [shape.model_validate(one) for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return rows


class _Any(BaseModel):
    """A row of which only the number is of interest."""


class _Numbered(BaseModel):
    id: int
