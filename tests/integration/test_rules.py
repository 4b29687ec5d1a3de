"""Rulings in a real Postgres: versions kept, decisions stored, past ones compared."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from activities.rules.book import load_rules
from activities.rules.problems import BadRules
from activities.rules.reading import read_table
from activities.rules.rulings import Rulings, UnknownVersion
from database import onboardings, rules
from database.connection import engine_for, transaction
from tests.house import FORM, House
from tests.integration.test_deployment_commands import perdure, told_of
from workers import onboarding as worker
from workers.cli import app
from workers.obstacle import Obstacle
from workers.ports import free_port
from workers.settings import SettingsWrong
from workflows.onboarding.messages import onboarding_id, workflow_id
from workflows.onboarding.rules import (
    QUESTIONS,
    RISK,
    TIER,
    RiskFacts,
    RiskRuling,
    TierFacts,
    TierRuling,
)
from workflows.rules import RuleVersions

RULES = Path(__file__).parents[2] / "rules"
Edit = Callable[[str, str, str], None]
RICH = RiskFacts(
    kind="person",
    country="DE",
    identity="verified",
    screening="clear",
    politically_exposed=False,
    possible_duplicate=False,
    owners_checked=True,
    monthly_volume=30_000,
)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database)
    yield engine
    await engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "candidate")
    return tmp_path / "candidate"


@pytest.fixture
def edit(folder: Path) -> Edit:
    def change(table: str, old: str, new: str) -> None:
        file = folder / f"{table}.toml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return change


async def apply(engine: AsyncEngine, tenant: str = "acme") -> str:
    identifier = onboarding_id(tenant, secrets.token_hex(8))
    async with transaction(engine) as connection:
        await onboardings.store(
            connection, id_=identifier, tenant=tenant, form=FORM, created_by="test"
        )
    return identifier


async def taken_up(engine: AsyncEngine, folder: Path) -> tuple[Rulings, RuleVersions]:
    rulings = Rulings(load_rules(folder, QUESTIONS))
    async with transaction(engine) as connection:
        return rulings, await rulings.take_up(connection)


async def decide(
    engine: AsyncEngine,
    rulings: Rulings,
    versions: RuleVersions,
    identifier: str,
    *,
    tenant: str = "acme",
    facts: RiskFacts = RICH,
) -> tuple[RiskRuling, TierRuling]:
    process = workflow_id(tenant, identifier)
    async with transaction(engine) as connection:
        risk = await rulings.decide(
            connection, RISK, facts, workflow_id=process, version=versions[RISK.table]
        )
        told = TierFacts(
            kind=facts.kind,
            risk=risk.risk,
            monthly_volume=facts.monthly_volume,
            account_manager=False,
        )
        tier = await rulings.decide(
            connection, TIER, told, workflow_id=process, version=versions[TIER.table]
        )
    return risk, tier


def raise_the_bar(edit: Edit) -> None:
    edit("customer_tier", "monthly_volume >= 20000", "monthly_volume >= 40000")
    edit("customer_tier", "monthly_volume < 20000", "monthly_volume < 40000")


async def test_a_decision_is_kept_with_row_version_inputs_and_their_hash(
    engine: AsyncEngine,
) -> None:
    rulings, versions = await taken_up(engine, RULES)
    identifier = await apply(engine)
    _, tier = await decide(engine, rulings, versions, identifier)
    async with transaction(engine) as connection:
        found = await connection.execute(
            text("SELECT * FROM decisions WHERE kind = 'rule.customer_tier'")
        )
        (row,) = found.mappings().all()
    assert row["workflow_id"] == workflow_id("acme", identifier)
    assert (row["actor"], row["actor_kind"]) == ("rule:customer_tier/vip-person", "rule")
    assert row["rule_version"] == tier.version == versions["customer_tier"]
    assert row["content"] == {
        "table": "customer_tier",
        "row": "vip-person",
        "reason": tier.reason,
        "answer": {"route": "go_on", "tier": "vip"},
        "inputs": {
            "kind": "person",
            "risk": "low",
            "monthly_volume": 30_000,
            "account_manager": False,
        },
        "inputs_hash": tier.inputs_hash,
    }


async def test_a_process_keeps_its_version_when_the_tables_change(
    engine: AsyncEngine, folder: Path, edit: Edit
) -> None:
    _, versions = await taken_up(engine, RULES)
    raise_the_bar(edit)
    later, new_versions = await taken_up(engine, folder)
    _, as_before = await decide(engine, later, versions, await apply(engine))
    _, anew = await decide(engine, later, new_versions, await apply(engine))
    assert (as_before.tier, as_before.version) == ("vip", versions["customer_tier"])
    assert (anew.tier, anew.version) == ("standard", new_versions["customer_tier"])


async def test_a_version_is_kept_once_however_many_take_it_up(engine: AsyncEngine) -> None:
    await asyncio.gather(*(taken_up(engine, RULES) for _ in range(5)))
    async with transaction(engine) as connection:
        found = await connection.execute(text("SELECT table_name, content FROM rule_versions"))
        kept = {row.table_name: row.content for row in found}
    assert kept == {one.table: (RULES / f"{one.table}.toml").read_text() for one in QUESTIONS}


async def test_once_versions_are_seen_to_be_kept_nobody_asks_for_them_again(
    engine: AsyncEngine,
) -> None:
    rulings, versions = await taken_up(engine, RULES)
    for _ in range(2):
        async with transaction(engine) as connection:
            assert await rulings.take_up(connection) == versions
            await connection.execute(text("DROP TABLE IF EXISTS rule_versions"))


async def test_versions_of_a_transaction_that_failed_are_kept_by_the_next(
    engine: AsyncEngine,
) -> None:
    rulings = Rulings(load_rules(RULES, QUESTIONS))

    async def fail() -> None:
        async with transaction(engine) as connection:
            await rulings.take_up(connection)
            raise UnknownVersion

    with pytest.raises(UnknownVersion):
        await fail()
    async with transaction(engine) as connection:
        versions = await rulings.take_up(connection)
    async with transaction(engine) as connection:
        assert await rules.are_kept(connection, versions)


async def test_a_version_from_before_an_input_was_added_is_asked_as_it_was(
    engine: AsyncEngine, folder: Path, edit: Edit
) -> None:
    edit("customer_tier", "account_manager and risk != 'high'", "risk == 'low' and risk == 'high'")
    edit("customer_tier", " and not account_manager", "")
    head, _, tail = (
        (folder / "customer_tier.toml").read_text().partition("[inputs.account_manager]")
    )
    old = head + "[outcomes" + tail.partition("[outcomes")[2]
    version = read_table("customer_tier", old, file="").version
    rulings, versions = await taken_up(engine, RULES)
    async with transaction(engine) as connection:
        await rules.keep_version(connection, table="customer_tier", version=version, content=old)
    before = {**versions, "customer_tier": version}
    _, tier = await decide(engine, rulings, before, await apply(engine))
    assert (tier.tier, tier.version) == ("vip", version)
    async with transaction(engine) as connection:
        told = await connection.scalar(
            text("SELECT content -> 'inputs' FROM decisions WHERE kind = 'rule.customer_tier'")
        )
    assert told == {"kind": "person", "risk": "low", "monthly_volume": 30_000}


async def test_a_version_that_nobody_used_is_unknown(engine: AsyncEngine) -> None:
    rulings, versions = await taken_up(engine, RULES)
    with pytest.raises(UnknownVersion, match="never used in version 0123456789ab"):
        await decide(engine, rulings, {**versions, "customer_tier": "0123456789ab"}, "a")
    async with transaction(engine) as connection:
        kept = await connection.scalar(text("SELECT count(*) FROM decisions"))
    assert kept == 0, "a decision of the same transaction is not kept either"


async def test_a_version_that_no_process_fits_any_more_is_refused_with_its_place(
    engine: AsyncEngine,
) -> None:
    rulings, versions = await taken_up(engine, RULES)
    async with transaction(engine) as connection:
        content = (RULES / "customer_tier.toml").read_text().replace("vip", "premium")
        await rules.keep_version(
            connection, table="customer_tier", version="f" * 12, content=content
        )
    with pytest.raises(BadRules, match=r"customer_tier in version f+:\d+, column outcomes\.tier"):
        await decide(engine, rulings, {**versions, "customer_tier": "f" * 12}, "a")


async def in_thread(database: str, home: Path, *words: str) -> tuple[int, str]:
    """A command in this process: starting one takes a second."""
    told = told_of(database) | {"PERDURE_HOME": str(home)}
    ended = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=told)
    if isinstance(ended.exception, Obstacle):
        return ended.exception.exit_code, str(ended.exception)
    return ended.exit_code, ended.output


async def diff(
    database: str, home: Path, candidate: Path, *more: str
) -> tuple[int, dict[str, Any]]:
    code, said = await in_thread(database, home, "rules", "diff", str(candidate), "--json", *more)
    return code, json.loads(said)


async def test_diff_lists_who_would_be_decided_otherwise(
    engine: AsyncEngine, database: str, tmp_path: Path, folder: Path, edit: Edit
) -> None:
    rulings, versions = await taken_up(engine, RULES)
    rich, poor, other = await apply(engine), await apply(engine), await apply(engine, "umbrella")
    await decide(engine, rulings, versions, rich)
    await decide(
        engine, rulings, versions, poor, facts=RICH.model_copy(update={"monthly_volume": 1})
    )
    await decide(engine, rulings, versions, other, tenant="umbrella")
    async with transaction(engine) as connection:
        await onboardings.RECORD_STAGE.carry_out(
            connection, onboardings.stage_values(rich, "active")
        )

    assert (await diff(database, tmp_path, folder))[0] == 0, "the same rules change nobody"
    raise_the_bar(edit)
    code, found = await diff(database, tmp_path, folder)
    assert code == 4
    assert {one["onboarding"] for one in found["changes"]} == {rich, other}
    assert (found["onboardings"], found["decisions"]) == (3, 6)
    (change,) = (one for one in found["changes"] if one["onboarding"] == rich)
    assert (change["before"], change["after"]) == ({"tier": "vip"}, {"tier": "standard"})
    assert (change["row"], change["new_row"]) == ("vip-person", "person")

    for chosen, expected in (
        (("--tenant", "umbrella"), {other}),
        (("--stage", "active"), {rich}),
        (("--stage", "active", "--stage", "received"), {rich, other}),
        (("--table", "customer_tier"), {rich, other}),
        (("--table", "onboarding_risk"), set()),
        (("--since", "2999-01-01"), set()),
        (("--since", "2020-01-01"), {rich, other}),
    ):
        code, found = await diff(database, tmp_path, folder, *chosen)
        assert {one["onboarding"] for one in found["changes"]} == expected, chosen
        assert code == (4 if expected else 0)

    _, people = await in_thread(database, tmp_path, "rules", "diff", str(folder))
    assert "tier: 'vip' → 'standard'" in people
    assert "2 of 3 onboardings would be decided otherwise (6 decisions looked at)." in people


async def test_only_the_last_decision_of_each_table_counts(
    engine: AsyncEngine, database: str, tmp_path: Path, folder: Path, edit: Edit
) -> None:
    """The one before was of an application that was corrected since."""
    rulings, versions = await taken_up(engine, RULES)
    identifier = await apply(engine)
    await decide(engine, rulings, versions, identifier)
    corrected = RICH.model_copy(update={"monthly_volume": 90})
    await decide(engine, rulings, versions, identifier, facts=corrected)
    raise_the_bar(edit)
    code, found = await diff(database, tmp_path, folder)
    assert (code, found["decisions"]) == (0, 2)


async def test_explain_reads_a_past_version(
    engine: AsyncEngine, database: str, tmp_path: Path, folder: Path, edit: Edit
) -> None:
    raise_the_bar(edit)
    _, versions = await taken_up(engine, folder)
    asked = ["rules", "explain", "customer_tier"]
    for one in ("kind=person", "risk=low", "monthly_volume=30000", "account_manager=no"):
        asked += ["--input", one]
    code, said = await in_thread(database, tmp_path, *asked)
    assert (code, "tier = 'vip'" in said) == (0, True)
    old = ("--version", versions["customer_tier"])
    code, said = await in_thread(database, tmp_path, *asked, *old)
    assert (code, "tier = 'standard'" in said) == (0, True)
    code, said = await in_thread(database, tmp_path, *asked, "--version", "0" * 12)
    assert code == 1
    assert "never used in version" in said


async def test_commands_say_in_a_sentence_that_the_database_does_not_answer(
    database: str, tmp_path: Path
) -> None:
    told = told_of(database) | {"PERDURE_DATABASE_PORT": str(free_port())}
    code, said = await perdure(tmp_path, "rules", "diff", str(RULES), **told)
    assert code == 3
    assert "does not answer" in said
    assert "Traceback" not in said


async def test_a_worker_does_not_start_with_bad_tables(
    house: House, folder: Path, edit: Edit
) -> None:
    edit("review", "risk == 'high'", "rsik == 'high'")
    settings = house.settings.model_copy(update={"rules": folder})
    with pytest.raises(SettingsWrong, match=r"review\.toml.* row 4 .high-risk., column when"):
        async with worker.activities(settings, house.client):
            pass
