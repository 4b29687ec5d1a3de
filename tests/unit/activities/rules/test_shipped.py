"""The tables that are shipped hold what must hold, whatever else the business changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.rules.book import load_rules
from activities.rules.coverage import coverage
from activities.rules.inputs import COUNTRIES
from workflows.onboarding.rules import (
    DOCUMENTS,
    QUESTIONS,
    REVIEW,
    RISK,
    TIER,
    DocumentFacts,
    ReviewFacts,
    ReviewRuling,
    RiskFacts,
    RiskRuling,
    TierFacts,
)

BOOK = load_rules(Path(__file__).parents[4] / "rules", QUESTIONS)

UNHURRIED = settings(deadline=None)
APPLICANTS = st.builds(
    RiskFacts,
    kind=st.sampled_from(["person", "company"]),
    country=st.sampled_from(["DE", "KP", "MM"]) | st.sampled_from(COUNTRIES),
    identity=st.sampled_from(["verified", "failed"]),
    screening=st.sampled_from(["clear", "accepted", "possible", "confirmed"]),
    politically_exposed=st.booleans(),
    possible_duplicate=st.booleans(),
    owners_checked=st.booleans(),
    monthly_volume=st.integers(0, 2_000_000),
)


def decided(
    applicant: RiskFacts, *, account_manager: bool, appeal: bool = False
) -> tuple[RiskRuling, ReviewRuling]:
    """All four tables, asked as a process asks them."""
    risk = BOOK.answer(RISK, applicant)
    told: dict[str, Any] = {"kind": applicant.kind, "risk": risk.risk}
    tier = BOOK.answer(
        TIER,
        TierFacts(**told, monthly_volume=applicant.monthly_volume, account_manager=account_manager),
    )
    documents = BOOK.answer(DOCUMENTS, DocumentFacts(**told, tier=tier.tier))
    review = BOOK.answer(
        REVIEW,
        ReviewFacts(
            risk=risk.risk,
            tier=tier.tier,
            risk_route=risk.route,
            tier_route=tier.route,
            documents_route=documents.route,
            appeal=appeal,
        ),
    )
    return risk, review


@pytest.mark.parametrize("table", BOOK.tables)
def test_every_row_is_reached_and_no_milder_row_stands_above_a_stricter_one(table: str) -> None:
    found = coverage(BOOK.tables[table])
    assert not found.unreachable
    assert not [one for one in found.overlaps if one.softer]


@UNHURRIED
@given(APPLICANTS, st.booleans())
def test_nobody_goes_on_by_rule_alone_against_whom_something_speaks(
    applicant: RiskFacts, account_manager: bool
) -> None:
    _, review = decided(applicant, account_manager=account_manager)
    if review.route == "go_on":
        assert applicant.identity == "verified"
        assert applicant.screening in ("clear", "accepted")
        assert applicant.owners_checked
        assert not applicant.politically_exposed
        assert not applicant.possible_duplicate
        assert applicant.country not in ("IR", "KP", "SY")


@UNHURRIED
@given(APPLICANTS, st.booleans())
def test_reviews_have_approvers_and_a_deadline_and_nothing_else_has(
    applicant: RiskFacts, account_manager: bool
) -> None:
    risk, review = decided(applicant, account_manager=account_manager)
    assert (review.route == "review") == (review.approvers > 0) == (review.decide_within > 0)
    assert review.remind_after <= review.escalate_after <= review.decide_within
    if risk.risk == "high" and review.route == "review":
        assert review.approvers == 2


@UNHURRIED
@given(APPLICANTS, st.booleans())
def test_who_is_rejected_is_told_a_reason_and_who_is_not_is_told_none(
    applicant: RiskFacts, account_manager: bool
) -> None:
    risk, review = decided(applicant, account_manager=account_manager)
    assert (risk.route == "reject") == bool(risk.codes)
    assert (risk.route == "reject") == (review.route == "reject")


@UNHURRIED
@given(APPLICANTS, st.booleans())
def test_whoever_appeals_is_heard_by_a_senior_reviewer(
    applicant: RiskFacts, account_manager: bool
) -> None:
    risk, review = decided(applicant, account_manager=account_manager, appeal=True)
    assert (review.route, review.owner) == ("review", "senior_reviewer")
    if risk.route == "reject":
        assert review.approvers == 2


def test_a_sanctions_hit_is_not_told_to_the_applicant() -> None:
    for row in BOOK.tables["onboarding_risk"].rows:
        if row.when and "screening == 'confirmed'" in row.when.text:
            assert row.outcomes["codes"] == ("not_accepted",)


def test_time_for_a_review_is_bounded_in_every_row() -> None:
    hours = [row.outcomes["decide_within"] for row in BOOK.tables["review"].rows]
    assert max(int(str(one)) for one in hours) <= 80


def test_each_tier_and_each_risk_occurs() -> None:
    for table, outcome in (("onboarding_risk", "risk"), ("customer_tier", "tier")):
        said = {row.outcomes[outcome] for row in BOOK.tables[table].rows}
        assert said == set(BOOK.tables[table].outcomes[outcome].values)


def test_inputs_that_other_tables_say_are_marked_so_that_a_comparison_follows_them() -> None:
    outcomes = {
        name for table in BOOK.tables.values() for name in table.outcomes if name != "route"
    }
    for table in BOOK.tables.values():
        for one in table.inputs.values():
            assert (one.answered_by is not None) == (
                one.name in outcomes or one.name.endswith("_route")
            ), f"{table.name}.{one.name}"
