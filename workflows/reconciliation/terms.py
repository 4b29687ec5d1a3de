"""How books are compared: the shape of `rules/reconciliation.toml`, holidays looked up."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from workflows.request_key import Message

DEFAULT = "default"
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_KEY = r"source_id|charge_id|payment_intent_id|balance_transaction_id|payment_metadata\[.+\]"
Key = Annotated[str, StringConstraints(pattern=f"^({_KEY})$")]


def _has_default(by_currency: Mapping[str, int | str]) -> Mapping[str, int | str]:
    if DEFAULT not in by_currency:
        raise ValueError("a default is needed for the currencies that are not named")
    return by_currency


Amounts = Annotated[
    Mapping[str, Annotated[int, Field(ge=0)]],
    AfterValidator(_has_default),
]
"""Minor units by currency."""

Days = Annotated[int, Field(ge=0, le=31)]


class Keys(Message):
    """What our journal knows a balance transaction by: the first that is there."""

    processor: tuple[Key, ...] = Field(min_length=1)


class Grace(Message):
    """How long one side may be without the other: days, and business days of the bank."""

    processor_days: Days
    bank_days: Days


class Windows(Message):
    """How far apart two items may lie that have only the amount in common, in the same units."""

    processor_days: Days
    bank_days: Days


class Calendar(Message):
    """When banks do not work: each week, and on these days."""

    weekend: tuple[Weekday, ...]
    holidays: tuple[date, ...] = ()

    def first_working_day(self, day: date) -> date:
        """The day itself, or the next on which banks work."""
        return self._working_day(day, timedelta(days=1))

    def last_working_day(self, day: date) -> date:
        """The day itself, or the last before it on which banks worked."""
        return self._working_day(day, timedelta(days=-1))

    def _working_day(self, day: date, step: timedelta) -> date:
        while get_args(Weekday)[day.weekday()] in self.weekend or day in self.holidays:
            day += step
        return day


class SettlementRule(Message):
    """Which entries of a bank settle payouts: by words of their description, or by their code."""

    name: str
    contains: str | None = None
    bank_code: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "SettlementRule":
        if not (self.contains or self.bank_code):
            raise ValueError("a settlement is known by `contains` or by `bank_code`")
        return self


class Kinds(Message):
    """The processor's reporting categories that we know."""

    known: tuple[str, ...]


class Terms(Message):
    """What a run compares by; `version` is a hash of all the rest.

    tolerances   a difference up to so much is no break
    bank_fees    what banks on the way keep of a deposit at most
    calendar_of  the calendar by currency, where an account has no bank account in it
    materiality  what a break must be worth to need somebody by itself; no status goes by it
    """

    version: str
    keys: Keys
    tolerances: Amounts
    grace: Grace
    windows: Windows
    bank_fees: Amounts
    calendars: Mapping[str, Calendar]
    calendar_of: Annotated[Mapping[str, str], AfterValidator(_has_default)]
    settlements: tuple[SettlementRule, ...] = ()
    materiality: Amounts
    kinds: Kinds

    def calendar_for(self, currency: str) -> str:
        """The name of the calendar of banks in a currency."""
        return self.calendar_of.get(currency, self.calendar_of[DEFAULT])

    @model_validator(mode="after")
    def _names_calendars(self) -> "Terms":
        for currency, calendar in self.calendar_of.items():
            if calendar not in self.calendars:
                raise ValueError(f"calendar_of.{currency}: there is no calendar {calendar}")
        return self
