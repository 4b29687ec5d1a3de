"""A break as the list of breaks tells it: what it is about, how old it is, what is at risk."""

from dataclasses import dataclass
from datetime import date

from workflows.reconciliation.books import Book, BreakClass, Leg


@dataclass(frozen=True, slots=True)
class BreakLine:
    """An open break, at the business date of a certificate.

    subject        the sources' own ids of what it is about
    book           the book that it was found in
    at_risk_minor  absolute, minor units of `currency`
    open_minor     what it adds to what is open in its leg, on the sign of the leg's equation
    effective_on   the day that its subject belongs to
    """

    break_class: BreakClass
    leg: Leg
    book: Book
    subject: tuple[str, ...]
    kind: str
    reference: str | None
    currency: str
    at_risk_minor: int
    open_minor: int
    opened_on: date

    def days(self, business_date: date) -> int:
        """How many days old it is at a business date."""
        return max(0, (business_date - self.opened_on).days)
