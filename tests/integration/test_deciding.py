"""Applications before the tables that come with us, in a real Postgres."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.failures import as_failure
from activities.onboarding.application import ApplicationActivities
from activities.onboarding.duplicates import Acquaintances
from activities.onboarding.policy import load_policy
from activities.rules.book import load_rules
from activities.rules.rulings import Rulings, UnknownVersion
from database import decisions, onboardings
from database.connection import engine_for, transaction
from tests.house import TENANT, somebody
from tests.workflow.scripted import signed
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.messages import ForApplication, onboarding_id, workflow_id
from workflows.onboarding.rules import QUESTIONS
from workflows.rules import RuleVersions

RULES = Path(__file__).parents[2] / "rules"
OWNERS = {
    "owners": [{"name": "Olaf Owner", "country": "DE", "share_percent": 100}],
    "signatory": {"name": "Olaf Owner", "country": "DE"},
}


class Bench:
    """The steps about applications, with applications to be stored."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.steps = ApplicationActivities(
            engine,
            load_policy(RULES / "policy.toml", "production"),
            rulings=Rulings(load_rules(RULES, QUESTIONS)),
            acquaintances=Acquaintances("a key"),
        )

    async def applied(self, *, appeal_of: str | None = None, **form: Any) -> str:
        id_ = onboarding_id(TENANT, secrets.token_hex(8))
        async with transaction(self.engine) as connection:
            await onboardings.store(
                connection,
                id_=id_,
                tenant=TENANT,
                form=somebody(id_) | form,
                created_by="test",
                appeal_of=appeal_of,
            )
        return id_

    async def rules(self, id_: str) -> RuleVersions | None:
        key = f"{workflow_id(TENANT, id_)}/application.receive"
        received = await self.steps.receive(ForApplication(request_key=key, application_id=id_))
        return received.rules

    async def decide(self, id_: str, **facts: Any) -> Decided:
        """Decide about somebody whose checks all went well, but for what is said."""
        key = f"{workflow_id(TENANT, id_)}/application.decide"
        good = {"identity": "verified", "screening": "clear", "rules": await self.rules(id_)}
        return await self.steps.decide(
            Decide(request_key=key, application_id=id_, **(good | facts))
        )

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        async with transaction(self.engine) as connection:
            return [dict(row) for row in (await connection.execute(text(sql), values)).mappings()]


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    engine = engine_for(database)
    yield Bench(engine)
    await engine.dispose()


async def test_nothing_against_a_person_approves(bench: Bench) -> None:
    id_ = await bench.applied()
    decided = await bench.decide(id_)
    assert (decided.outcome, decided.risk, decided.tier) == ("approved", "low", "standard")
    assert decided.documents == ()
    assert decided.review is None


async def test_every_ruling_is_kept_with_its_version_row_and_inputs(bench: Bench) -> None:
    id_ = await bench.applied()
    await bench.decide(id_)
    kept = await bench.rows(
        "SELECT * FROM decisions WHERE workflow_id = :id ORDER BY id",
        id=workflow_id(TENANT, id_),
    )
    assert [row["kind"] for row in kept] == [
        *(f"rule.{question.table}" for question in QUESTIONS),
        "decide",
    ]
    versions = await bench.rules(id_)
    assert versions is not None
    assert {row["rule_version"] for row in kept} == set(versions.values())
    assert all(row["content"]["inputs_hash"] for row in kept if row["kind"] != "decide")
    assert "example.com" not in str(kept), "facts are derived: they name nobody"


async def test_whom_nobody_screened_goes_to_a_person(bench: Bench) -> None:
    decided = await bench.decide(await bench.applied(), screening=None)
    assert decided.outcome == "review"
    assert decided.review is not None
    assert decided.review.approvers == 2
    assert decided.review.reasons == ("onboarding_risk/screening-hit", "review/high-risk")


@pytest.mark.parametrize(
    ("form", "facts", "outcome", "risk"),
    [
        ({"kind": "company"}, {}, "review", "high"),
        ({"kind": "company", **OWNERS}, {}, "approved", "medium"),
        ({"kind": "company", **OWNERS}, {"screening": None}, "review", "high"),
        ({"country": "KP"}, {}, "rejected", "prohibited"),
        ({}, {"screening": "confirmed"}, "rejected", "prohibited"),
        ({}, {"identity": "failed"}, "rejected", "high"),
        ({}, {"politically_exposed": True}, "review", "high"),
        ({}, {"possible_duplicate": True}, "review", "medium"),
        ({"monthly_volume": 60_000}, {}, "review", "medium"),
    ],
)
async def test_what_is_known_makes_the_risk(
    bench: Bench, form: dict[str, Any], facts: dict[str, Any], outcome: str, risk: str
) -> None:
    decided = await bench.decide(await bench.applied(**form), **facts)
    assert (decided.outcome, decided.risk) == (outcome, risk)
    assert bool(decided.codes) == (outcome == "rejected")


async def test_a_sanctions_hit_is_not_told(bench: Bench) -> None:
    decided = await bench.decide(await bench.applied(), screening="confirmed")
    assert decided.codes == ("not_accepted",)
    assert decided.rule == "onboarding_risk/sanctioned"


async def test_who_looks_after_a_vip_may_not_decide_about_them(bench: Bench) -> None:
    decided = await bench.decide(await bench.applied(account_manager="mara-manager"))
    assert decided.tier == "vip"
    assert decided.review is not None
    assert decided.excluded == ("mara-manager", "test"), "nor whoever stored it"


async def test_an_appeal_goes_to_senior_reviewers_who_had_no_part_in_the_first(
    bench: Bench,
) -> None:
    first = await bench.applied()
    for kind, name in (("reject", "rosa-reviewer"), ("resolve", "olga-operator")):
        async with transaction(bench.engine) as connection:
            await decisions.keep_of_person(
                connection,
                workflow_id=workflow_id(TENANT, first),
                kind=kind,
                content={},
                reason="looked into it",
                by=signed(secrets.token_hex(4), name=name),
            )
    decided = await bench.decide(await bench.applied(appeal_of=first))
    assert decided.outcome == "review"
    assert decided.review is not None
    assert decided.review.owner == "senior_reviewer"
    assert decided.review.reasons == ("review/appeal",)
    assert decided.excluded == ("rosa-reviewer", "test"), "nor whoever stored it"


async def test_an_appeal_that_the_tables_would_reject_is_heard_by_two(bench: Bench) -> None:
    first = await bench.applied()
    decided = await bench.decide(await bench.applied(appeal_of=first), identity="failed")
    assert decided.outcome == "review"
    assert decided.review is not None
    assert decided.review.approvers == 2


async def test_a_version_that_was_never_used_parks_and_keeps_nothing(bench: Bench) -> None:
    id_ = await bench.applied()
    versions = await bench.rules(id_)
    assert versions is not None
    with pytest.raises(UnknownVersion) as failed:
        await bench.decide(id_, rules={**versions, "review": "0" * 12})
    failure = as_failure(failed.value)
    assert failure.non_retryable
    assert failure.message == f"review was never used in version {'0' * 12}"
    assert await bench.rows("SELECT * FROM decisions") == [], "all or nothing"


async def test_a_table_that_came_after_the_process_began_is_named(bench: Bench) -> None:
    id_ = await bench.applied()
    versions = await bench.rules(id_)
    assert versions is not None
    old = {name: version for name, version in versions.items() if name != "review"}
    with pytest.raises(UnknownVersion, match="took up no version of review"):
        await bench.decide(id_, rules=old)


async def test_who_began_before_there_were_rules_is_decided_by_identity(bench: Bench) -> None:
    decided = await bench.decide(await bench.applied(kind="company"), rules=None, screening=None)
    assert (decided.outcome, decided.rule) == ("approved", "identity_verified")
    failed = await bench.decide(await bench.applied(), rules=None, identity="failed")
    assert (failed.outcome, failed.codes) == ("rejected", ("identity_not_verified",))
