"""Names made comparable: in one script and one case, whatever the order of their words."""

import re
import unicodedata

from anyascii import anyascii

_MARKS_WITHIN_WORDS = re.compile(r"['’‘ʼ`´]")
_WORDS = re.compile(r"[a-z0-9]+")
_LEGAL_FORMS = frozenset(
    "ab ag as aps bv co company corp corporation eg ek eood gbr gmbh inc incorporated kft kg kgaa"
    " limited llc llp ltd nv ohg oy oyj plc pjsc pte pty sa sarl sas sasu se sl spa srl ug".split()
)


def words_of(name: str, *, company: bool = False) -> list[str]:
    """The words of a name in Latin letters without marks; of a company without its legal form.

    A name that is nothing but legal forms, or of signs alone, keeps what it has.
    """
    latin = anyascii(unicodedata.normalize("NFKC", name)).lower()
    words: list[str] = _WORDS.findall(_MARKS_WITHIN_WORDS.sub("", latin))
    if not company:
        return words
    return [word for word in words if word not in _LEGAL_FORMS] or words


def comparable(name: str, *, company: bool = False) -> str:
    """The words of a name in the order of the alphabet: the same for the same name.

    Where nothing of it can be read aloud, the name itself.
    """
    words = words_of(name, company=company)
    return " ".join(sorted(words)) or unicodedata.normalize("NFKC", name).casefold().strip()
