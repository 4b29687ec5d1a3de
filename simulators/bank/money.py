"""Amounts as files have them, and what accounts are called."""

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())

IBAN = r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$"


def exponent(currency: str) -> int:
    """How many digits the minor unit has."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def major(amount: int, currency: str, point: str = ".") -> str:
    """Minor units in major ones: 1250 of EUR is `12.50`."""
    digits = exponent(currency)
    if not digits:
        return str(amount)
    text = f"{abs(amount):0{digits + 1}d}"
    return f"{'-' if amount < 0 else ''}{text[:-digits]}{point}{text[-digits:]}"
