"""An endpoint that webhooks are sent to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import stripe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.server import listening, server_of
from tests.patience import SOON


@dataclass(frozen=True)
class Received:
    body: bytes
    signature: str

    def event(self, secret: str) -> stripe.Event:
        """The event, its signature verified by the official SDK."""
        event: stripe.Event = stripe.Webhook.construct_event(self.body, self.signature, secret)
        return event


@dataclass
class Receiver:
    """What came, in the order in which it came; `answers` are given first, then 200."""

    url: str
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    at_once: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def until(self, number: int, seconds: float = SOON) -> list[Received]:
        """Wait until so many have come."""
        async with asyncio.timeout(seconds):
            while len(self.received) < number:
                await asyncio.sleep(0.01)
        return self.received

    async def take(self, request: Request) -> Response:
        self.at_once += 1
        body = await request.body()
        await self.may_answer.wait()
        self.at_once -= 1
        self.received.append(Received(body, request.headers["Stripe-Signature"]))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


class Reception:
    """One server for all receivers, each of which has a path of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._receivers: dict[str, Receiver] = {}

    def receiver(self) -> Receiver:
        name = f"endpoint-{len(self._receivers)}"
        receiver = Receiver(f"http://127.0.0.1:{self._port}/{name}")
        self._receivers[name] = receiver
        return receiver

    async def take(self, request: Request) -> Response:
        return await self._receivers[request.path_params["name"]].take(request)


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Reception]:
    listener = listening("127.0.0.1", 0)
    reception = Reception(listener.getsockname()[1])
    app = Starlette(routes=[Route("/{name}", reception.take, methods=["POST"])])
    server = server_of(app)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield reception
    finally:
        server.should_exit = True
        await serving
