"""Ports of this machine: are they free, and who holds them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from dataclasses import dataclass

import psutil

from workers.obstacle import Obstacle


class PortTaken(Obstacle):
    """A port that we need is in use. The text names the port, its holder and the way out."""


@dataclass(frozen=True)
class PortUse:
    """What a port is for, and the environment variable that moves it elsewhere."""

    port: int
    purpose: str
    setting: str


def ensure_free(*uses: PortUse) -> None:
    """Raise PortTaken, naming all that are taken, unless every port can be listened on."""
    taken = [
        f"Port {use.port} for {use.purpose} is taken{_holder(use.port)}. "
        f"End that program, or choose another port with {use.setting}."
        for use in uses
        if not _is_free(use.port)
    ]
    if taken:
        raise PortTaken("\n".join(taken))


def free_port() -> int:
    """A port that nobody listens on right now, outside the range of outgoing connections.

    A port that the system would choose may be in use again before somebody listens on it.
    """
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311 - nobody is to be surprised
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener,
        ):
            listener.bind(("127.0.0.1", port))
            return port


async def answers(port: int) -> bool:
    """Whether something accepts connections at 127.0.0.1."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Connections of an earlier run that are still closing are no reason to refuse.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
        return True


def _holder(port: int) -> str:
    """Who listens there, as far as the system tells us: other people's processes may be hidden."""
    with contextlib.suppress(psutil.Error, OSError):
        for found in psutil.net_connections("tcp"):
            listens = found.status == psutil.CONN_LISTEN and found.laddr.port == port
            if listens and found.pid is not None:
                return f" by {psutil.Process(found.pid).name()} (pid {found.pid})"
    return ""
