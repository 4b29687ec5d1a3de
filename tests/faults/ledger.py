"""One request of one process through `once`, and an outside that does as it is told."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.once import Once
from connectors.capabilities import Sent
from tests.postgres import rows
from workflows.onboarding.messages import CreateCustomer, Customer
from workflows.step import Undo

HOURS_23 = timedelta(hours=23)


class Outside:
    """Somebody else's system that remembers what was made under which key."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.sent: list[str] = []
        self.looked_for: list[str] = []
        self.looked_since: list[datetime | None] = []
        self.undone: list[dict[str, object]] = []
        self.failing: list[Exception] = []
        self.after_the_commit = True

    async def send(self, key: str) -> Customer:
        self.sent.append(key)
        failure = self.failing.pop(0) if self.failing else None
        if failure is not None and not self.after_the_commit:
            raise failure
        made = self.made.setdefault(key, f"cus_{len(self.made) + 1}")
        if failure is not None:
            raise failure
        return Customer(customer_id=made)

    async def find(self, sent: Sent) -> Customer | None:
        self.looked_for.append(sent.key)
        self.looked_since.append(sent.first_at)
        made = self.made.get(sent.key)
        return Customer(customer_id=made) if made else None

    async def remove(self, customer: Customer) -> bool:
        keys = [key for key, made in self.made.items() if made == customer.customer_id]
        return self.made.pop(keys[0], None) is not None if keys else False


class Ledger:
    """One request of one process, carried out through `once`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine, self.outside, self.once = engine, Outside(), Once(engine)
        self.key = f"onboarding/acme/{secrets.token_hex(8)}/billing.create_customer"

    def request(
        self, application: str = "a", *, generation: int = 1, version: int = 1
    ) -> CreateCustomer:
        return CreateCustomer(
            request_key=self.key,
            application_id=application,
            generation=generation,
            version=version,
        )

    async def theirs(self, *, generation: int = 1, version: int = 1) -> Customer:
        return await self.once.theirs(
            self.request(generation=generation, version=version),
            Customer,
            send=self.outside.send,
            find=self.outside.find,
            keys_live=HOURS_23,
        )

    async def undo(self) -> bool:
        async def find(sent: Sent, asked: dict[str, object]) -> Customer | None:
            self.outside.undone.append(asked)
            return await self.outside.find(sent)

        undo = Undo(request_key=self.key.replace("create", "delete"), of=self.key)
        done = await self.once.undo(undo, Customer, find=find, remove=self.outside.remove)
        return done.existed

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return await rows(self.engine, sql, **values)

    async def row(self) -> dict[str, object]:
        return (await self.rows("SELECT * FROM requests WHERE key = :key", key=self.key))[0]

    async def time_passes(self, by: timedelta) -> None:
        sql = """UPDATE requests SET first_sent_at = first_sent_at - CAST(:by AS interval),
                 lease_until = lease_until - CAST(:by AS interval)"""
        await self.rows(sql, by=by)
