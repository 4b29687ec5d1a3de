"""Amounts as files have them."""

from simulators.world.shape import exponent


def major(amount: int, currency: str, point: str = ".") -> str:
    """Minor units in major ones: 1250 of EUR is `12.50`."""
    digits = exponent(currency)
    if not digits:
        return str(amount)
    text = f"{abs(amount):0{digits + 1}d}"
    return f"{'-' if amount < 0 else ''}{text[:-digits]}{point}{text[-digits:]}"
