"""The process that listens: the gateway behind uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import uvicorn
from temporalio.client import Client

from activities.onboarding.policy import BadPolicy, load_policy
from activities.reconciliation.terms import BadTerms, load_terms
from connectors.capabilities import Archive
from connectors.errors import ConnectorError, Refused
from database.connection import engine_for
from gateway.actors import Signer
from gateway.app import create_app
from gateway.applicants import ApplicantTokens
from gateway.callers import KeysUnreadable, read_callers
from gateway.options import GatewayOptions, ReadDocument
from gateway.problems import not_found, unavailable
from gateway.rates import Rates
from workers import keys
from workers.running import run
from workers.settings import Settings, SettingsWrong
from workers.signals import stop_requested
from workers.simulated_time import time_at
from workers.systems import ARCHIVE, Asking, spool, statement_spool
from workers.temporal_client import connect

_STATEMENT_SECONDS = 5.0
_ARCHIVE_SECONDS = 10.0
_DRAIN_SECONDS = 10


@contextlib.asynccontextmanager
async def options(settings: Settings, client: Client) -> AsyncIterator[GatewayOptions]:
    """The one place where the gateway's connections, keys and secrets are put together."""
    applicants = ApplicantTokens(keys.link_secrets(settings))
    try:
        callers = read_callers(settings.api_keys_file, applicants)
    except KeysUnreadable as error:
        raise SettingsWrong(str(error)) from error
    try:
        policy = load_policy(settings.rules / "policy.toml", settings.policy)
        terms = load_terms(settings.rules / "reconciliation.toml")
    except (BadPolicy, BadTerms) as error:
        raise SettingsWrong(str(error)) from error
    engine = engine_for(
        settings.database_url, application="perdure-gateway", size=20, patience=_STATEMENT_SECONDS
    )
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        archive = ARCHIVE[settings.archive](Asking(settings, _ARCHIVE_SECONDS, closing))
        yield GatewayOptions(
            engine=engine,
            client=client,
            callers=callers,
            signer=Signer(*keys.signing_key(settings)),
            webhook_secrets=[one.get_secret_value() for one in settings.stripe_webhook_secrets],
            link_seals=keys.link_seals(settings),
            applicants=applicants,
            rates=Rates(per_second=settings.gateway_rate, burst=settings.gateway_burst),
            page_rates=Rates(
                per_second=settings.gateway_rate, burst=settings.gateway_burst, whose="address"
            ),
            consent=policy.consent,
            spool=spool(settings),
            upload_limit=settings.upload_limit,
            statements=statement_spool(settings),
            statement_limit=settings.statement_limit,
            read_document=_reading(archive),
            calendars=terms.calendars.keys(),
            materiality=terms.materiality,
            now=time_at(settings.simulated_clock),
        )


def _reading(archive: Archive) -> ReadDocument:
    """The archive as the gateway knows it: to read from, with problems for failures."""

    async def read(owner: str, sha256: str) -> AsyncIterator[bytes]:
        try:
            async for piece in archive.read(owner, sha256):
                yield piece
        except Refused:
            raise not_found("document") from None
        except ConnectorError:
            raise unavailable("The archive") from None

    return read


async def serve(settings: Settings) -> None:
    """Serve until somebody asks to end; then answer what is under way."""
    # Lazy: signups are stored while Temporal is down.
    client = await connect(settings, lazy=True)
    async with options(settings, client) as given:
        server = _Server(
            uvicorn.Config(
                create_app(given),
                host=settings.gateway_host,
                port=settings.gateway_port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        with stop_requested() as stop:
            await server.serve_until(stop)


class _Server(uvicorn.Server):
    async def serve_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set."""
        serving = asyncio.create_task(self.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self.should_exit = True
        await serving

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: uvicorn would end the process by the signal after it drained."""
        yield


def main() -> None:
    """Run the gateway."""
    run("gateway", serve)


if __name__ == "__main__":
    main()
