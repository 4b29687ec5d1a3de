"""Money outside, over HTTP: what customers do at Stripe, what arrives at the bank."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from workers.demo.outside import body_of, client_of
from workers.settings import Settings

TRANSACTIONS = "/v1/balance_transactions"
"""Where Stripe lists what moved our balance."""
BankFault = Literal["wire_fee_withheld", "deposit_lost", "statement_withheld"]


class Charge(BaseModel):
    """A payment that Stripe took: minor units."""

    id: str
    amount: int
    fee: int
    created: int


class PayoutAtStripe(BaseModel):
    """A payout as Stripe shows it."""

    id: str
    amount: int
    created: int


class StatementAtBank(BaseModel):
    """A statement file that the bank handed over."""

    name: str
    iban: str
    number: int
    day: date


class Money:
    """Stripe and the bank. All methods raise httpx.HTTPError where one does not answer."""

    def __init__(self, settings: Settings) -> None:
        key = settings.secret("stripe_api_key")
        self._stripe = client_of(settings.stripe_simulator_port, auth=(key, ""))
        self._bank = client_of(settings.bank_simulator_port)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._stripe.aclose()
        await self._bank.aclose()

    # Time

    async def now(self) -> int:
        """The time outside, in seconds."""
        return int(body_of(await self._stripe.get("/_simulator/clock"))["now"])

    async def move_to(self, moment: int) -> None:
        """Move the time outside ahead; what is due until then has happened at Stripe."""
        ahead = moment - await self.now()
        if ahead > 0:
            await self._told(self._stripe, "/_simulator/clock/advance", {"seconds": ahead})

    async def bank_has_closed(self, day: date) -> bool:
        """Whether the bank has booked what a day had."""
        health = body_of(await self._bank.get("/_simulator/health"))
        return date.fromisoformat(health["closed_until"]) >= day

    # Customers

    async def pay(self, customer: str, amount: int, currency: str) -> Charge:
        """A customer pays by card; what came of it, with Stripe's fee."""
        order = {
            "amount": str(amount),
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": "true",
        }
        intent = body_of(await self._stripe.post("/v1/payment_intents", data=order))
        charge = intent["latest_charge"]
        found = body_of(await self._stripe.get(TRANSACTIONS, params={"source": charge}))
        (booked,) = found["data"]
        return Charge(
            id=charge, amount=amount, fee=int(booked["fee"]), created=int(booked["created"])
        )

    async def refund(self, charge: str, amount: int) -> str:
        """Give a part of a payment back; the refund's id."""
        order = {"charge": charge, "amount": str(amount)}
        return str(body_of(await self._stripe.post("/v1/refunds", data=order))["id"])

    async def dispute(self, charge: str) -> str:
        """A customer's bank takes a payment back; the dispute's id."""
        told = await self._told(self._stripe, "/_simulator/disputes", {"charge_id": charge})
        return str(told["id"])

    async def book_unheard_of(self, amount: int, currency: str) -> str:
        """Stripe books something of a category that nobody knows; the transaction's id."""
        booking = {
            "type": "adjustment",
            "reporting_category": "goodwill_of_the_season",
            "amount": amount,
            "currency": currency.lower(),
        }
        told = await self._told(self._stripe, "/_simulator/balance_transactions", booking)
        return str(told["id"])

    async def charges(self, since: int) -> set[str]:
        """The ids of all that was charged since a time."""
        query: dict[str, str] = {"limit": "100", "created[gte]": str(since)}
        found: set[str] = set()
        while True:
            page = body_of(await self._stripe.get("/v1/charges", params=query))
            found |= {one["id"] for one in page["data"]}
            if not page["has_more"]:
                return found
            query["starting_after"] = page["data"][-1]["id"]

    # The account at Stripe

    async def balance(self, currency: str) -> int:
        """What Stripe holds for us, available or not."""
        told = body_of(await self._stripe.get("/v1/balance"))
        amounts = (*told["available"], *told["pending"])
        return sum(one["amount"] for one in amounts if one["currency"] == currency.lower())

    async def payouts(self, since: int) -> list[PayoutAtStripe]:
        """The payouts made since a time, oldest first."""
        query = {"limit": "100", "created[gte]": str(since)}
        page = body_of(await self._stripe.get("/v1/payouts", params=query))
        return [PayoutAtStripe.model_validate(one) for one in reversed(page["data"])]

    async def pay_out_to(self, iban: str, currency: str) -> None:
        """Have payouts go to a bank account from now on."""
        wanted = {"bank_accounts": {currency.lower(): iban}}
        await self._told(self._stripe, "/_simulator/payout_schedule", wanted)

    # The bank

    async def open_bank_account(self, iban: str, currency: str, balance: int) -> None:
        """Have a bank account with something on it."""
        wanted = {"iban": iban, "currency": currency, "balance": balance}
        await self._told(self._bank, "/_simulator/accounts", wanted)

    async def deposit(self, iban: str, amount: int, description: str) -> None:
        """Somebody pays in what nobody announced; it is booked with the day."""
        wanted = {"iban": iban, "amount": amount, "description": description}
        await self._told(self._bank, "/_simulator/entries", wanted)

    async def bank_fails(self, kind: BankFault, **match: str) -> None:
        """Have the bank do something wrong, once."""
        plan = {"kind": kind, "times": 1, "match": match}
        await self._told(self._bank, "/_simulator/faults", plan)

    async def bank_behaves(self) -> None:
        """The bank does nothing wrong any more, and hands over what it withheld."""
        body_of(await self._bank.delete("/_simulator/faults"))
        await self._told(self._bank, "/_simulator/statements/release", {})

    async def bank_faults(self) -> int:
        """How many faults the bank has still to commit."""
        return len(body_of(await self._bank.get("/_simulator/faults"))["faults"])

    async def statements(self, iban: str) -> list[StatementAtBank]:
        """The statement files of an account, the oldest first."""
        told = body_of(await self._bank.get("/statements"))["statements"]
        found = (StatementAtBank.model_validate(one) for one in told)
        return [one for one in found if one.iban == iban]

    async def statement(self, name: str) -> bytes:
        """The content of a statement file."""
        return (await self._bank.get(f"/statements/{name}")).raise_for_status().content

    async def _told(
        self, http: httpx.AsyncClient, path: str, body: Mapping[str, object]
    ) -> dict[str, Any]:
        """Tell a simulator something. Any: its own JSON."""
        told: dict[str, Any] = body_of(await http.post(path, json=body))
        return told
