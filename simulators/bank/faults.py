"""How a bank can go wrong, and whom it concerns."""

from typing import Literal

from simulators.controls import Control, FaultPlan

BankFaultKind = Literal[
    "wire_fee_withheld",  # a bank on the way keeps WIRE_FEE of the deposit
    "deposit_lost",  # the deposit is never booked
    "statement_withheld",  # the statement is made, and not handed over until it is released
]
WIRE_FEE = 1500
"""Minor units."""


class BankMatch(Control):
    """Which deposits or statements: globs over the transfer's id, the account, the currency."""

    transfer: str | None = None
    iban: str | None = None
    currency: str | None = None


class BankFaultPlan(FaultPlan[BankFaultKind, BankMatch]):
    """A fault of the bank's."""

    match: BankMatch = BankMatch()
