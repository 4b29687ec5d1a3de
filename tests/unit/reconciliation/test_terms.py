"""The file of terms says how books are compared, and says clearly what is wrong with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from activities.reconciliation.terms import BadTerms, load_terms

RULES = Path(__file__).parents[3] / "rules" / "reconciliation.toml"


def changed(folder: Path, old: str, new: str) -> Path:
    text = RULES.read_text()
    assert old in text
    (folder / "reconciliation.toml").write_text(text.replace(old, new, 1))
    return folder / "reconciliation.toml"


def test_calendars_know_their_holidays() -> None:
    calendars = load_terms(RULES).calendars
    assert date(2026, 4, 3) in calendars["target"].holidays
    assert date(2026, 7, 3) in calendars["us"].holidays
    assert calendars["weekdays"].holidays == ()


def test_the_version_is_of_what_holds(tmp_path: Path) -> None:
    version = load_terms(RULES).version
    assert load_terms(changed(tmp_path, "# How our", "# How, then, our")).version == version
    assert load_terms(changed(tmp_path, "bank_days = 2", "bank_days = 4")).version != version


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["source_id"]', '["invoice"]', "keys.processor"),
        ('["source_id"]', "[]", "keys.processor"),
        ("bank_days = 2", "bank_days = -2", "grace.bank_days"),
        ("bank_days = 2", "bank_hours = 2", "grace.bank_hours"),
        ("[tolerances]\ndefault = 0", "[tolerances]\nEUR = 0", "default"),
        ('market = "ECB"', 'market = "NOWHERE"', "calendars.target"),
        ('USD = "us"', 'USD = "usa"', "calendar_of.USD"),
        ('contains = "stripe"', "", "contains"),
        ('["saturday", "sunday"]', '["samstag"]', "weekend"),
        ("[keys]", "[keys", "line "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadTerms) as bad:
        load_terms(changed(tmp_path, old, new))
    assert said in str(bad.value)
    assert "reconciliation.toml" in str(bad.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTerms, match="none"):
        load_terms(tmp_path / "none.toml")
