"""What an applicant may tell, field by field, and what may be changed of it."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_extra_types.country import CountryAlpha2
from pydantic_extra_types.currency_code import Currency

from gateway.forms import Form, Time
from workflows.actor import Why
from workflows.onboarding.application import Application, Owner, Signatory, TaxNumber

TaxIdType = Literal[
    "ch_uid",
    "ch_vat",
    "de_stn",
    "es_cif",
    "eu_oss_vat",
    "eu_vat",
    "gb_vat",
    "it_cf",
    "no_vat",
    "no_voec",
    "pl_nip",
    "us_ein",
]
"""Stripe's names for the tax ids of the countries that we serve."""

_LONGEST_NAME = 200
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
# Spaces, and what Unicode calls default-ignorable: a name of nothing else looks empty.
_UNSEEN = (
    r"\x20\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u205f-\u206f"
    r"\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_NAME = rf"^\s*[^{_CONTROLS}{_UNSEEN}][^{_CONTROLS}]*\s*$"
_NOT_IN_A_NAME = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")
_BEGINS_UNSEEN = re.compile(rf"[{_UNSEEN}]")


def _clean(value: Any) -> Any:
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def _printable(name: str) -> str:
    # Letters of any script, and what joins them; but nothing that hides or turns text around.
    if _NOT_IN_A_NAME.search(name):
        raise ValueError("holds control characters: a name is one line of text")
    if _BEGINS_UNSEEN.match(name):
        raise ValueError("begins with a character that nobody can see")
    return name


def _deliverable(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        # The library's own text repeats parts of the address.
        raise ValueError("is not an e-mail address, such as ada@example.com") from None


Name = Annotated[
    str,
    BeforeValidator(_clean),
    Field(min_length=1, max_length=_LONGEST_NAME, json_schema_extra={"pattern": _NAME}),
    AfterValidator(_printable),
]
Email = Annotated[
    str, Field(max_length=320, json_schema_extra={"format": "email"}), AfterValidator(_deliverable)
]
Country = Annotated[
    CountryAlpha2,
    WithJsonSchema({"type": "string", "format": "iso-3166-1-alpha-2", "examples": ["DE"]}),
]
CurrencyCode = Annotated[
    Currency, WithJsonSchema({"type": "string", "format": "iso-4217", "examples": ["EUR"]})
]


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OLDEST = date(1900, 1, 1)
_MOST_OWNERS = 50
_MOST_EUROS = 10**12
_CLOCKS_DIFFER = timedelta(minutes=5)


def _day(value: Any) -> Any:
    # Numbers would be taken for seconds since 1970, times for their day in some zone.
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("is not a day of ISO 8601, such as 1980-01-31")


def _born(day: date) -> date:
    if not _OLDEST <= day <= datetime.now(UTC).date():
        raise ValueError("is no day on which somebody who lives was born")
    return day


def _passed(at: datetime) -> datetime:
    if at > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise ValueError("has yet to come")
    return at


def _whole(shares: tuple[Owner, ...]) -> tuple[Owner, ...]:
    if sum(one.share_percent for one in shares) > 100:
        raise ValueError("have more than 100 percent together")
    return shares


Birthday = Annotated[date, BeforeValidator(_day), AfterValidator(_born)]
Volume = Annotated[int, Field(strict=True, ge=0, le=_MOST_EUROS)]


class TaxNumberForm(TaxNumber):
    """A tax id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: TaxIdType
    value: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,39}$")
    ]


class SignatoryForm(Signatory):
    """Somebody who is entitled to sign."""

    name: Name
    country: Country
    date_of_birth: Birthday


class OwnerForm(Owner):
    """A beneficial owner."""

    name: Name
    country: Country
    date_of_birth: Birthday
    share_percent: Annotated[float, Field(gt=0, le=100)]


Owners = Annotated[tuple[OwnerForm, ...], Field(max_length=_MOST_OWNERS), AfterValidator(_whole)]


class ApplicationForm(Application):
    """A signup."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "company",
                    "name": "Beispiel Werke GmbH",
                    "email": "office@example.com",
                    "country": "DE",
                    "currency": "EUR",
                    "tax_id": {"type": "eu_vat", "value": "DE123456789"},
                    "monthly_volume": 25_000,
                    "owners": [
                        {
                            "name": "Ada Beispiel",
                            "country": "DE",
                            "date_of_birth": "1980-01-31",
                            "share_percent": 60,
                        }
                    ],
                    "signatory": {
                        "name": "Ada Beispiel",
                        "country": "DE",
                        "date_of_birth": "1980-01-31",
                    },
                    "terms_version": "2026-01",
                },
                {
                    "kind": "person",
                    "name": "Žofie Nováková",
                    "email": "zofie@example.org",
                    "country": "AT",
                    "currency": "EUR",
                },
            ]
        },
    )

    name: Name
    email: Email
    country: Country
    currency: CurrencyCode
    tax_id: TaxNumberForm | None = None
    date_of_birth: Birthday | None = None
    monthly_volume: Volume | None = None
    owners: Owners = ()
    signatory: SignatoryForm | None = None
    account_manager: Annotated[str, Field(pattern=r"^[!-~]{1,100}$")] | None = None
    terms_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")] | None = None
    terms_accepted_at: Annotated[Time, AfterValidator(_passed)] | None = None

    @field_validator("owners", "signatory")
    @classmethod
    def _of_a_company(cls, value: Any, told: ValidationInfo) -> Any:  # Any: of either field
        if value and told.data.get("kind") == "person":
            raise ValueError("is told of companies only")
        return value

    @field_validator("date_of_birth")
    @classmethod
    def _of_a_person(cls, value: date | None, told: ValidationInfo) -> date | None:
        if value and told.data.get("kind") == "company":
            raise ValueError("is told of persons only")
        return value

    @field_validator("terms_accepted_at")
    @classmethod
    def _of_terms(cls, value: datetime | None, told: ValidationInfo) -> datetime | None:
        if value and told.data.get("terms_version", "") is None:
            raise ValueError("is told with terms_version only")
        return value


def _left_out_or_told(schema: dict[str, Any]) -> None:
    """Describe a correction: at least one field, and null only where it takes something out.

    Any: JSON Schema's own.
    """
    schema["minProperties"] = 1
    schema["examples"] = [{"tax_id": {"type": "eu_vat", "value": "DE987654321"}}]
    for name, field in schema["properties"].items():
        del field["default"]
        if name not in _TAKEN_OUT:
            field.update(next(one for one in field.pop("anyOf") if one != {"type": "null"}))


_TAKEN_OUT = {"tax_id", "date_of_birth", "monthly_volume", "signatory"}
"""What an application can be without."""


class CorrectionForm(Form):
    """What is corrected in an application; fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra=_left_out_or_told)

    kind: Literal["person", "company"] | None = None
    name: Name | None = None
    email: Email | None = None
    country: Country | None = None
    currency: CurrencyCode | None = None
    tax_id: TaxNumberForm | None = None

    @model_validator(mode="after")
    def _corrects_something(self) -> "CorrectionForm":
        if not self.model_fields_set - {"reason"}:
            raise ValueError("name at least one field and what it is to be")
        for field in sorted(self.model_fields_set - _TAKEN_OUT):
            if getattr(self, field) is None:
                may = ", ".join(sorted(_TAKEN_OUT & type(self).model_fields.keys()))
                raise ValueError(f"{field} cannot be empty; only {may} can be taken out by null")
        return self


def _told_why(schema: dict[str, Any]) -> None:
    """Describe a change: a correction, and why. Any: JSON Schema's own."""
    reason = schema["properties"].pop("reason")
    _left_out_or_told(schema)
    schema["properties"]["reason"] = reason
    schema["minProperties"] = 2
    schema["examples"] = [{"name": "Ada Beispiel-Muster", "reason": "the applicant married"}]


class ChangeForm(CorrectionForm):
    """What is changed in an application, and why; fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra=_told_why)

    date_of_birth: Birthday | None = None
    monthly_volume: Volume | None = None
    owners: Owners | None = None
    signatory: SignatoryForm | None = None
    reason: Why

    def changes(self) -> dict[str, Any]:
        """The fields that are told, as an application has them. Any: of every type."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"reason"})
