"""The one way to Temporal: every process connects through here, so that all speak the same."""

from __future__ import annotations

import os
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig

from workers.settings import Settings


async def connect(
    settings: Settings, *, lazy: bool = False, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A client with pydantic models as messages.

    Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_TLS…`, a profile of the
    file that `TEMPORAL_CONFIG_FILE` names) stands over our settings. `lazy` connects at the first
    call: such a client can be had while Temporal is down.
    """
    # A file in somebody's home directory would silently move a laptop's stack to their cloud.
    named = "TEMPORAL_CONFIG_FILE" in os.environ
    theirs = ClientConfig.load_client_connect_config(disable_file=not named)
    theirs.setdefault("target_host", settings.temporal_address)
    theirs.setdefault("namespace", settings.temporal_namespace)
    return await Client.connect(
        **theirs, data_converter=pydantic_data_converter, interceptors=interceptors, lazy=lazy
    )
