"""The one way to Temporal: every process connects through here, so that all speak the same."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig
from temporalio.runtime import TelemetryFilter as Levels

from workers.converter import CONVERTER
from workers.obstacle import Obstacle
from workers.settings import Settings, variable


class TemporalNotReachable(Obstacle):
    """Nobody answers where Temporal should be. The text names the address and the way out."""


async def connect(
    settings: Settings, *, lazy: bool = False, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A client with pydantic models as messages.

    Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_TLS…`, a profile of the
    file that `TEMPORAL_CONFIG_FILE` names) stands over our settings. `lazy` connects at the first
    call: such a client can be had while Temporal is down. Raises TemporalNotReachable otherwise.
    """
    # A file in somebody's home directory would silently move a laptop's stack to their cloud.
    named = "TEMPORAL_CONFIG_FILE" in os.environ
    theirs = ClientConfig.load_client_connect_config(disable_file=not named)
    theirs.setdefault("target_host", settings.temporal_address)
    theirs.setdefault("namespace", settings.temporal_namespace)
    try:
        return await Client.connect(
            **theirs,
            data_converter=CONVERTER,
            interceptors=interceptors,
            lazy=lazy,
            runtime=runtime(),
        )
    except RuntimeError as error:
        raise TemporalNotReachable(
            f"Temporal does not answer at {theirs['target_host']}. Is it up? "
            f"{variable('temporal_address')} or TEMPORAL_ADDRESS names another one. ({error})"
        ) from error


@functools.cache
def runtime() -> Runtime:
    """Temporal's core, one for a process: its lines go the same road as all others."""
    lines = LogForwardingConfig(
        logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    levels = Levels(core_level="WARN", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(levels, forwarding=lines)))
