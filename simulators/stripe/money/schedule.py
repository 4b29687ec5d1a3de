"""When money is available and when it is paid out, and in which currency it settles."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.bank.days import business_day_after
from simulators.bank.money import IBAN
from simulators.stripe.account import Account
from simulators.stripe.money.balance import DAY, Movement
from simulators.stripe.money.fees import Fee, decimals

SETTING = "stripe_payout_schedule"
TraceConduct = Literal["supported", "unsupported"]


class Conversion(BaseModel):
    """A currency of payments that is settled in another."""

    model_config = ConfigDict(extra="forbid")

    currency: str = Field(pattern="^[a-z]{3}$")
    rate: Decimal = Field(gt=0)
    """Units of that currency for one unit of the payment's."""


class Schedule(BaseModel):
    """How the account is paid; as it is from the start unless the control API changes it."""

    model_config = ConfigDict(extra="forbid")

    interval: Literal["daily", "manual"] = "daily"
    delay_days: int = Field(default=2, ge=0, le=30)
    """So many midnights (UTC) pass until a payment's money is available."""
    trace: TraceConduct = "supported"
    trace_days: int = Field(default=0, ge=0, le=10)
    """So many days after the arrival of a payout its trace id is known."""
    settles_in: dict[str, Conversion] = {}
    """By the currency of payments; those not named settle in their own."""
    bank_accounts: dict[str, Annotated[str, Field(pattern=IBAN)]] = {}
    """Where payouts go that set out from now on, by their currency; else to the world's account."""


class Change(Schedule):
    """What is to be changed; only what is named is."""


def current(account: Account) -> Schedule:
    """The schedule now."""
    return Schedule.model_validate(account.storage.setting(SETTING, {}))


def change(account: Account, wanted: Change) -> None:
    """Have another schedule from now on, but for what is not named."""
    given = wanted.model_dump(mode="json", exclude_unset=True)
    after = Schedule.model_validate(account.storage.setting(SETTING, {}) | given)
    account.storage.keep_setting(SETTING, after.model_dump(mode="json"))


def available_on(account: Account) -> int:
    """When the money of a payment that is made now can be paid out."""
    now = account.now()
    delay = current(account).delay_days
    return now if delay == 0 else (now // DAY + delay) * DAY


def arrival(moment: int) -> int:
    """The midnight (UTC) of the bank's next business day after a moment."""
    day = business_day_after(datetime.fromtimestamp(moment, UTC).date())
    return int(datetime.combine(day, time(), UTC).timestamp())


def settled(account: Account, movement: Movement, costs: Sequence[Fee] = ()) -> Movement:
    """The movement in the currency that it settles in; the fees are in the movement's own."""
    conversion = current(account).settles_in.get(movement.currency)
    if conversion is None:
        return dataclasses.replace(movement, fees=costs)

    def converted(amount: int) -> int:
        scale = Decimal(10) ** (decimals(conversion.currency) - decimals(movement.currency))
        return int((amount * conversion.rate * scale).quantize(Decimal(1), ROUND_HALF_EVEN))

    return dataclasses.replace(
        movement,
        amount=converted(movement.amount),
        currency=conversion.currency,
        exchange_rate=float(conversion.rate),
        fees=[dataclasses.replace(fee, amount=converted(fee.amount)) for fee in costs],
    )
