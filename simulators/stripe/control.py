"""The control API under `/_simulator`: time, faults, keys, webhooks, the applicant, counters.

It needs no key: the simulator listens on loopback only.
"""

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.controls import Control, FaultPlan, fault_routes, read
from simulators.stripe import seeding, verification_sessions, webhook_endpoints
from simulators.stripe.collection import Document, encode
from simulators.stripe.deliveries import Conduct, ReleaseOrder
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.faults import FaultKind
from simulators.stripe.money.balance import DAY
from simulators.stripe.simulator import Simulator


class RequestMatch(Control):
    """Which requests: a method, and a glob over the path."""

    method: str | None = None
    path: str | None = None


class StripeFaultPlan(FaultPlan[FaultKind, RequestMatch]):
    """A fault of Stripe's."""

    match: RequestMatch = RequestMatch()


class Advance(Control):
    """How far to move the clock ahead."""

    seconds: float = Field(default=0, ge=0)
    days: int = Field(default=0, ge=0, le=3_700)


class Forget(Control):
    """Which idempotency key to forget; None is all."""

    key: str | None = None


class Lag(Control):
    """How far search is behind, in simulated seconds."""

    lag_seconds: float = Field(ge=0)


class Seed(Control):
    """How many objects to put there."""

    customers: int = Field(ge=1, le=5_000_000)


class Reset(Control):
    """Whether the webhook endpoints are forgotten, too."""

    webhook_endpoints: bool = True


class ConductChange(Control):
    """What to change in how webhooks misbehave."""

    copies: int | None = None
    scatter_seconds: float | None = None
    drop_next: int | None = None
    paused: bool | None = None


class Resume(Control):
    """In which order to send what was kept back."""

    order: ReleaseOrder = "oldest_first"


class Roll(Control):
    """How long the old secret signs as well."""

    keep_seconds: float = Field(default=3600, ge=0)


class Submission(Control):
    """What the applicant did; `code` is the `last_error` of a failure."""

    outcome: verification_sessions.Outcome
    code: str | None = None
    verified_outputs: dict[str, Any] | None = None  # Any: checked by the field facts


class ControlApi:
    """The endpoints of the control API."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account = simulator.account

    def routes(self) -> list[Route]:
        """All routes of the control API."""
        get, post = ["GET"], ["POST"]
        return [
            Route("/_simulator/health", self.health, methods=get),
            Route("/_simulator/clock", self.clock, methods=get),
            Route("/_simulator/clock/advance", self.advance, methods=post),
            Route("/_simulator/counters", self.counters, methods=get),
            Route("/_simulator/deliveries", self.deliveries, methods=get),
            Route("/_simulator/events/{event}/replay", self.replay, methods=post),
            Route("/_simulator/idempotency_keys/forget", self.forget, methods=post),
            Route("/_simulator/identity/{session}/submit", self.submit, methods=post),
            Route("/_simulator/reset", self.reset, methods=post),
            Route("/_simulator/search", self.search, methods=post),
            Route("/_simulator/seed", self.seed, methods=post),
            Route("/_simulator/webhook_endpoints/{endpoint}/roll_secret", self.roll, methods=post),
            Route("/_simulator/webhooks", self.conduct, methods=get),
            Route("/_simulator/webhooks", self.behave, methods=post),
            Route("/_simulator/webhooks/resume", self.resume, methods=post),
            *fault_routes(self._simulator.faults, StripeFaultPlan),
        ]

    async def health(self, _: Request) -> Response:
        """Whether the simulator is up."""
        return JSONResponse({"status": "ok"})

    async def clock(self, _: Request) -> Response:
        """The simulated time."""
        return JSONResponse({"now": self._simulator.clock.now()})

    async def advance(self, request: Request) -> Response:
        """Move the simulated time ahead; what is due by then has happened."""
        wanted = await read(request, Advance)
        self._simulator.clock.advance(wanted.days * DAY + wanted.seconds)
        self._simulator.catch_up()
        return await self.clock(request)

    async def counters(self, _: Request) -> Response:
        """How many requests came to which end."""
        return JSONResponse({"counters": self._simulator.counters.listed()})

    async def forget(self, request: Request) -> Response:
        """Forget idempotency keys before their time."""
        key = (await read(request, Forget)).key
        return JSONResponse({"forgotten": self._simulator.keys.forget(key)})

    async def search(self, request: Request) -> Response:
        """Set how far search is behind."""
        lag = await read(request, Lag)
        self._account.search_lag.set(lag.lag_seconds)
        return JSONResponse(lag.model_dump())

    async def seed(self, request: Request) -> Response:
        """Put many objects there at once, without events."""
        wanted = await read(request, Seed)
        await seeding.customers(self._account, wanted.customers)
        return JSONResponse(wanted.model_dump())

    async def reset(self, request: Request) -> Response:
        """Forget everything but the time."""
        wanted = await read(request, Reset)
        self._simulator.reset(webhook_endpoints=wanted.webhook_endpoints)
        return JSONResponse(wanted.model_dump())

    async def submit(self, request: Request) -> Response:
        """Act as the applicant at the hosted page."""
        wanted = await read(request, Submission)
        session = submitted(self._simulator, request.path_params["session"], wanted)
        return JSONResponse(session)

    # Webhooks

    async def conduct(self, _: Request) -> Response:
        """How webhooks misbehave now."""
        return JSONResponse(self._account.deliveries.conduct.model_dump())

    async def behave(self, request: Request) -> Response:
        """Change how webhooks misbehave."""
        wanted = (await read(request, ConductChange)).model_dump(exclude_none=True)
        conduct = self._account.deliveries.conduct.model_dump() | wanted
        self._account.deliveries.behave(Conduct.model_validate(conduct))
        self._simulator.sender.wake()
        return await self.conduct(request)

    async def resume(self, request: Request) -> Response:
        """Send what was kept back, in an order."""
        order = (await read(request, Resume)).order
        return JSONResponse({"released": self._simulator.sender.resume(order)})

    async def deliveries(self, request: Request) -> Response:
        """Deliveries with their state, of all events or one."""
        event = request.query_params.get("event")
        return JSONResponse({"deliveries": self._account.deliveries.listed(event)})

    async def replay(self, request: Request) -> Response:
        """Deliver one event again to each endpoint that wants its type."""
        event = self._account.events.get(request.path_params["event"])
        if event is None:
            raise no_such("event", request.path_params["event"])
        endpoints = self._account.endpoints_for(event["type"])
        with self._simulator.storage.transaction():
            self._account.deliveries.plan(event["id"], endpoints)
        self._simulator.sender.wake()
        return JSONResponse({"endpoints": endpoints})

    async def roll(self, request: Request) -> Response:
        """Give an endpoint a new secret; the old one signs as well for a while."""
        keep = (await read(request, Roll)).keep_seconds
        with self._simulator.storage.transaction():
            endpoint = request.path_params["endpoint"]
            secret = webhook_endpoints.roll_secret(self._account, endpoint, keep)
        return JSONResponse({"secret": secret})


def submitted(simulator: Simulator, session: str, wanted: Submission) -> Document:
    """The session after what the applicant did; raises Refusal where that is not possible."""
    account = simulator.account
    if wanted.code is not None and wanted.code not in account.conformance.last_error_codes:
        raise ParameterError(f"Stripe has no such last_error: {wanted.code}", param="code")
    with simulator.storage.transaction():
        after = verification_sessions.submit(
            account, session, wanted.outcome, wanted.code, wanted.verified_outputs
        )
        account.conformance.check("identity.verification_session", encode(after))
    simulator.sender.wake()
    return after
