from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from workers import keys, laptop, laptop_secrets
from workers.settings import SettingsWrong

pytestmark = pytest.mark.usefixtures("clone")


def test_secrets_are_made_once_and_for_the_owner_only(clone: Path) -> None:
    folder = clone / ".perdure" / "secrets"
    laptop_secrets.make(folder.parent)
    first = {file.name: file.read_text() for file in folder.iterdir()}
    laptop_secrets.make(folder.parent)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_every_process_finds_the_secrets_it_needs(clone: Path) -> None:
    found = laptop.settings()
    assert found.home == clone / ".perdure"
    name, _ = keys.signing_key(found)
    assert name in keys.public_keys(found)
    assert found.secret("stripe_api_key").startswith("sk_test_")
    assert found.secret("database_password") in found.database_url


def test_the_gateway_knows_callers_by_hashes_alone() -> None:
    found = laptop.settings()
    text = found.api_keys_file.read_text()
    callers = {caller["name"]: caller for caller in json.loads(text)}
    assert callers["laptop-service"]["roles"] == ["service"]
    assert callers["laptop-operator"]["roles"] == ["operator"]
    assert "admin" in callers["laptop-admin"]["roles"]
    for name in ("laptop-finance-approver", "laptop-finance-approver-two"):
        assert callers[name]["roles"] == ["finance_approver"]
    operator = found.secret("api_key_operator")
    assert callers["laptop-operator"]["sha256"] == hashlib.sha256(operator.encode()).hexdigest()
    assert operator not in text


def test_a_laptop_talks_to_its_simulators_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_STRIPE_API_BASE", "https://stripe.example.com")
    monkeypatch.setenv("PERDURE_SMTP_HOST", "mail.example.com")
    monkeypatch.setenv("PERDURE_DIRECTORY_URL", "https://directory.example.com")
    monkeypatch.setenv("PERDURE_HUBSPOT_API_BASE", "https://crm.example.com")
    monkeypatch.setenv("PERDURE_STRIPE_SIMULATOR_PORT", "20401")
    monkeypatch.setenv("PERDURE_DIRECTORY_SIMULATOR_PORT", "20403")
    monkeypatch.setenv("PERDURE_CRM_SIMULATOR_PORT", "20404")
    found = laptop.settings()
    assert found.stripe_api_base == "http://127.0.0.1:20401"
    assert found.directory_url == "http://127.0.0.1:20403/v2"
    assert found.hubspot_api_base == "http://127.0.0.1:20404"
    assert found.smtp_host == "127.0.0.1"


@pytest.mark.parametrize("name", ["STRIPE_API_KEY", "DIRECTORY_TOKEN", "HUBSPOT_TOKEN"])
def test_a_key_of_ones_own_is_refused_on_a_laptop(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"PERDURE_{name}", "live_0")
    with pytest.raises(SettingsWrong, match=f"PERDURE_{name}") as caught:
        laptop.settings()
    assert "live_0" not in str(caught.value)
