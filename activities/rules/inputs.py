"""What a table is told: names with a type and a meaning, and lists of values to compare with."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pycountry

InputType = Literal["text", "country", "yes_no", "whole"]
Value = str | bool | int

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
COUNTRIES = tuple(sorted(country.alpha_2 for country in pycountry.countries))


class WrongValue(ValueError):
    """A value is not one that an input or outcome takes. The text says which it takes."""


@dataclass(frozen=True)
class Input:
    """One thing that a table is told.

    values         of a text that is one of a few; empty where it may be any
    minimum, maximum   of a whole number; none where it has no end
    answered_by    `table.outcome` of the table that says it; empty where a process knows it
    """

    name: str
    type: InputType
    meaning: str
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    answered_by: str | None = None

    @property
    def finite(self) -> tuple[str, ...]:
        """Every text that it may be; empty where there is no end of them."""
        return COUNTRIES if self.type == "country" else self.values

    def take(self, value: object) -> Value:
        """The value, if it is one of this input's. Raises WrongValue."""
        match self.type:
            case "yes_no":
                if isinstance(value, bool):
                    return value
                raise WrongValue(f"{self.name} is yes or no: true or false, not {shown(value)}")
            case "whole":
                return self._whole(value)
            case "text" | "country":
                return self._text(value)

    def read(self, text: str) -> Value:
        """The value that somebody typed. Raises WrongValue."""
        if self.type == "yes_no":
            words = {"yes": True, "true": True, "no": False, "false": False}
            return self.take(words.get(text.lower(), text))
        if self.type == "whole":
            return self.take(int(text) if _WHOLE.fullmatch(text) else text)
        return self.take(text)

    def _whole(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongValue(f"{self.name} is a whole number, not {shown(value)}")
        if self.minimum is not None and value < self.minimum:
            raise WrongValue(f"{self.name} is {self.minimum} or more, never {value}")
        if self.maximum is not None and value > self.maximum:
            raise WrongValue(f"{self.name} is {self.maximum} or less, never {value}")
        return value

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise WrongValue(f"{self.name} is a text, not {shown(value)}")
        if self.type == "country" and value not in COUNTRIES:
            raise WrongValue(f"{self.name} is an ISO 3166-1 code as DE, not {shown(value)}")
        if self.values and value not in self.values:
            raise WrongValue(
                f"{self.name} is never {shown(value)}{meant(value, self.values)}; "
                f"it is one of {', '.join(self.values)}"
            )
        return value


@dataclass(frozen=True)
class ListOfValues:
    """Values under one name, for conditions as `country in embargoed`."""

    name: str
    meaning: str
    values: tuple[str | int, ...]


def meant(name: str, known: Iterable[str]) -> str:
    """A hint at what was probably meant; empty where nothing is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def shown(value: object) -> str:
    """A value as tables have it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case list() | tuple():
            return f"[{', '.join(shown(one) for one in value)}]"
        case _:
            return str(value)
