"""Reading how books are compared: `rules/reconciliation.toml`."""

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import holidays
from pydantic import ValidationError

from workflows.reconciliation.terms import Terms

_YEARS = range(2015, 2041)
"""Holidays are looked up for these."""


class BadTerms(ValueError):
    """The file cannot be used; the text names it and the place."""


def load_terms(file: Path) -> Terms:
    """How books are compared, with the holidays that its calendars name. Raises BadTerms."""
    try:
        holds = tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadTerms(f"{file}: {error}") from error
    try:
        holds["calendars"] = {
            name: _with_holidays(file, name, calendar)
            for name, calendar in holds.get("calendars", {}).items()
        }
        content = json.dumps(holds, sort_keys=True, default=date.isoformat).encode()
        return Terms(version=hashlib.sha256(content).hexdigest()[:12], **holds)
    except (ValidationError, TypeError, AttributeError) as error:
        raise BadTerms(f"{file}: {error}") from error


def _with_holidays(file: Path, name: str, calendar: dict[str, Any]) -> dict[str, Any]:
    """A calendar whose `market` or `country` is looked up. Any: TOML, checked by the model."""
    holds = dict(calendar)
    market, country = holds.pop("market", None), holds.pop("country", None)
    subdivision = holds.pop("subdivision", None)
    days = set(holds.get("holidays", ()))
    try:
        if market is not None:
            days.update(holidays.financial_holidays(market, years=_YEARS))
        if country is not None:
            days.update(holidays.country_holidays(country, subdiv=subdivision, years=_YEARS))
    except NotImplementedError as unknown:
        raise BadTerms(f"{file}, calendars.{name}: {unknown}") from unknown
    return {**holds, "holidays": sorted(days)}
