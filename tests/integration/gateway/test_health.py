"""Whoever starts the gateway learns what it lacks."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from temporalio.client import Client

from database.migrate import configuration
from tests.house import House
from tests.integration.gateway.conftest import Gateway, gateway_of, problem
from workers.ports import free_port


async def test_it_is_ready_when_everything_answers(gateway: Gateway) -> None:
    assert (await gateway.http.get("/healthz")).json() == {"status": "alive"}
    assert (await gateway.http.get("/readyz")).json() == {"status": "ready"}


async def test_it_is_alive_and_says_what_is_missing(house: House, nowhere: Client) -> None:
    async with gateway_of(house, client=nowhere, database_port=free_port()) as gateway:
        assert (await gateway.http.get("/healthz")).status_code == 200
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
    assert {error["field"] for error in told["errors"]} == {"database", "temporal"}


async def test_a_database_that_hangs_is_said_to(house: House, silence: int) -> None:
    async with gateway_of(house, database_port=silence) as gateway:
        begun = time.monotonic()
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
        assert time.monotonic() - begun < 10
    assert told["errors"] == [{"field": "database", "message": "does not answer"}]


async def test_migrations_of_another_release_are_said(gateway: Gateway, house: House) -> None:
    for other in ("0000", "9999"):
        await house.rows("UPDATE alembic_version SET version_num = :other", other=other)
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
        assert [error["field"] for error in told["errors"]] == ["migrations"]
    await house.rows("DELETE FROM alembic_version")
    problem(await gateway.http.get("/readyz"), 503, "not-ready")


async def test_a_later_release_says_whether_this_one_goes_on(
    gateway: Gateway, house: House, tmp_path: Path
) -> None:
    later = _later_release(tmp_path, borne=True)
    await _upgrade(later, house)
    assert (await gateway.http.get("/readyz")).json() == {"status": "ready"}
    await house.rows("UPDATE alembic_version SET version_num = '9997'")
    told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
    assert [error["field"] for error in told["errors"]] == ["migrations"], "that said nothing"


async def test_a_later_release_with_other_tables_takes_this_one_out(
    gateway: Gateway, house: House, tmp_path: Path
) -> None:
    later = _later_release(tmp_path, borne=False)
    await _upgrade(later, house)
    told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
    assert [error["field"] for error in told["errors"]] == ["migrations"]
    await asyncio.to_thread(command.downgrade, later, "9998")
    assert (await gateway.http.get("/readyz")).json() == {"status": "ready"}, "taken back"


def _later_release(folder: Path, *, borne: bool) -> Config:
    """Our migrations and two more: this release bears the first, and the second or not."""
    ours = configuration("")
    migrations = folder / "migrations"
    shutil.copytree(ours.get_main_option("script_location") or "", migrations)
    before = ScriptDirectory.from_config(ours).get_current_head()
    for revision, bears in (("9998", True), ("9999", borne)):
        (migrations / "versions" / f"{revision}.py").write_text(
            f"revision = {revision!r}\ndown_revision = {before!r}\nolder_releases_run = {bears}\n"
            "def upgrade():\n    pass\ndef downgrade():\n    pass\n"
        )
        before = revision
    ours.set_main_option("script_location", str(migrations))
    return ours


async def _upgrade(later: Config, house: House) -> None:
    later.attributes["url"] = house.settings.database_url
    await asyncio.to_thread(command.upgrade, later, "head")
