"""The process that listens: the gateway behind uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator

import uvicorn
import uvloop

from database.connection import engine_for
from gateway.actors import Signer
from gateway.app import create_app
from gateway.callers import KeysUnreadable, read_callers
from gateway.options import GatewayOptions
from workers import telemetry
from workers.obstacle import Obstacle
from workers.settings import Settings, SettingsWrong, load
from workers.signals import stop_requested
from workers.temporal_client import connect

_STATEMENT_SECONDS = 5.0
_DRAIN_SECONDS = 10


async def serve(settings: Settings) -> None:
    """Serve until asked to end; then answer what is under way."""
    engine = engine_for(
        settings.database_url, application="gateway", size=20, patience=_STATEMENT_SECONDS
    )
    try:
        # Lazy: signups are stored while Temporal is down.
        client = await connect(settings, lazy=True)
        options = GatewayOptions(
            engine=engine,
            client=client,
            callers=read_callers(settings.api_keys_file),
            signer=Signer(*settings.signing_key()),
            webhook_secrets=[one.get_secret_value() for one in settings.stripe_webhook_secrets],
        )
        server = _Server(
            uvicorn.Config(
                create_app(options),
                host=settings.gateway_host,
                port=settings.gateway_port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        with stop_requested() as requested:
            ending = asyncio.create_task(requested.wait())
            ending.add_done_callback(lambda _: setattr(server, "should_exit", True))
            await server.serve()
            ending.cancel()
    except KeysUnreadable as error:
        raise SettingsWrong(str(error)) from error
    finally:
        await engine.dispose()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: uvicorn would end the process by the signal after it drained."""
        yield


def main() -> None:
    """Run the gateway."""
    try:
        settings = load()
        telemetry.configure("gateway", log_format=settings.log_format, log_level=settings.log_level)
        uvloop.run(serve(settings))
    except Obstacle as obstacle:
        print(f"gateway: {obstacle}", file=sys.stderr)  # noqa: T201
        sys.exit(obstacle.exit_code)


if __name__ == "__main__":
    main()
