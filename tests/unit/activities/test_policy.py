"""The policy file says what holds, and says clearly what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from activities.onboarding.policy import BadPolicy, load_policy

RULES = Path(__file__).parents[3] / "rules" / "policy.toml"


def test_a_profile_stands_over_production_and_leaves_the_rest() -> None:
    production, demo = load_policy(RULES, "production"), load_policy(RULES, "demo")
    assert production.identity.expires_after == timedelta(days=14)
    assert demo.identity.expires_after < timedelta(hours=1)
    assert demo.identity.tries == production.identity.tries
    assert demo.countries == production.countries


def test_the_version_is_of_what_holds() -> None:
    assert load_policy(RULES, "production").version == load_policy(RULES, "production").version
    assert load_policy(RULES, "production").version != load_policy(RULES, "demo").version


def changed(folder: Path, old: str, new: str) -> Path:
    text = RULES.read_text()
    assert old in text
    (folder / "policy.toml").write_text(text.replace(old, new, 1))
    return folder / "policy.toml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('expires_after = "14 days"', 'expires_after = "14 dogs"', "identity.expires_after"),
        ('expires_after = "14 days"', 'expires_after = "0 days"', "identity.expires_after"),
        ("tries = 5", "tries = 0", "identity.tries"),
        ("tries = 5", "trys = 5", "identity.trys"),
        ('one_try = "10 seconds"\n', "", "budgets.read.one_try"),
        ('country = "DE"', 'country = "XX"', "XX"),
        ('opens = "09:00"', 'opens = "18:00"', "opens before it closes"),
        ('applicants_from = ["US"]\n', "", "review"),
        ("[production]\n", "[production\n", "line "),
        ("[production]\n", "[elsewhere]\n", "countries"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadPolicy) as bad:
        load_policy(changed(tmp_path, old, new), "production")
    assert said in str(bad.value).replace("'", "")
    assert "policy.toml" in str(bad.value)


def test_an_unknown_profile_is_named_with_those_that_there_are() -> None:
    with pytest.raises(BadPolicy, match="it has production, demo"):
        load_policy(RULES, "staging")
