"""Stripe's test cards: which one is used decides what happens to a payment."""

from simulators.stripe.collection import Document
from simulators.stripe.errors import ParameterError

GOOD = frozenset({"pm_card_visa", "pm_card_mastercard", "pm_card_amex"})
DECLINED = {
    "pm_card_visa_chargeDeclined": "generic_decline",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_visa_chargeDeclinedLostCard": "lost_card",
}
"""Payment methods that are declined, and why."""
TOKENS = {
    "tok_visa": "pm_card_visa",
    "tok_mastercard": "pm_card_mastercard",
    "tok_amex": "pm_card_amex",
    "tok_chargeDeclined": "pm_card_visa_chargeDeclined",
    "tok_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
}


def of_token(token: str) -> str:
    """The payment method that a token stands for."""
    if token not in TOKENS:
        raise ParameterError(f"No such token: '{token}'", code="resource_missing", param="source")
    return TOKENS[token]


def check(payment_method: str) -> str:
    """The payment method, if it is a card that is simulated."""
    if payment_method not in GOOD and payment_method not in DECLINED:
        raise ParameterError(
            f"No such PaymentMethod: '{payment_method}'",
            code="resource_missing",
            param="payment_method",
        )
    return payment_method


def outcome(declined: str | None) -> Document:
    """What the card's bank said."""
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": declined,
        "risk_level": "normal",
        "risk_score": 10,
        "seller_message": "The bank declined." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def details(amount: int) -> Document:
    """The card, as a charge shows it."""
    return {
        "card": {
            "amount_authorized": amount,
            "authorization_code": None,
            "brand": "visa",
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "DE",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": "0123456789abcdef",
            "funding": "credit",
            "installments": None,
            "last4": "4242",
            "mandate": None,
            "network": "visa",
            "network_token": {"used": False},
            "network_transaction_id": None,
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    }
