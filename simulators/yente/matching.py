"""Who is like an example: by the words of names in Latin letters, birth dates and countries."""

import re

from anyascii import anyascii
from rapidfuzz import fuzz

from simulators.yente.entities import Entity

SCHEMATA = {
    "Person": {"Person", "LegalEntity"},
    "Company": {"Company", "Organization", "PublicBody", "LegalEntity"},
    "Organization": {"Company", "Organization", "PublicBody", "LegalEntity"},
    "LegalEntity": {"Person", "Company", "Organization", "PublicBody", "LegalEntity"},
}
"""Which schemata an example of one may match."""
_OTHER_BIRTH_DATE = 0.7
_OTHER_COUNTRY = 0.95


def score(example: Entity, entity: Entity) -> float:
    """How alike they are, from 0 to 1."""
    if entity["schema"] not in SCHEMATA[example["schema"]]:
        return 0.0
    told, known = example["properties"], entity["properties"]
    names = [_latin(name) for name in (*known.get("name", ()), *known.get("alias", ()))]
    asked = [_latin(name) for name in told.get("name", ())]
    alike = [fuzz.token_sort_ratio(one, other) for one in asked for other in names if one and other]
    found = max(alike, default=0.0) / 100
    if not _share(told, known, "birthDate"):
        found *= _OTHER_BIRTH_DATE
    countries = {
        value.lower() for name in ("country", "jurisdiction") for value in told.get(name, ())
    }
    if countries and known.get("country") and countries.isdisjoint(known["country"]):
        found *= _OTHER_COUNTRY
    return round(found, 4)


def _share(told: Entity, known: Entity, name: str) -> bool:
    """Whether two values could be the same, a year every day of it; or one of them has none."""
    here, there = told.get(name, ()), known.get(name, ())
    if not here or not there:
        return True
    return any(one.startswith(other) or other.startswith(one) for one in here for other in there)


def _latin(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", anyascii(name).lower()))
