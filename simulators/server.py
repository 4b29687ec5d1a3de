"""Serves an ASGI application in a loop that has other things to do, and can cut a connection."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

DRAIN_SECONDS = 1


class CuttableProtocol(H11Protocol):
    """Gives each request `state.cut`, which ends its connection without an answer: ASGI cannot."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Offer the transport's end to the requests of this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}


class Server(uvicorn.Server):
    """A server that leaves signals to the process; `should_exit` ends it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server_of(app: ASGIApp) -> Server:
    """A server for an application, quick to start and to end."""
    return Server(
        uvicorn.Config(
            app,
            http=CuttableProtocol,
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on this port, or on a free one for 0.

    Raises OSError if the port is taken or the host is none of this machine's.
    """
    # Said outright, or asyncio would not see that it is TCP and leave out TCP_NODELAY.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    listener.setblocking(False)
    return listener
