"""The well-kept journal's view: what our lines say of a transaction, of a bank's entry."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from simulators.bank.statement import Entry
from simulators.world.rows import LedgerAccount, Line, Payout, Transaction

FAMILY = ("payout", "payout_reversal")
"""Categories that move money between Stripe and the bank."""
_BOOKED = time(17, tzinfo=UTC)


def posting(transaction: Transaction) -> list[Line]:
    """The entry of a transaction: its gross, its fees in one line, a payout's other side."""
    entry = f"je_{transaction.id[4:]}"
    if transaction.category in FAMILY:
        return payout_posting(transaction, entry)
    lines = [gross_line(transaction, entry)]
    if transaction.fees:
        lines.append(fee_line(transaction, entry, 2, transaction.fee))
    return lines


def gross_line(
    transaction: Transaction, entry: str, amount: int | None = None, currency: str | None = None
) -> Line:
    """The line of what was paid, or of another amount and currency."""
    return Line(
        entry,
        1,
        transaction.created,
        "clearing",
        transaction.category,
        currency or transaction.currency,
        transaction.gross if amount is None else amount,
        transaction.source or transaction.id,
        transaction.description,
        None,
        None,
        transaction.presentment,
    )


def fee_line(transaction: Transaction, entry: str, line: int, fee: int) -> Line:
    """The line of a transaction's fees."""
    return Line(
        entry,
        line,
        transaction.created,
        "clearing",
        "fee",
        transaction.currency,
        -fee,
        transaction.source or transaction.id,
        "Stripe's fee",
    )


def captures_posting(transactions: Sequence[Transaction]) -> list[Line]:
    """The entry of a charge captured in parts: booked once, when all of it is there."""
    last = transactions[-1]
    entry = f"je_{last.id[4:]}"
    return [
        gross_line(last, entry, sum(part.gross for part in transactions)),
        fee_line(last, entry, 2, sum(part.fee for part in transactions)),
    ]


def payout_posting(transaction: Transaction, entry: str) -> list[Line]:
    """From clearing to in transit; a payout that was taken back, the other way."""
    sides: tuple[tuple[LedgerAccount, int], ...] = (
        ("clearing", transaction.gross),
        ("in_transit", -transaction.gross),
    )
    return [
        Line(
            entry,
            number,
            transaction.created,
            account,
            transaction.category,
            transaction.currency,
            amount,
            transaction.source,
            transaction.description,
            transaction.source,
            transaction.available_on,
        )
        for number, (account, amount) in enumerate(sides, start=1)
    ]


def settlement_posting(entry: Entry, payouts: Sequence[Payout]) -> list[Line]:
    """From in transit to cash: one line of cash for what the bank booked."""
    id_, at = f"je_{entry.reference}", booked_at(entry)
    only = payouts[0].id if len(payouts) == 1 else None
    lines = [
        Line(
            id_, 1, at, "cash", "settlement", entry.currency, entry.amount,
            entry.known_by, entry.description, only, entry.booked_on,
        )
    ]  # fmt: skip
    total = sum(payout.amount for payout in payouts)
    whole = len(payouts) > 1 and total == entry.amount
    parts = [(each.id, each.amount) for each in payouts] if whole else [(only, entry.amount)]
    for number, (payout, amount) in enumerate(parts, start=2):
        lines.append(
            Line(
                id_, number, at, "in_transit", "settlement", entry.currency, -amount,
                payout, entry.description, payout, entry.booked_on,
            )
        )  # fmt: skip
    return lines


def other_posting(entry: Entry) -> Line:
    """The line of cash for what has nothing to do with payments."""
    return Line(
        f"je_{entry.reference}",
        1,
        booked_at(entry),
        "cash",
        "other",
        entry.currency,
        entry.amount,
        entry.known_by,
        entry.description,
    )


def booked_at(entry: Entry) -> datetime:
    """When the journal books an entry of the bank."""
    return datetime.combine(entry.booked_on, _BOOKED)
