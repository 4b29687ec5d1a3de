"""How alike names are, in percent, and what speaks against it that two are the same."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from rapidfuzz import fuzz, process

OTHER_BIRTH_DATE = 25
"""Points that another date of birth takes: what remains of the same name is below any threshold
that lets misspelt names through."""
OTHER_COUNTRY = 5
"""Points that other countries take: people move, and lists know few of the countries."""
PART_OF_A_NAME = 95
"""What a name is worth that is part of a longer one, as without the father's name."""
_WORDS_OF_A_PART = 2

Words = Sequence[str]


class Names:
    """Many names, each as its words, that one is compared with."""

    def __init__(self, names: Sequence[Words]) -> None:
        self._ordered = [" ".join(sorted(words)) for words in names]
        self._joined = ["".join(words) for words in names]
        self._lengths = [len(set(words)) for words in names]
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, words in enumerate(names):
            for word in set(words):
                self._having[word].append(place)

    def alike(self, name: Words, at_least: int) -> dict[int, int]:
        """How alike `name` is to those that it is like, by their places, whatever the order."""
        if not name:
            return {}
        found: dict[int, int] = {}
        # Some write in one word what others write in two.
        for wanted, given in (
            (" ".join(sorted(name)), self._ordered),
            ("".join(name), self._joined),
        ):
            for _, score, place in process.extract(
                wanted, given, scorer=fuzz.ratio, score_cutoff=at_least, limit=None
            ):
                found[place] = max(found.get(place, 0), int(score))
        if at_least <= PART_OF_A_NAME:
            for place in self._parts(set(name)):
                found[place] = max(found.get(place, 0), PART_OF_A_NAME)
        return found

    def _parts(self, name: set[str]) -> Iterator[int]:
        """Names that `name` is a part of, and those that are parts of it."""
        shared = Counter(place for word in name for place in self._having.get(word, ()))
        for place, words in shared.items():
            shorter = min(len(name), self._lengths[place])
            if words == shorter >= _WORDS_OF_A_PART:
                yield place


def against(
    born: date | None,
    country: str | None,
    *,
    birth_dates: Collection[str],
    countries: Collection[str],
) -> int:
    """The points that speak against it that a party is an entry; what either does not tell, none.

    Countries are in capitals, birth dates as `1965`, `1965-03` or `1965-03-01`.
    """
    points = 0
    if born is not None and birth_dates and not _could_be(born.isoformat(), birth_dates):
        points += OTHER_BIRTH_DATE
    if country and countries and country.upper() not in countries:
        points += OTHER_COUNTRY
    return points


def _could_be(born: str, listed: Collection[str]) -> bool:
    """Whether a day is one of those listed: of a year or a month it is every day."""
    return any(born.startswith(one) or one.startswith(born) for one in listed)
