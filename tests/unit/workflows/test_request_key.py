"""Request keys name effects and reveal nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.onboarding.messages import CreateCustomer, onboarding_id
from workflows.request_key import Request, fingerprint, outside_key, request_key

STEPS = st.from_regex(r"[a-z][a-z_]{0,9}\.[a-z][a-z_]{0,9}", fullmatch=True)
PARTS = st.from_regex(r"([A-Za-z0-9][A-Za-z0-9_.:-]{0,9})?", fullmatch=True)
IDS = st.from_regex(r"onboarding/[a-z0-9-]{1,9}/[a-z2-7]{26}", fullmatch=True)


@given(st.tuples(IDS, STEPS, PARTS), st.tuples(IDS, STEPS, PARTS))
def test_two_effects_never_share_a_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (request_key(*one) == request_key(*other)) == (one == other)


@pytest.mark.parametrize("step", ["billing", "Billing.create", "billing/create", "a.b/c", ""])
def test_a_step_that_could_be_misread_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="named like"):
        request_key("onboarding/acme/a", step)


@pytest.mark.parametrize("part", ["a b", "a/b", "ä", "-a", "x" * 101])
def test_a_part_that_could_be_misread_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="short name"):
        request_key("onboarding/acme/a", "billing.create", part)


def test_each_generation_has_a_key_of_its_own_outside() -> None:
    keys = {outside_key("onboarding/acme/a/billing.create", n) for n in range(1, 100)}
    assert len(keys) == 99
    assert all(len(key) == 34 for key in keys)


def test_the_fingerprint_is_of_what_is_asked_and_of_nothing_else() -> None:
    asked = CreateCustomer(application_id="a")
    same = CreateCustomer(application_id="a", request_key="k", generation=7)
    assert fingerprint(asked) == fingerprint(same)
    assert fingerprint(asked) != fingerprint(CreateCustomer(application_id="b"))
    assert fingerprint(asked) == fingerprint(CreateCustomer(application_id="a", version=2))


def test_a_field_added_with_a_default_changes_no_fingerprint() -> None:
    class Later(CreateCustomer):
        language: str = ""

    assert fingerprint(Later(application_id="a")) == fingerprint(CreateCustomer(application_id="a"))


def test_messages_refuse_fields_that_they_do_not_know() -> None:
    with pytest.raises(ValueError, match="extra"):
        Request.model_validate({"requestkey": "x"})


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_one_signup_has_one_id_that_tells_nothing(key: str, other: str) -> None:
    assert onboarding_id("acme", key) == onboarding_id("acme", key)
    assert (onboarding_id("acme", key) == onboarding_id("acme", other)) == (key == other)
    assert onboarding_id("acme", key) != onboarding_id("beta", key)
    assert len(onboarding_id("acme", key)) == 26
