"""A typed hand on one simulated API: its faults, its counters, and its own requests."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from simulators.front import ApiFaultKind


def controlling() -> httpx.AsyncClient:
    """A client for what tests tell simulators; it takes none that is about to be closed."""
    return httpx.AsyncClient(timeout=30, limits=httpx.Limits(keepalive_expiry=2))


@dataclass(frozen=True)
class Count:
    """How often requests of one kind came to one end.

    `executed`: the operation ran and committed, or failed after it began. `replayed`: answered
    from the idempotency record. `refused`: parameters, key, conflict. `faulted`: a fault answered
    before anything ran.
    """

    method: str
    path: str
    outcome: Literal["executed", "replayed", "refused", "faulted"]
    requests: int


@dataclass(frozen=True)
class Counters:
    counts: tuple[Count, ...]

    def of(self, method: str, path: str, outcome: str | None = None) -> int:
        """Requests with this method and path template (`/v1/customers/{customer}`)."""
        return sum(
            count.requests
            for count in self.counts
            if (count.method, count.path) == (method, path) and outcome in (None, count.outcome)
        )

    def executed(self, method: str, path: str) -> int:
        return self.of(method, path, "executed")

    def replayed(self, method: str, path: str) -> int:
        return self.of(method, path, "replayed")


@dataclass
class SimulatedApi:
    """A directory, the CRM or yente: where it is, and what a test may do to it.

    `port` is filled when it runs; `token_file` holds the one token that it accepts.
    """

    name: str
    token_file: Path
    token: str = field(default_factory=lambda: f"token_{secrets.token_hex(12)}")
    port: int = 0
    scheme: str = "Bearer"
    _http: httpx.AsyncClient = field(default_factory=controlling)

    def __post_init__(self) -> None:
        self.token_file.write_text(self.token)
        self.token_file.chmod(0o600)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        await self._http.aclose()

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **given: Any
    ) -> httpx.Response:
        """A request with the token, as anybody who may would send it."""
        told = {"Authorization": f"{self.scheme} {self.token}", **(headers or {})}
        return await self._http.request(method, self.url + path, headers=told, **given)

    async def fault(
        self,
        kind: ApiFaultKind,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        seconds: float | None = None,
    ) -> None:
        """Have the next `times` matching requests go wrong (None: until cleared)."""
        match = {"method": method, "path": path}
        body = {"match": match, "kind": kind, "times": times, "seconds": seconds}
        answer = await self._http.post(f"{self.url}/_simulator/faults", json=body)
        answer.raise_for_status()

    async def outage(self) -> None:
        """It is down (503) until `clear_faults`."""
        await self.fault("error_503", times=None)

    async def faults(self) -> list[dict[str, Any]]:  # Any: JSON as the control API has it
        """The faults that still wait for requests."""
        answer = await self._http.get(f"{self.url}/_simulator/faults")
        found: list[dict[str, Any]] = answer.raise_for_status().json()["faults"]
        return found

    async def clear_faults(self) -> None:
        (await self._http.delete(f"{self.url}/_simulator/faults")).raise_for_status()

    async def counters(self) -> Counters:
        """Requests since the last reset; the control API is not counted."""
        answer = await self._http.get(f"{self.url}/_simulator/counters")
        counts = answer.raise_for_status().json()["counters"]
        return Counters(tuple(Count(**count) for count in counts))

    async def control(self, path: str, body: Mapping[str, Any]) -> None:
        """Do something to this system that its own API has no way for."""
        answer = await self._http.post(f"{self.url}/_simulator/{path}", json=body)
        answer.raise_for_status()

    async def reset(self) -> None:
        """Forget everything there."""
        (await self._http.post(f"{self.url}/_simulator/reset")).raise_for_status()
