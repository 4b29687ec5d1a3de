from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.application_form import ApplicationForm, ChangeForm, CorrectionForm
from gateway.forms import ResolutionForm, WithdrawalForm
from gateway.problems import invalid_fields
from workflows.onboarding.application import Application

FORM: dict[str, Any] = {
    "kind": "person",
    "name": "Ada Example",
    "email": "ada@example.com",
    "country": "DE",
    "currency": "EUR",
}


def refused(field: str, value: Any) -> str:
    """What is said about a form with this value; it must be about this field alone."""
    with pytest.raises(ValidationError) as caught:
        ApplicationForm.model_validate(FORM | {field: value})
    (said,) = invalid_fields(
        [dict(one) | {"loc": ("body", *one["loc"])} for one in caught.value.errors()]
    )
    assert said.field.split(".")[0] == field
    return said.message


@pytest.mark.parametrize(
    "name",
    [
        "Żółta Łódź",
        "有限公司",
        "محمد بن سلمى",
        "می‌خواهم",  # a zero-width non-joiner, as Persian is written
        "क्षत्रिय",
        "ᏣᎳᎩ",
        "O'Neil-Șerban Jr. 3rd",
        "🙂 GmbH",
        "x",
        "n" * 200,
    ],
)
def test_names_in_any_script_are_taken(name: str) -> None:
    assert ApplicationForm.model_validate(FORM | {"name": name}).name == name


def test_names_are_normalised_and_stripped() -> None:
    form = ApplicationForm.model_validate(FORM | {"name": "\u00a0 Zoe\u0308 \t"})
    assert form.name == "Zo\u00eb"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "n" * 201,
        "a\nb",
        "a\x00b",
        "a\u2028b",
        "a\u202eb",
        "a\x1b[31m",
        7,
        None,
        "\u200b",
        "\u2060\ufeff",
        "\u3164",
    ],
)
def test_what_is_no_name_is_refused(name: Any) -> None:
    assert refused("name", name)


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "a@b@c.com",
        "ada@localhost",
        "",
        "a" * 65 + "@example.com",
    ],
)
def test_what_is_no_e_mail_address_is_refused_and_never_repeated(email: str) -> None:
    assert refused("email", email) == "is not an e-mail address, such as ada@example.com"


def test_codes_are_taken_in_any_case_and_kept_in_capitals() -> None:
    form = ApplicationForm.model_validate(FORM | {"country": "de", "currency": "eur"})
    assert (form.country, form.currency) == ("DE", "EUR")


@pytest.mark.parametrize("country", ["XX", "DEU", "D", "", "ZZ"])
def test_only_countries_of_the_standard_are_taken(country: str) -> None:
    assert "ISO 3166" in refused("country", country)


@pytest.mark.parametrize("currency", ["EURO", "XXX", "ZZZ", "", "XTS"])
def test_only_currencies_of_the_standard_are_taken(currency: str) -> None:
    assert refused("currency", currency)


@pytest.mark.parametrize(
    "tax_id",
    [
        {"type": "eu_vat"},
        {"type": "mars_vat", "value": "1"},
        {"type": "eu_vat", "value": ""},
        {"type": "eu_vat", "value": "DE\n1"},
        {"type": "eu_vat", "value": "1" * 41},
        {"type": "eu_vat", "value": "DE1", "extra": 1},
        "DE123456789",
    ],
)
def test_what_is_no_tax_id_is_refused(tax_id: Any) -> None:
    assert refused("tax_id", tax_id)


ADA: dict[str, Any] = {"name": "Ada Beispiel", "country": "DE", "date_of_birth": "1980-01-31"}
COMPANY = FORM | {
    "kind": "company",
    "owners": [ADA | {"share_percent": 60}, ADA | {"share_percent": 39.5}],
    "signatory": ADA,
}


def errors_of(form: dict[str, Any]) -> list[str]:
    """The fields that something is wrong with, by their paths."""
    with pytest.raises(ValidationError) as caught:
        ApplicationForm.model_validate(form)
    return [".".join(str(part) for part in one["loc"]) for one in caught.value.errors()]


def test_it_is_known_who_stands_behind_a_company_once_owners_and_signatory_are_told() -> None:
    assert ApplicationForm.model_validate(COMPANY).owners_known
    assert not ApplicationForm.model_validate(COMPANY | {"owners": []}).owners_known
    assert not ApplicationForm.model_validate(COMPANY | {"signatory": None}).owners_known
    assert ApplicationForm.model_validate(FORM).owners_known, "a person stands for themselves"


@pytest.mark.parametrize("left_out", ["name", "country", "date_of_birth"])
def test_owners_and_signatory_are_complete(left_out: str) -> None:
    half = {field: value for field, value in ADA.items() if field != left_out}
    assert errors_of(COMPANY | {"signatory": half}) == [f"signatory.{left_out}"]
    owners = [ADA | {"share_percent": 50}, half | {"share_percent": 50}]
    assert errors_of(COMPANY | {"owners": owners}) == [f"owners.1.{left_out}"]


@pytest.mark.parametrize("share", [0, -1, 100.1, "much", None, float("nan")])
def test_a_share_is_a_part_of_the_whole(share: Any) -> None:
    owners = [ADA | {"share_percent": share}]
    assert errors_of(COMPANY | {"owners": owners}) == ["owners.0.share_percent"]


def test_shares_are_no_more_than_the_whole() -> None:
    assert errors_of(COMPANY | {"owners": [ADA | {"share_percent": 50.1}] * 2}) == ["owners"]


def test_what_is_told_of_companies_is_not_told_of_persons_and_the_other_way_round() -> None:
    behind = {field: COMPANY[field] for field in ("owners", "signatory")}
    assert errors_of(FORM | behind) == ["owners", "signatory"]
    assert errors_of(COMPANY | {"date_of_birth": "1980-01-31"}) == ["date_of_birth"]


@pytest.mark.parametrize("day", ["31.1.1980", "1980-02-30", 0, "1899-12-31", "9999-01-01"])
def test_a_day_of_birth_is_a_day_on_which_somebody_was_born(day: Any) -> None:
    assert refused("date_of_birth", day)


@pytest.mark.parametrize("volume", [-1, 1.5, "10", True, 10**12 + 1])
def test_a_volume_is_in_whole_euros(volume: Any) -> None:
    assert refused("monthly_volume", volume)


def test_terms_were_accepted_before_now() -> None:
    accepted = {"terms_version": "2026-01", "terms_accepted_at": "2026-01-31T09:30:00Z"}
    assert ApplicationForm.model_validate(FORM | accepted).terms_accepted_at is not None
    assert errors_of(FORM | accepted | {"terms_accepted_at": "8999-01-01T00:00:00Z"}) == [
        "terms_accepted_at"
    ]
    assert errors_of(FORM | {"terms_accepted_at": "2026-01-31T09:30:00Z"}) == ["terms_accepted_at"]


def test_a_change_tells_what_it_names_and_why() -> None:
    told: dict[str, Any] = {
        "owners": [],
        "signatory": None,
        "monthly_volume": 7,
        "reason": "they told us",
    }
    change = ChangeForm.model_validate(told)
    assert change.changes() == {"owners": [], "signatory": None, "monthly_volume": 7}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "Ada"},
        {"reason": "why"},
        {"owners": None, "reason": "why"},
        {"terms_version": "2", "reason": "why"},
    ],
)
def test_a_change_is_of_something_that_may_change_and_has_a_reason(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChangeForm.model_validate(change)


def test_unknown_fields_are_refused() -> None:
    assert refused("nickname", "Ada") == "is not a field that we know: leave it out"


def test_a_form_is_what_backend_services_send() -> None:
    sent = Application.model_validate(FORM).model_dump(mode="json")
    assert ApplicationForm.model_validate(sent).model_dump(mode="json") == sent


def test_a_correction_names_what_changes() -> None:
    changes = CorrectionForm.model_validate({"tax_id": None, "country": "at"})
    assert changes.model_dump(exclude_unset=True) == {"tax_id": None, "country": "AT"}


@pytest.mark.parametrize("correction", [{}, {"name": None}, {"email": "ada"}, {"id": "x"}])
def test_a_correction_is_as_strict_as_a_form(correction: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CorrectionForm.model_validate(correction)


@pytest.mark.parametrize("reason", ["", "r" * 501, "ada@example.com asked", "call 030 1234567"])
def test_a_reason_is_short_and_names_nobody(reason: str) -> None:
    with pytest.raises(ValidationError):
        WithdrawalForm.model_validate({"reason": reason})


@pytest.mark.parametrize("decision", [{"action": "skip"}, {"action": "retry", "version": 2}])
def test_without_a_step_there_is_only_retry_or_abort(decision: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ResolutionForm.model_validate(
            {"workflow_id": "onboarding/acme/x", "reason": "looked", **decision}
        )
