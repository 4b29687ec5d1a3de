"""What a bank account is called: the same by whoever writes it."""

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)


def identification_of(text: str) -> str:
    """A bank account's number as we write it: without blanks, in capital letters.

    An IBAN has no dashes, dots or slashes, either; in another number they may mean something.
    """
    found = "".join(text.split()).upper()
    bare = re.sub(r"[-./]", "", found)
    return bare if _IBAN.fullmatch(bare) and _check_holds(bare) else found


def checked_identification(text: str) -> str:
    """A number as we write it. Raises ValueError: there is none, or an IBAN's check is wrong."""
    found = identification_of(text)
    if not found:
        raise ValueError("is empty")
    if _IBAN.fullmatch(found) and not _check_holds(found):
        raise ValueError("is an IBAN whose check digits are wrong")
    return found


def _check_holds(iban: str) -> bool:
    """The check of ISO 13616: as a number, its first four characters last, 97 leaves 1 over."""
    digits = "".join(str(int(one, 36)) for one in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
