"""The accounts of a world: where the bank keeps the money, what was there to begin with."""

from simulators.world.rows import Book

_OPENING: dict[Book, int] = {
    "processor": 2_500_000,
    "clearing": 2_500_000,
    "bank": 20_000_000,
    "cash": 20_000_000,
    "in_transit": 0,
}


def opening(currency: str, book: Book) -> int:
    """The balance before the first day, in minor units; each currency has another."""
    extra = sum(map(ord, currency)) * 1_000
    return _OPENING[book] + extra if _OPENING[book] else 0


def iban(currency: str) -> str:
    """The account that payouts of a currency go to: an invented one, with a right check."""
    basic = "50010517" + "".join(f"{ord(letter) - 55:02d}" for letter in currency) + "0001"
    check = 98 - int(f"{basic}131400") % 97
    return f"DE{check:02d}{basic}"
