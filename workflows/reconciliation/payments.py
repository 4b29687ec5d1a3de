"""What our services tell of payments, and what is answered: the words of `POST /v1/payments`.

Amounts are minor units on the sign of our asset: what the processor holds more of for us is
positive, so a refund is negative. Nothing here is personal data: references are ids.
"""

import hashlib
import re
from base64 import b32encode
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from workflows.reconciliation.currencies import LARGEST, known_currency
from workflows.request_key import Message

Rising = Literal["charge", "refund_failure", "dispute_reversal"]
Falling = Literal["charge_failure", "refund", "dispute", "partial_capture_reversal"]
Either = Literal["other_adjustment", "risk_reserved_funds", "conversion"]
PaymentKind = Rising | Falling | Either
"""What moved, in the words of Stripe's reporting categories.

conversion  a sale in a currency that was not settled at first: the processor has exchanged it
"""

Minor = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
KnownCurrency = Annotated[CurrencyCode, AfterValidator(known_currency)]
OBJECT_ID = re.compile(r"^[!-~]{1,255}$")
ObjectId = Annotated[str, Field(pattern=OBJECT_ID.pattern)]
ACCOUNT_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
AccountName = Annotated[str, Field(pattern=ACCOUNT_NAME.pattern)]


_E_MAIL = re.compile(r"\S@\S")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing in the books happened before it."""
_CLOCKS_APART = timedelta(days=31)
"""No clock is wrong by more; a time beyond is a mistake in writing."""


def names_nobody(reference: str) -> str:
    """A reference without an e-mail address in it. Raises ValueError."""
    if _E_MAIL.search(reference):
        raise ValueError("a reference is kept for good: leave e-mail addresses out of it")
    return reference


def is_past(at: datetime) -> datetime:
    """A time at which something may have happened. Raises ValueError."""
    if not EARLIEST <= at <= datetime.now(UTC) + _CLOCKS_APART:
        raise ValueError("is more than a month ahead, or before 1970")
    return at


class Settlement(Message):
    """In which currency the processor settles, and how much it made of the amount once it knows."""

    currency: CurrencyCode
    amount_minor: Minor | None = None


class ToldPayment(Message):
    """What is kept of a payment.

    reference    what our systems call it
    object_id    the processor's object: `ch_…`, `re_…`, `dp_…`
    fee_minor    what the processor took for it, as far as it is known; in the settled currency
    settlement   where that is another currency
    """

    kind: PaymentKind
    reference: ObjectId
    object_id: ObjectId | None = None
    amount_minor: Minor
    currency: CurrencyCode
    captured_at: AwareDatetime
    fee_minor: Minor = 0
    settlement: Annotated[Settlement | None, Field(validate_default=True)] = None

    @field_validator("amount_minor")
    @classmethod
    def _has_the_sign_of_its_kind(cls, amount: int, info: ValidationInfo) -> int:
        kind = info.data.get("kind")
        if amount == 0:
            raise ValueError("an amount of nothing is no payment")
        if kind in get_args(Rising) and amount < 0:
            raise ValueError(f"a {kind} is positive: the processor holds more for us")
        if kind in get_args(Falling) and amount > 0:
            raise ValueError(f"a {kind} is negative: the processor holds less for us")
        return amount

    @field_validator("settlement")
    @classmethod
    def _goes_with_the_amount(
        cls, settled: Settlement | None, info: ValidationInfo
    ) -> Settlement | None:
        if not {"kind", "amount_minor", "currency", "fee_minor"} <= info.data.keys():
            return settled  # what one of them lacks is told of that one
        conversion = info.data["kind"] == "conversion"
        if settled is None:
            if conversion:
                raise ValueError("a conversion says what it was settled to")
            return settled
        if settled.amount_minor == 0:
            raise ValueError("an amount of nothing is no payment")
        if settled.currency == info.data["currency"]:
            raise ValueError("a settlement is in another currency: leave it out")
        if settled.amount_minor is None:
            if info.data["fee_minor"] or conversion:
                raise ValueError("a fee and a conversion are told with the amount settled")
        elif (settled.amount_minor > 0) is not (info.data["amount_minor"] > 0):
            raise ValueError("what is settled has the sign of the amount")
        return settled


class NewSettlement(Settlement):
    """A settlement as it is told now."""

    currency: KnownCurrency


class NewPayment(ToldPayment):
    """A payment, as a service tells it now: stricter than what was once kept."""

    reference: Annotated[
        ObjectId,
        AfterValidator(names_nobody),
        Field(json_schema_extra={"pattern": r"^(?!.*[!-~]@[!-~])[!-~]{1,255}$"}),
    ]
    currency: KnownCurrency
    captured_at: Annotated[AwareDatetime, AfterValidator(is_past)]
    settlement: Annotated[NewSettlement | None, Field(validate_default=True)] = None

    @model_validator(mode="after")
    def _can_be(self) -> "NewPayment":
        settled, amount = self.settlement, self.amount_minor
        if settled is not None:
            amount = settled.amount_minor or 0
        if self.kind == "charge" and self.fee_minor > amount:
            raise ValueError("the fee of a charge is not above its amount")
        return self


class Payment(ToldPayment):
    """A payment that is booked. `entry` is the request key of its entry in the journal.

    period  the month that it is booked into: that of `effective_on`, or where that is closed the
            first open one after it; absent from answers that were kept before they told it
    """

    id: str
    account: str
    entry: str
    effective_on: date
    period: str | None = None
    told_by: str
    booked_at: datetime


class PaymentPage(Message):
    """Payments, the newest first. `next` is the cursor of the page after, empty at the end."""

    items: list[Payment]
    next: str | None


def payment_id(tenant: str, key: str) -> str:
    """26 characters that one payment always has: callers put personal data into their keys."""
    digest = hashlib.sha256(f"payment\n{tenant}\n{key}".encode()).digest()
    return b32encode(digest).decode().lower()[:26]
