"""What stands before a simulated HTTP API: who asks, what goes wrong, and counts of what came.

The API behind it commits before it answers, so that an answer can get lost on its way back.
"""

import asyncio
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.controls import Control, FaultPlan, fault_routes, refuse
from simulators.counters import Counters, Ending
from simulators.faults import Fault, Faults
from simulators.storage import Storage

ApiFaultKind = Literal[
    "drop_before",  # the connection ends before anything ran
    "drop_after_commit",  # it ran; the connection ends without an answer
    "timeout_after_commit",  # it ran; the answer does not come for `seconds` (default 60)
    "error_500",  # a 500 before anything ran
    "error_503",  # an outage
    "rate_limit_429",  # `seconds` (default 1) is what Retry-After says
    "slow_before_commit",  # waits `seconds` (default 1), then runs
    "slow_after_commit",  # runs, then waits `seconds` (default 1) with the answer
]
BEFORE: frozenset[ApiFaultKind] = frozenset(
    {"drop_before", "error_500", "error_503", "rate_limit_429", "slow_before_commit"}
)
ON_THE_WAY_BACK: frozenset[ApiFaultKind] = frozenset(
    {"drop_after_commit", "timeout_after_commit", "slow_after_commit"}
)
STATUS = {"error_500": 500, "error_503": 503, "rate_limit_429": 429}
TIMEOUT_SECONDS = 60.0
SLOW_SECONDS = 1.0


class RequestMatch(Control):
    """Which requests: a method, and a glob over the path."""

    method: str | None = None
    path: str | None = None


class ApiFaultPlan(FaultPlan[ApiFaultKind, RequestMatch]):
    """A fault of an API."""

    match: RequestMatch = RequestMatch()


@dataclass(frozen=True)
class Front:
    """One API as the outside meets it.

    `paths` are the templates that counters name, the more literal first. `refusal` puts a status
    into words, as this system does. `scheme` is what the token comes by.
    """

    api: ASGIApp
    paths: Sequence[str]
    token: str
    refusal: Callable[[int], Response]
    faults: Faults
    counters: Counters
    scheme: str = "bearer"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in whatever way."""
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except asyncio.CancelledError:
            # The process ends; who waits for an answer sees what an outage would show.
            request.state.cut()
            response = Response()
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        if not self._knows(request.headers.get("Authorization", "")):
            self._count(request, "refused")
            return self.refusal(401)
        fault = self._fault(request, BEFORE)
        if fault is not None and fault.kind != "slow_before_commit":
            self._count(request, "faulted")
            return self._failing(request, fault)
        body = await request.body()  # now: who hangs up meanwhile takes it along
        if fault is not None:
            await asyncio.sleep(fault.seconds or SLOW_SECONDS)
        response = await self._passed_on(request, body)
        self._count(request, "executed" if response.status_code < 400 else "refused")
        if fault := self._fault(request, ON_THE_WAY_BACK):
            await self._delay(request, fault)
        return response

    async def _passed_on(self, request: Request, body: bytes) -> Response:
        """The API's answer, whole."""
        response = Response()
        parts: list[bytes] = []

        async def give() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.raw_headers = list(message["headers"])
            else:
                parts.append(message.get("body", b""))

        await self.api(request.scope, give, take)
        response.body = b"".join(parts)
        if response.body and "content-length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.body))
        return response

    def _failing(self, request: Request, fault: Fault) -> Response:
        if fault.kind == "drop_before":
            request.state.cut()
            return Response()
        response = self.refusal(STATUS[fault.kind])
        if fault.kind == "rate_limit_429":
            response.headers["Retry-After"] = f"{fault.seconds or 1:g}"
        return response

    async def _delay(self, request: Request, fault: Fault) -> None:
        """It is done; the answer is late, or is not to arrive."""
        if fault.kind == "slow_after_commit":
            await asyncio.sleep(fault.seconds or SLOW_SECONDS)
            return
        if fault.kind == "timeout_after_commit":
            await _until_left(request, fault.seconds or TIMEOUT_SECONDS)
        request.state.cut()

    def _knows(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        known = hmac.compare_digest(given.encode(), self.token.encode())
        return known and scheme.lower() == self.scheme

    def _fault(self, request: Request, among: frozenset[ApiFaultKind]) -> Fault | None:
        subject = {"method": [request.method], "path": [request.url.path]}
        return self.faults.take(among, subject)

    def _count(self, request: Request, ending: Ending) -> None:
        path = request.url.path
        template = next((each for each in self.paths if _fits(each, path)), path)
        self.counters.count(request.method, template, ending)


def application(
    system: str,
    api: ASGIApp,
    *,
    paths: Sequence[str],
    token: str,
    refusal: Callable[[int], Response],
    storage: Storage,
    forget: Callable[[], None],
    scheme: str = "bearer",
    controls: Sequence[Route] = (),
) -> Starlette:
    """The API and its control API under `/_simulator` on one port; `forget` empties the system.

    `system` is the name that its faults and counters are stored under, `controls` are what one can
    do to it besides; for the rest see Front.
    """
    faults, counted = Faults(storage, system), Counters(storage, system)
    front = Front(api, paths, token, refusal, faults, counted, scheme)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def counters(_: Request) -> Response:
        return JSONResponse({"counters": front.counters.listed()})

    async def reset(_: Request) -> Response:
        forget()
        front.counters.clear()
        front.faults.clear()
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/_simulator/health", health, methods=["GET"]),
            Route("/_simulator/counters", counters, methods=["GET"]),
            Route("/_simulator/reset", reset, methods=["POST"]),
            *fault_routes(front.faults, ApiFaultPlan),
            *controls,
            Mount("/", app=front),
        ],
        exception_handlers={ValidationError: refuse},
    )


def templates(routes: Sequence[Route]) -> tuple[str, ...]:
    """The path templates of an API's routes, each once."""
    return tuple(dict.fromkeys(route.path for route in routes))


async def _until_left(request: Request, seconds: float) -> None:
    """Wait, but not for a client that has hung up."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None
