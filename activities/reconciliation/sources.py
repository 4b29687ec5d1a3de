"""From what sources tell to items: one way for each source, and nothing but that."""

import hashlib
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from connectors.movements import PAYOUT_KINDS, Movement
from connectors.statements.statement import Closed, Entry, Opened, StatementRefused
from database.reconciliation.item import NewItem
from database.reconciliation.statements import RANGES

DESCRIPTOR = 1_000
"""Characters of a description that are kept: payouts are told apart by the first of them."""
_NAMES_NOTHING = re.compile(
    r"|NOT ?PROVIDED|NON-?REF|NO ?REF(ERENCE)?|NONE|NULL|N/?A|UNKNOWN|EREF|0*\d{0,3}", re.IGNORECASE
)
_EDGES = string.punctuation + string.whitespace
_QUARTER = 900
"""Seconds. No zone's days begin but at a quarter of an hour."""


def days_in(zone: ZoneInfo) -> Callable[[datetime], date]:
    """Which day a time is in a zone; quick, since a file asks it a million times."""
    known: dict[int, date] = {}

    def day(at: datetime) -> date:
        quarter = int(at.timestamp()) // _QUARTER
        found = known.get(quarter)
        if found is None:
            found = known[quarter] = at.astimezone(zone).date()
        return found

    return day


def items_of_movements(
    movements: Iterable[Movement], keys: Sequence[str], zone: ZoneInfo
) -> Iterator[NewItem]:
    """The processor's items: the gross of each balance transaction, and each of its fees.

    `keys` names, best first, what our journal may know a transaction by: see
    `Movement.references`. Where none of them is there, it is the balance transaction's own id; a
    payout, which is of no charge, is known by its own.
    """
    day = days_in(zone)
    for movement in movements:
        yield from _items_of_movement(movement, keys, day(movement.created_at))


def _items_of_movement(
    movement: Movement, keys: Sequence[str], effective_on: date
) -> Iterator[NewItem]:
    reference = _reference(movement, keys)
    if movement.gross_minor or not movement.fees:
        yield NewItem(
            "processor",
            movement.id,
            "gross",
            movement.kind,
            movement.currency,
            movement.gross_minor,
            movement.created_at,
            effective_on,
            reference,
            movement.payout,
            movement.arrival_on,
            trace_id=movement.trace_id,
            descriptor=_descriptor(movement.description),
            presentment_minor=_signed_as(movement.gross_minor, movement.presentment_minor),
            presentment_currency=movement.presentment_currency,
        )
    for type_, amount in movement.fees:
        yield NewItem(
            "processor",
            movement.id,
            f"fee:{type_}" if type_ else "fee",
            "fee",
            movement.currency,
            -amount,
            movement.created_at,
            effective_on,
            reference,
            movement.payout,
        )


def _reference(movement: Movement, keys: Sequence[str]) -> str:
    if movement.kind in PAYOUT_KINDS:
        # One that came back is a member of a later payout: that is not what it is known by.
        return movement.references.get("source_id") or movement.payout or movement.id
    for key in keys:
        if found := movement.references.get(key):
            return found
    return movement.id


def _signed_as(amount: int, presentment: int | None) -> int | None:
    """What the customer saw, in the direction of what we were credited: not all exports sign it."""
    return abs(presentment) * (-1 if amount < 0 else 1) if presentment is not None else None


def _descriptor(text: str | None) -> str | None:
    return text and text[:DESCRIPTOR]


class StatementContent:
    """What a statement says in all, by which two of one name are told apart."""

    def __init__(self) -> None:
        self._content = hashlib.sha256()

    def add(self, entry: Entry, item: NewItem) -> None:
        """Take up its next entry, and what was made of it.

        A reference counts as the bank wrote it, whatever we take it for.
        """
        reference = entry.end_to_end_id or entry.reference or entry.number
        told = (item.source_id, item.amount_minor, item.effective_on, reference)
        self._content.update(repr(told).encode())

    def closed(self, closed: Closed) -> str:
        """A hash of it, now that its balances are known."""
        balances = tuple(
            one.amount_minor if one else None for one in (closed.opening, closed.closing)
        )
        self._content.update(repr(balances).encode())
        return self._content.hexdigest()


def naming(reference: str | None) -> str | None:
    """A bank's reference, if it names one payment; whatever format it is from.

    Words that stand for none do not, nor does a count, which goes up to three digits: others have
    the same, and what has a reference in common belongs together.
    """
    if reference is None or _NAMES_NOTHING.fullmatch(reference.strip(_EDGES)):
        return None
    return reference


class StatementItems:
    """The bank's items of one statement, entry by entry.

    An entry is known by its account, its statement and, within that, by its day and the bank's own
    reference, or its number there, else its amount; the second of the same is numbered. So the same
    statement sent again gives the same ids, also with its entries in another order. OFX and CSV
    have no statements, only ranges of days that somebody chose: there the entries of two that
    overlap are the same.

    An entry happened when the day began, in `zone`, on which its statement was closed: a cut has
    all of a statement or nothing, so that its closing balance is of what the cut has. Where no
    balance closed it, the entry happened on its booking day.

    `since` is the first day that has entries, where the statement tells of days before.
    """

    def __init__(
        self,
        opened: Opened,
        zone: tzinfo = UTC,
        *,
        closed_on: date | None = None,
        since: date | None = None,
    ) -> None:
        self._of = (
            opened.account if opened.format in RANGES else f"{opened.account}/{opened.statement_id}"
        )
        self._zone = zone
        self._closed_on = closed_on
        self._since = since
        self._counted: dict[str, int] = {}

    def has(self, entry: Entry) -> bool:
        """Whether an entry is of a day that counts. Raises StatementRefused as `item` does."""
        return self._since is None or self._since <= self._booked_on(entry)

    def item(self, entry: Entry) -> NewItem:
        """The item of the next entry. Raises StatementRefused where it has no date."""
        booked_on = self._booked_on(entry)
        name = entry.reference or entry.number or f"{entry.amount_minor:+}"
        known_by = f"{booked_on:%Y%m%d}/{name}"
        number = self._counted[known_by] = self._counted.get(known_by, 0) + 1
        return NewItem(
            "bank",
            f"{self._of}/{known_by}" + (f"#{number}" if number > 1 else ""),
            "",
            entry.bank_code or "",
            entry.currency,
            entry.amount_minor,
            datetime.combine(self._closed_on or booked_on, time(), self._zone),
            entry.value_date or booked_on,
            reference=naming(entry.end_to_end_id) or naming(entry.reference),
            descriptor=_descriptor(entry.description),
        )

    def _booked_on(self, entry: Entry) -> date:
        booked_on = entry.booking_date or entry.value_date
        if booked_on is None:
            raise StatementRefused("bad_date", "An entry has no date.", self._of)
        return booked_on
