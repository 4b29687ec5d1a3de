"""The certificate of a run: what was compared, what came of it, and what it rests on.

It holds no time of its making and no number that our database gave: the same cut gives the same
bytes. Its id is their hash, and it names the certificates before it by theirs, so that no one of
them can be changed without all that follow.

Amounts are minor units of the currency beside them, with the signs of `books`. Rows stand in the
order of their keys.
"""

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from workflows.reconciliation.books import Book, BreakClass, Disposition, Leg, Rule, Status
from workflows.request_key import Message

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

Age = Literal["0-1", "2-7", "8-30", "31-90", "91+"]
"""Days between the day that something belongs to and the business date."""

AGES: tuple[Age, ...] = ("0-1", "2-7", "8-30", "31-90", "91+")

Lack = Literal[
    "no_opening",
    "no_closing",
    "unequal",
    "statement_missing",
    "statement_unproven",
    "statement_unprovable",
    "statement_gap",
    "statement_contradicted",
    "report_incomplete",
    "payout_members",
    "journal_unsealed",
    "bad_rows",
]
"""What makes a run INCOMPLETE.

no_opening, no_closing  a balance that no source told
unequal                 opening and movements do not come to what the source says
statement_missing       a bank account whose statement is overdue
statement_unproven      its balances and entries do not add up
statement_unprovable    it names no balance
statement_gap           a statement between this one and the last is not here
statement_contradicted  two statements of the same days differ: a person withdraws the wrong one
report_incomplete       the processor's report or listing ends before the day does
payout_members          what a payout paid out does not come to its amount
journal_unsealed        entries of the day may still be written
bad_rows                rows of a file could not be read
"""

EquationName = Literal["E1", "E2", "E3", "E4"]

TermName = Literal[
    "clearing_closing",
    "processor_closing",
    "in_transit_closing",
    "cash_closing",
    "bank_closing",
    "payouts",
    "settlements",
    "open_l1",
    "open_l2",
    "open_l3",
    "open_payouts",
    "open_settlements",
]


class Missing(Message):
    """One thing that is missing or does not hold.

    `subject` names it (a bank account, a statement, a file), `amount_minor` is by how much, where
    that is known.
    """

    lack: Lack
    book: Book | None = None
    currency: Currency | None = None
    subject: str = ""
    amount_minor: int | None = None


class ProvenUntil(Message):
    """The day up to which statements that add up tell a bank account; then it is in transit."""

    bank_account: str
    currency: Currency
    day: date


def _none(those: object) -> bool:
    """What earlier certificates did not tell is left out where there is none: their bytes stay."""
    return not those


class BookContents(Message):
    """What the cut holds of a book: how many items came with it, and the hash over them."""

    book: Book
    items: int
    hash: Hash


class CutRecord(Message):
    """The fixed inputs of a run.

    `hash` covers everything here: the contents by the sources' own ids, the version of the rules,
    the banks' calendars, the grace, what people unmatched by hand, and what was open before.

    processor_before  movements of the processor before this moment are in the cut
    statements        the statements of the bank, as it names them
    proven            up to which day each bank account is proven
    controls          over the opening and closing balances that the sources told
    manual_matches    over what people unmatched
    traces            over what banks know payouts by, as far as it was told
    open_before       the certificate before, which covers what was open after it
    """

    hash: Hash
    processor_before: datetime
    statements: tuple[str, ...]
    proven: Annotated[tuple[ProvenUntil, ...], Field(exclude_if=_none)] = ()
    contents: tuple[BookContents, ...]
    controls: Hash
    rules: str
    calendars: Hash
    grace: Hash
    manual_matches: Hash
    traces: Hash
    open_before: Hash


class ControlTotal(Message):
    """The balance of a book: what our items come to, beside what the source says.

    The opening is the closing of the certificate before, or of the load at the beginning.
    """

    book: Book
    currency: Currency
    opening_minor: int
    movements_minor: int
    closing_minor: int
    source: str = ""
    source_minor: int | None = None

    @property
    def proven(self) -> bool:
        """Whether an independent source says the same."""
        return self.source_minor == self.closing_minor

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.opening_minor + self.movements_minor != self.closing_minor:
            raise ValueError(f"{self.book} in {self.currency}: movements miss the closing")
        return self


class Term(Message):
    """A term of an equation, with the sign that it has in it."""

    name: TermName
    amount_minor: int


class Equation(Message):
    """One line of the bridge. The residual is the sum of its terms; a proof needs it to be zero."""

    name: EquationName
    currency: Currency
    terms: tuple[Term, ...]
    residual_minor: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on either side."""
        return not any(term.amount_minor for term in self.terms)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(term.amount_minor for term in self.terms) != self.residual_minor:
            raise ValueError(f"{self.name} in {self.currency}: the residual is not the terms' sum")
        return self


class RollForward(Message):
    """How what is open in a leg came about: opening + new - cleared, beside what is open now."""

    leg: Leg
    currency: Currency
    opening_minor: int
    new_minor: int
    cleared_minor: int
    closing_minor: int
    residual_minor: int

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        expected = self.opening_minor + self.new_minor - self.cleared_minor
        if self.closing_minor - expected != self.residual_minor:
            raise ValueError(f"{self.leg} in {self.currency}: the residual is not the difference")
        return self


class MatchCount(Message):
    """How many matches a rule made in a leg."""

    leg: Leg
    rule: Rule
    disposition: Disposition
    matches: int


class MatchedTotal(Message):
    """What a rule matched in a leg, by its two sides: the first is ours, in L2 the payouts.

    Of ours, `independent_minor` is what we booked ourselves, and `derived_minor` what was made from
    the other book's data: that it agrees proves nothing.
    """

    leg: Leg
    currency: Currency
    rule: Rule
    disposition: Disposition
    items: int
    independent_minor: int
    derived_minor: int
    theirs_minor: int


class TimingTotal(Message):
    """What is not due on the other side yet, on its sign in the leg's equation."""

    leg: Leg
    currency: Currency
    age: Age
    items: int
    amount_minor: int


class BreakTotal(Message):
    """Open breaks of one class and age. `at_risk_minor` is absolute, and never netted."""

    break_class: BreakClass
    currency: Currency
    age: Age
    breaks: int
    at_risk_minor: int


class BreakMovement(Message):
    """How the open breaks of a class came about.

    A break whose class or amount changed counts as cleared with the old and as new with the new.
    """

    break_class: BreakClass
    currency: Currency
    opening: int
    opening_minor: int
    new: int
    new_minor: int
    cleared: int
    cleared_minor: int
    closing: int
    closing_minor: int


class Certificate(Message):
    """What one run of an account for a business date proved, or did not.

    previous     the certificate that the openings are from; None after the load at the beginning
    supersedes   the certificate of the same day that this one stands in the place of
    scope        the books that the account has; equations that need others are not there
    result_hash  over each disposition, match and break, by the sources' own ids
    """

    schema_version: Literal[1] = 1
    account: str
    business_date: date
    ordinal: int = Field(ge=1)
    previous: Hash | None
    supersedes: Hash | None
    scope: tuple[Book, ...]
    cut: CutRecord
    status: Status
    missing: tuple[Missing, ...]
    controls: tuple[ControlTotal, ...]
    bridge: tuple[Equation, ...]
    roll_forward: tuple[RollForward, ...]
    matches: tuple[MatchCount, ...]
    matched: tuple[MatchedTotal, ...]
    timing: tuple[TimingTotal, ...]
    breaks: tuple[BreakTotal, ...]
    break_movements: tuple[BreakMovement, ...]
    result_hash: Hash


def canonical(message: Message) -> bytes:
    """The one JSON of a message: fields in order of name, no space that means nothing, UTF-8."""
    content = message.model_dump(mode="json")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def certificate_id(certificate: Certificate) -> str:
    """What names a certificate: SHA-256 over its canonical JSON."""
    return hashlib.sha256(canonical(certificate)).hexdigest()


def age_of(belongs_to: date, business_date: date) -> Age:
    """The age at a business date of what belongs to a day; the future is as old as today."""
    days = (business_date - belongs_to).days
    for latest, age in zip((1, 7, 30, 90), AGES, strict=False):
        if days <= latest:
            return age
    return AGES[-1]
