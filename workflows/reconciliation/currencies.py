"""Currencies: which there are, their minor units, and amounts as people write them."""

from decimal import Decimal

LARGEST = 10**15
"""The largest amount that somebody may tell us, in minor units: thousands of them can be added."""

_TODAY = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
    KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD
    XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
"""
_BEFORE = "ANG BGN BYR CUC HRK LTL MRO SLL STD VEF ZWL"
"""What was withdrawn since 2015: books tell of the past."""

CURRENCIES = frozenset(f"{_TODAY} {_BEFORE}".split())
"""The codes of ISO 4217 that amounts may be in."""

EXPONENTS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
"""Digits of the minor unit, where it is not two: ISO 4217, list one."""


def known_currency(code: str) -> str:
    """A code that is there. Raises ValueError."""
    if code not in CURRENCIES:
        raise ValueError("is not a currency of ISO 4217")
    return code


def exponent(currency: str) -> int:
    """How many digits the minor unit of a currency has."""
    return EXPONENTS.get(currency, 2)


def money(amount_minor: int, currency: str) -> str:
    """An amount in major units, with its currency: `-1,234.50 EUR`."""
    digits = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency}"
