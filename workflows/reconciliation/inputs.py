"""What a run rests on beside the items: until when, which statements, which balances were told."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import Currency, Hash, Missing, ProvenUntil
from workflows.request_key import Message


class Told(Message):
    """A balance that an independent source told for the business date.

    A source tells all currencies of its book that it has: another one is zero there.
    `source` says who told: the report, the statement, the sealed journal.
    """

    book: Book
    currency: Currency
    kind: Literal["opening", "closing"]
    amount_minor: int
    source: str


class BankDays(Message):
    """By which calendar the banks of a currency work; of several, days of which all work count."""

    currency: Currency
    calendars: tuple[str, ...]


class Inputs(Message):
    """What the cut of a run is made by.

    scope         the books that the account has
    *_before      movements of these books before this moment are in the cut; the processor's is a
                  boundary in UTC, the bank's and ours are the end of the day in the time zone
    statements    the bank's statements up to the day, as it names them
    proven        up to which day statements prove each bank account
    missing       what those who gathered found missing, or not to hold
    terms         the version of the rules
    calendars     hash of the banks' calendars; `grace` of what may be late by how much
    bank_days     which of them the account's banks work by, and
    posts         what the account books from evidence; None in cuts from before they were fixed
    journal_seal  under which seal our journal was read; None where it came by files
    """

    scope: tuple[Book, ...]
    processor_before: AwareDatetime
    bank_before: AwareDatetime
    journal_before: AwareDatetime
    statements: tuple[str, ...] = ()
    proven: Annotated[tuple[ProvenUntil, ...], Field(exclude_if=lambda those: not those)] = ()
    missing: tuple[Missing, ...] = ()
    terms: str
    calendars: Hash
    grace: Hash
    bank_days: Annotated[
        tuple[BankDays, ...] | None, Field(exclude_if=lambda those: those is None)
    ] = None
    posts: Annotated[tuple[str, ...] | None, Field(exclude_if=lambda those: those is None)] = None
    journal_seal: int | None = None

    def before(self) -> tuple[datetime, datetime, datetime]:
        """Until when the processor, the bank and our journal are in the cut."""
        return self.processor_before, self.bank_before, self.journal_before
