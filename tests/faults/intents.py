"""What effects there are to have, and how to see how often each happened: a case for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.house import TENANT, House
from workflows.onboarding.messages import (
    workflow_id,
)
from workflows.request_key import Request, request_key
from workflows.step import declaration_of

Step = Callable[..., Any]
Act = Callable[[Request], Awaitable[Any]]


@dataclass
class Intent:
    """One effect to have: what is asked, and how often it happened."""

    request: Request
    happened: Callable[[], Awaitable[int]]


@dataclass
class Bench:
    """The real activities of our worker, with the real world around them."""

    house: House
    registered: dict[str, Act]

    def act(self, step: Step) -> Act:
        return self.registered[declaration_of(step).name]

    async def applied(self) -> tuple[str, str]:
        """A new application and the id of its process."""
        application = await self.house.apply()
        return application, workflow_id(TENANT, application)

    async def customers(self, process: str) -> list[dict[str, Any]]:
        """The customers at Stripe that a process made and that are still there."""
        return await self._stripe("/v1/customers", process)

    async def sessions(self, process: str) -> list[dict[str, Any]]:
        return await self._stripe("/v1/identity/verification_sessions", process)

    async def _stripe(self, path: str, process: str) -> list[dict[str, Any]]:
        outside = self.house.outside
        answer = await outside._http.get(
            outside.stripe_url + path, params={"limit": 100}, auth=(outside.api_key, "")
        )
        return [o for o in answer.json()["data"] if o["metadata"].get("workflow_id") == process]

    async def tax_ids(self, customer: str) -> list[dict[str, Any]]:
        outside = self.house.outside
        answer = await outside._http.get(
            f"{outside.stripe_url}/v1/customers/{customer}/tax_ids", auth=(outside.api_key, "")
        )
        found: list[dict[str, Any]] = answer.json().get("data", [])
        return found

    async def count(self, sql: str, **values: Any) -> int:
        return int((await self.house.rows(f"SELECT count(*) AS n FROM {sql}", **values))[0]["n"])


# One case for each effect: how to intend it anew, and how to see how often it happened.

Case = Callable[[Bench], Awaitable[Intent]]


def into(cases: dict[str, Case]) -> Callable[[Step], Callable[[Case], Case]]:
    """What notes cases there, by the names of their steps."""

    def case(step: Step) -> Callable[[Case], Case]:
        def note(intend: Case) -> Case:
            cases[declaration_of(step).name] = intend
            return intend

        return note

    return case


def named(step: Step, process: str, part: str = "") -> str:
    return request_key(process, declaration_of(step).name, part)
