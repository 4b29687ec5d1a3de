"""Temporal's own environment configuration stands over our settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import TLSConfig

from workers import settings
from workers.temporal_client import TemporalNotReachable, connect


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)


async def client_with(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Client:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = settings.load(temporal_address="ours.example:7233", temporal_namespace="ours")
    return await connect(found, lazy=True)


async def test_without_it_our_settings_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    client = await client_with(monkeypatch)
    assert client.service_client.config.target_host == "ours.example:7233"
    assert client.namespace == "ours"
    assert not client.service_client.config.tls


async def test_its_variables_name_another_server_and_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = await client_with(
        monkeypatch,
        TEMPORAL_ADDRESS="theirs.example:7233",
        TEMPORAL_NAMESPACE="theirs",
        TEMPORAL_API_KEY="a-key",
    )
    config = client.service_client.config
    assert config.target_host == "theirs.example:7233"
    assert client.namespace == "theirs"
    assert config.api_key == "a-key"


async def test_a_profile_of_a_file_that_is_named_brings_tls(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "temporal.toml").write_text(
        '[profile.production]\naddress = "theirs.example:7233"\nnamespace = "theirs"\n'
        '[profile.production.tls]\nserver_name = "temporal.example"\n'
    )
    client = await client_with(
        monkeypatch,
        TEMPORAL_CONFIG_FILE=str(clone / "temporal.toml"),
        TEMPORAL_PROFILE="production",
    )
    tls = client.service_client.config.tls
    assert isinstance(tls, TLSConfig)
    assert tls.domain == "temporal.example"


async def test_a_file_in_a_home_directory_that_nobody_named_changes_nothing(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = clone / ".config" / "temporalio" / "temporal.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[profile.default]\naddress = "cloud.example:7233"\n')
    client = await client_with(monkeypatch, HOME=str(clone), XDG_CONFIG_HOME=str(clone / ".config"))
    assert client.service_client.config.target_host == "ours.example:7233"


async def test_nobody_there_is_said_with_the_address() -> None:
    found = settings.load(temporal_address="127.0.0.1:9")
    with pytest.raises(TemporalNotReachable, match=r"does not answer at 127\.0\.0\.1:9"):
        await connect(found)
