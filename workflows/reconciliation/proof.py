"""The bridge between three books, and how a run came out: arithmetic, and nothing else.

    E1  C(clearing) - C(processor) - X1 = 0
    E2  -Q - S - X2 = 0                    what is truly on its way is -Q-S
    E3  C(cash) - C(bank) - X3 = 0
    E4  C(in_transit) - (-Q-S) + X1 of payouts + X3 of settlements = 0

C is a closing balance by an independent source, Q the payouts and S the settlements since the
beginning, X what is open in a leg together with the differences of its matches, on the sign of its
equation. What is not matched is called open, so the equations would hold of themselves: the
independent closings are what gives them force.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from workflows.reconciliation.books import Book, Status
from workflows.reconciliation.certificate import (
    BreakTotal,
    Equation,
    EquationName,
    Missing,
    RollForward,
    Term,
    TermName,
)

NEEDS: Mapping[EquationName, frozenset[Book]] = {
    "E1": frozenset({"clearing", "processor"}),
    "E2": frozenset({"processor", "bank"}),
    "E3": frozenset({"cash", "bank"}),
    "E4": frozenset({"clearing", "in_transit", "cash", "processor", "bank"}),
}
"""The books that an equation is about: an account without one of them has no such equation."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the bridge of one currency is made of; a book that is not in `closing` has zero.

    payouts           Q: the sum of all items of the payout family, since the beginning
    settlements       S: the sum of all settlement entries of the bank, since the beginning
    open_l1 … _l3     X1, X2, X3
    open_payouts      the part of X1 that is of the payout family
    open_settlements  the part of X3 that is of settlements
    """

    closing: Mapping[Book, int]
    payouts: int = 0
    settlements: int = 0
    open_l1: int = 0
    open_l2: int = 0
    open_l3: int = 0
    open_payouts: int = 0
    open_settlements: int = 0


def bridge(currency: str, of: Figures, scope: Collection[Book]) -> tuple[Equation, ...]:
    """The equations of a currency that the books in scope allow."""
    closing = {book: of.closing.get(book, 0) for book in NEEDS["E4"]}
    terms: dict[EquationName, tuple[tuple[TermName, int], ...]] = {
        "E1": (
            ("clearing_closing", closing["clearing"]),
            ("processor_closing", -closing["processor"]),
            ("open_l1", -of.open_l1),
        ),
        "E2": (
            ("payouts", -of.payouts),
            ("settlements", -of.settlements),
            ("open_l2", -of.open_l2),
        ),
        "E3": (
            ("cash_closing", closing["cash"]),
            ("bank_closing", -closing["bank"]),
            ("open_l3", -of.open_l3),
        ),
        "E4": (
            ("in_transit_closing", closing["in_transit"]),
            ("payouts", of.payouts),
            ("settlements", of.settlements),
            ("open_payouts", of.open_payouts),
            ("open_settlements", of.open_settlements),
        ),
    }
    return tuple(
        Equation(
            name=name,
            currency=currency,
            terms=tuple(Term(name=term, amount_minor=amount) for term, amount in those),
            residual_minor=sum(amount for _, amount in those),
        )
        for name, those in terms.items()
        if NEEDS[name] <= set(scope)
    )


def status_of(
    missing: Sequence[Missing],
    equations: Sequence[Equation],
    roll_forward: Sequence[RollForward],
    breaks: Sequence[BreakTotal],
) -> Status:
    """The first that applies of INCOMPLETE, PROOF_FAILED, BREAKS, BALANCED."""
    if missing:
        return "INCOMPLETE"
    residuals = [one.residual_minor for one in equations]
    if any(residuals) or any(one.residual_minor for one in roll_forward):
        return "PROOF_FAILED"
    return "BREAKS" if breaks else "BALANCED"
