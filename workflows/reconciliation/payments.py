"""What our services tell of payments, and what is answered: the words of `POST /v1/payments`.

Amounts are minor units on the sign of our asset: what the processor holds more of for us is
positive, so a refund is negative. Nothing here is personal data: references are ids.
"""

import hashlib
import re
from base64 import b32encode
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from workflows.reconciliation.currencies import LARGEST
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
ObjectId = Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
ACCOUNT_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
AccountName = Annotated[str, Field(pattern=ACCOUNT_NAME.pattern)]


_E_MAIL = re.compile(r"\S@\S")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_APART = timedelta(days=31)
"""No clock is wrong by more; a time beyond is a mistake in writing."""


def _names_nobody(reference: str) -> str:
    if _E_MAIL.search(reference):
        raise ValueError("a reference is kept for good: leave e-mail addresses out of it")
    return reference


def _is_past(at: datetime) -> datetime:
    if not _EARLIEST <= at <= datetime.now(UTC) + _CLOCKS_APART:
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
    settlement: Settlement | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> "ToldPayment":
        amount, settled = self.amount_minor, self.settlement
        if amount == 0 or (settled is not None and settled.amount_minor == 0):
            raise ValueError("an amount of nothing is no payment")
        if self.kind in get_args(Rising) and amount < 0:
            raise ValueError(f"a {self.kind} is positive: the processor holds more for us")
        if self.kind in get_args(Falling) and amount > 0:
            raise ValueError(f"a {self.kind} is negative: the processor holds less for us")
        if settled is None:
            if self.kind == "conversion":
                raise ValueError("a conversion says what it was settled to")
            return self
        if settled.currency == self.currency:
            raise ValueError("a settlement is in another currency: leave it out")
        if settled.amount_minor is None:
            if self.fee_minor or self.kind == "conversion":
                raise ValueError("a fee and a conversion are told with the amount settled")
        elif (settled.amount_minor > 0) is not (amount > 0):
            raise ValueError("what is settled has the sign of the amount")
        return self


class NewPayment(ToldPayment):
    """A payment, as a service tells it now: stricter than what was once kept."""

    reference: Annotated[
        ObjectId,
        AfterValidator(_names_nobody),
        Field(json_schema_extra={"pattern": r"^(?!.*[!-~]@[!-~])[!-~]{1,255}$"}),
    ]
    captured_at: Annotated[AwareDatetime, AfterValidator(_is_past)]

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
