from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from workers.redaction import REDACTED, is_personal, redacted


@pytest.mark.parametrize(
    "field",
    "name full_name applicant_name givenName email contactEmail e-mail address billing_address "
    "phone phone_number taxId tax_id tax_ids vat_number date_of_birth dob body request_body "
    "postal_code city street iban password authorization api_token Set-Cookie to subject".split(),
)
def test_fields_that_name_personal_data_are_known(field: str) -> None:
    assert is_personal(field)


@pytest.mark.parametrize(
    "field",
    "workflow_id run_id step request_key stage attempt event level country currency status "
    "process_name update_name duration tenant generation application_id stripe_customer".split(),
)
def test_fields_that_logs_live_from_are_left_alone(field: str) -> None:
    assert not is_personal(field)


class Applicant(BaseModel):
    full_name: str
    country: str


@dataclass
class Letter:
    recipient: str
    about: str


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "Ada Example"}, {"name": REDACTED}),
        ({"a": [{"b": ({"email": "x"},)}]}, {"a": [{"b": [{"email": REDACTED}]}]}),
        ({"birth": date(1990, 1, 1), "n": 3}, {"birth": REDACTED, "n": 3}),
        (Applicant(full_name="Ada", country="FI"), {"full_name": REDACTED, "country": "FI"}),
        (Letter("Ada", "welcome"), {"recipient": REDACTED, "about": "welcome"}),
        ("no customer for ada@example.com found", "no customer for [e-mail] found"),
        ("/v1/customers?email=ada%40example.com&limit=1", "/v1/customers?email=[e-mail]&limit=1"),
        ("<jörg.müller@bücher.example>, 李@例子.example", "<[e-mail]>, [e-mail]"),
        (ValueError("ada@example.com is known"), "ValueError"),
        ({"ada@example.com": 1}, {"[e-mail]": 1}),
        ("postgresql://perdure:hidden@127.0.0.1/x", "postgresql://perdure:[e-mail]/x"),
        (b"raw bytes", "[9 bytes]"),
        (SecretStr("hidden"), "**********"),
        ("no address in here", "no address in here"),
    ],
)
def test_nothing_personal_is_left_at_any_depth(value: Any, expected: Any) -> None:
    assert redacted(value) == expected


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    endless: dict[str, Any] = {"n": 1}
    endless["again"] = endless
    assert REDACTED in str(redacted(endless))


def test_what_is_logged_is_not_changed() -> None:
    work = {"name": "Ada", "parts": ["ada@example.com"]}
    redacted(work)
    assert work == {"name": "Ada", "parts": ["ada@example.com"]}
