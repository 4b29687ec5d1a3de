"""What a bank account is called: the same by whoever writes it."""

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)


def identification_of(text: str) -> str:
    """A bank account's number as we write it: without blanks, in capital letters."""
    return "".join(text.split()).upper()


def checked_identification(text: str) -> str:
    """A number as we write it. Raises ValueError where there is none, or an IBAN's check is wrong.

    The check is that of ISO 13616: read as a number, with its first four characters at the end, an
    IBAN leaves 1 over when divided by 97.
    """
    found = identification_of(text)
    if not found:
        raise ValueError("is empty")
    if _IBAN.fullmatch(found):
        digits = "".join(str(int(one, 36)) for one in found[4:] + found[:4])
        if int(digits) % 97 != 1:
            raise ValueError("is an IBAN whose check digits are wrong")
    return found
