"""The terms that an applicant accepted: evidence that is kept, and asked for where policy says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.house import FORM, House
from tests.integration.gateway.conftest import Gateway, gateway_of, problem
from workflows.onboarding.policy import ConsentPolicy

ACCEPTED_AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


TERMS = ConsentPolicy(terms_versions=("2026-01", "2026-07"))


async def evidence(house: House) -> list[dict[str, Any]]:
    return await house.rows("SELECT * FROM consents")


async def test_what_was_accepted_when_and_who_told_us_is_kept(
    gateway: Gateway, house: House
) -> None:
    told = {"terms_version": "2026-01", "terms_accepted_at": ACCEPTED_AT.isoformat()}
    id_ = (await gateway.service.sign_up(**told)).json()["id"]
    (kept,) = await evidence(house)
    assert (kept["id"], kept["subject"], kept["version"]) == (id_, "terms", "2026-01")
    assert (kept["given_at"], kept["told_by"]) == (ACCEPTED_AT, "test-service")
    assert kept["retention"] == "contract"
    (line,) = await house.rows("SELECT * FROM audit WHERE event = 'consent.given'")
    assert line["details"]["version"] == "2026-01"


async def test_where_no_time_is_told_it_was_just_now(gateway: Gateway, house: House) -> None:
    assert (await gateway.service.sign_up(terms_version="2026-01")).is_success
    (kept,) = await evidence(house)
    assert datetime.now(UTC) - kept["given_at"] < timedelta(minutes=1)


async def test_who_is_not_asked_and_tells_nothing_leaves_no_evidence(
    gateway: Gateway, house: House
) -> None:
    assert (await gateway.service.sign_up()).is_success
    assert await evidence(house) == []


@pytest.mark.parametrize(
    ("told", "code"),
    [({}, "terms-missing"), ({"terms_version": "2025-07"}, "terms-outdated")],
)
async def test_terms_that_are_not_in_force_are_refused(
    house: House, told: dict[str, str], code: str
) -> None:
    async with gateway_of(house, consent=TERMS) as gateway:
        answer = problem(await gateway.service.sign_up(**told), 422, code)
    assert [one["field"] for one in answer["errors"]] == ["terms_version"]
    assert "2026-01 or 2026-07" in answer["detail"]
    assert await house.rows("SELECT * FROM applications") == []


async def test_a_signup_is_answered_the_same_after_its_terms_went_out_of_force(
    house: House, key: str
) -> None:
    async with gateway_of(house, consent=TERMS) as gateway:
        first = await gateway.service.sign_up(key, terms_version="2026-01")
        assert first.is_success
    async with gateway_of(house, consent=ConsentPolicy(terms_versions=("2027-01",))) as gateway:
        again = await gateway.service.sign_up(key, terms_version="2026-01")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")


async def test_an_account_manager_is_somebody_with_a_key(gateway: Gateway, house: House) -> None:
    for nobody in ("nobody", "test-service"):
        told = problem(await gateway.service.sign_up(account_manager=nobody), 422, "invalid")
        assert [one["field"] for one in told["errors"]] == ["account_manager"]
    assert (await gateway.service.sign_up(account_manager="test-operator")).is_success
    (row,) = await house.rows("SELECT form FROM applications")
    assert set(FORM) <= set(row["form"])
    assert row["form"]["account_manager"] == "test-operator"
