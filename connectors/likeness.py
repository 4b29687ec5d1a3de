"""How alike a party and an entry of a list are, in percent."""

from collections.abc import Sequence
from datetime import date

from rapidfuzz import fuzz

OTHER_BIRTH_DATE = 25
"""Points that another date of birth takes: what remains of the same name is below any threshold
that lets misspelt names through."""
OTHER_COUNTRY = 5
"""Points that other countries take: people move, and lists know few of the countries."""
_PART_OF_A_NAME = 0.95
"""What a name is worth that is part of a longer one, as without the father's name."""
_WORDS_OF_A_PART = 2

Words = Sequence[str]


def likeness(
    name: Words,
    entry_names: Sequence[Words],
    *,
    born: tuple[date | None, Sequence[str]],
    country: tuple[str | None, Sequence[str]],
    threshold: int,
) -> int:
    """The score of the name that is most alike, less what speaks against it; 0 below `threshold`.

    `born` and `country` are the party's and the entry's; what either does not tell speaks neither
    for nor against.
    """
    against = 0
    if born[0] is not None and born[1] and not _could_be(born[0], born[1]):
        against += OTHER_BIRTH_DATE
    if country[0] and country[1] and country[0].upper() not in country[1]:
        against += OTHER_COUNTRY
    wanted = threshold + against
    if wanted > 100:
        return 0
    best = max((_alike(name, other, wanted) for other in entry_names), default=0.0)
    score = round(best) - against
    return score if score >= threshold else 0


def _alike(one: Words, other: Words, wanted: int) -> float:
    """How alike two names are whatever the order of their words; 0 where it is not `wanted`."""
    if not one or not other:
        return 0.0
    ordered = sorted(one), sorted(other)
    whole = fuzz.ratio(*(" ".join(words) for words in ordered), score_cutoff=wanted)
    # Some write in one word what others write in two.
    joined = fuzz.ratio("".join(one), "".join(other), score_cutoff=wanted)
    shorter, longer = sorted((set(one), set(other)), key=len)
    part = len(shorter) >= _WORDS_OF_A_PART and shorter <= longer
    return max(whole, joined, 100 * _PART_OF_A_NAME if part else 0.0)


def _could_be(born: date, listed: Sequence[str]) -> bool:
    """Whether a day is one of those listed; `1965` and `1965-03` are every day of theirs."""
    day = born.isoformat()
    return any(day.startswith(one) or one.startswith(day) for one in listed)
