"""Whom a judgement is remembered for."""

from __future__ import annotations

from datetime import date

from activities.onboarding.screening import party_hash
from connectors.capabilities import Party

KEY = b"key"


def person(born: date | None) -> Party:
    return Party(kind="person", name="Ada Example", country="DE", born=born)


def test_a_person_is_known_again_by_name_and_date_of_birth() -> None:
    ada = person(date(1990, 1, 2))
    assert party_hash(KEY, ada, within="a") == party_hash(KEY, ada, within="b")
    assert party_hash(KEY, ada, within="a") != party_hash(KEY, person(date(1990, 1, 3)), within="a")


def test_a_name_alone_is_known_again_within_its_application_only() -> None:
    nobody = person(None)
    assert party_hash(KEY, nobody, within="a") == party_hash(KEY, nobody, within="a")
    assert party_hash(KEY, nobody, within="a") != party_hash(KEY, nobody, within="b")
