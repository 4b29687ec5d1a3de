"""The id of a process says which account it is about."""

from __future__ import annotations

from datetime import date

import pytest

from workflows.reconciliation.messages import (
    account_of_process,
    range_id,
    shadow_id,
    workflow_id,
)

DAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("process", "account"),
    [
        (workflow_id("acme", DAY, 1), "acme"),
        (shadow_id("acme", DAY, "a"), "acme"),
        (range_id("acme", DAY, DAY), None),
        ("onboarding/example/mfzwi3lbmrzgk43tnfxw4z3pmy", None),
        ("reconciliation", None),
    ],
)
def test_the_account_of_a_process_is_known_by_its_id(process: str, account: str | None) -> None:
    assert account_of_process(process) == account
