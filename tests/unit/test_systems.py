"""Which systems can be chosen, and what is said where one cannot be used."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, get_args

import pytest

from database.connection import engine_for
from tests.simulated import INVENTED_LIST
from workers import laptop, settings, systems
from workers.settings import SecretName, Settings, SettingsWrong
from workers.systems import Making

TABLES: dict[str, Any] = {
    "identity": systems.IDENTITY,
    "billing": systems.BILLING,
    "directory": systems.DIRECTORY,
    "crm": systems.CRM,
    "mail": systems.MAIL,
    "screening": systems.SCREENING,
    "archive": systems.ARCHIVE,
}
EVERY = [(capability, name) for capability, table in TABLES.items() for name in table]

pytestmark = pytest.mark.usefixtures("clone")


async def make(capability: str, name: str, **given: Any) -> Any:
    found = settings.load(**{capability: name} | given)
    async with AsyncExitStack() as closing:
        engine = engine_for("postgresql://perdure:none@127.0.0.1:1/nowhere")
        closing.push_async_callback(engine.dispose)
        return TABLES[capability][name](Making(found, 1.0, closing, engine))


@pytest.mark.parametrize("capability", TABLES)
def test_what_the_settings_offer_can_be_made(capability: str) -> None:
    offered = get_args(Settings.model_fields[capability].annotation)
    assert set(offered) == set(TABLES[capability])
    assert len(offered) == 2


@pytest.mark.parametrize(("capability", "name"), EVERY)
async def test_a_system_asks_for_the_secrets_of_its_own_only(capability: str, name: str) -> None:
    needs: dict[str, SecretName] = {
        "stripe": "stripe_api_key",
        "scim": "directory_token",
        "tenant_api": "directory_token",
        "hubspot": "hubspot_token",
    }
    if name in needs:
        with pytest.raises(SettingsWrong, match=f"PERDURE_{needs[name].upper()} is not set"):
            await make(capability, name)
        await make(capability, name, **{needs[name]: "token"})
    elif name == "s3":
        with pytest.raises(SettingsWrong, match="PERDURE_ARCHIVE_BUCKET is not set"):
            await make(capability, name)
        await make(capability, name, archive_bucket="documents")
    elif name == "list":
        await make(capability, name, screening_list=INVENTED_LIST)
    else:
        await make(capability, name)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "not set"), ("missing", "cannot be read"), ("id\n", "the header has no schema")],
)
async def test_a_list_that_cannot_be_used_is_named_with_its_variable(
    content: str | None, says: str, clone: Path
) -> None:
    file = clone / "list.csv"
    if content not in (None, "missing"):
        file.write_text(str(content))
    with pytest.raises(SettingsWrong, match=f"PERDURE_SCREENING_LIST.*{says}"):
        await make("screening", "list", screening_list=file if content else None)


def test_a_laptop_has_a_list_on_which_nobody_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert laptop.settings().screening_list == INVENTED_LIST
    monkeypatch.setenv("PERDURE_SCREENING_LIST", "/lists/sanctions.csv")
    assert laptop.settings().screening_list == Path("/lists/sanctions.csv")


@pytest.mark.parametrize(
    ("capability", "name", "setting"),
    [
        ("crm", "csv", "crm_folder"),
        ("mail", "outbox", "mail_folder"),
        ("archive", "folder", "archive_folder"),
    ],
)
async def test_a_folder_that_cannot_be_used_is_named_with_its_variable(
    capability: str, name: str, setting: str, clone: Path
) -> None:
    (clone / "file").touch()
    with pytest.raises(SettingsWrong, match=f"PERDURE_{setting.upper()}: .*file/folder"):
        await make(capability, name, **{setting: clone / "file" / "folder"})
    await make(capability, name, **{setting: clone / "fine" / "folder"})


def test_a_system_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsWrong) as refused:
        settings.load(billing="ledger", directory="ldap")
    assert "PERDURE_BILLING: Input should be 'stripe' or 'invoice'" in str(refused.value)
    assert "PERDURE_DIRECTORY: Input should be 'scim' or 'tenant_api'" in str(refused.value)
    assert "PERDURE_DIRECTORY_URL" not in str(refused.value), "it is only a consequence"


@pytest.mark.parametrize("url", ["directory.example.com", "ftp://example.com", "https://", "/v1"])
@pytest.mark.parametrize("setting", ["directory_url", "hubspot_api_base", "stripe_api_base"])
def test_an_address_that_is_none_is_named_with_its_variable(setting: str, url: str) -> None:
    with pytest.raises(SettingsWrong, match=f"PERDURE_{setting.upper()}: .*http"):
        settings.load(**{setting: url})


def test_a_laptops_directory_is_the_simulator_of_the_kind_that_was_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_DIRECTORY_URL", "https://directory.example.com")
    assert laptop.settings().directory_url == "http://127.0.0.1:8403/v2"
    monkeypatch.setenv("PERDURE_DIRECTORY", "tenant_api")
    assert laptop.settings(tenant_api_simulator_port=20405).directory_url == (
        "http://127.0.0.1:20405/v1"
    )
