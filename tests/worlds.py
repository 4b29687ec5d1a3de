"""A simulated world of payments as items, the way that every source hands them over."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from database.reconciliation.item import NewItem
from simulators.bank.statement import Entry
from simulators.world.generate import World
from simulators.world.ledger import FAMILY
from simulators.world.rows import Day, Line, Transaction
from simulators.world.shape import KnownBy

_UTC = ZoneInfo("UTC")


def items(world: World, zone: ZoneInfo = _UTC) -> Iterator[NewItem]:
    """Every item of all three books, day by day; what comes twice is there twice."""
    again, key = frozenset(world.plan.again), world.shape.known_by
    for day in world.days():
        yield from items_of(day, zone, again, key)


def items_of(
    day: Day,
    zone: ZoneInfo = _UTC,
    again: frozenset[str] = frozenset(),
    key: KnownBy = "source_id",
) -> Iterator[NewItem]:
    """The items of one day; `key` is what the journal knows a transaction by."""
    for transaction in day.transactions:
        yield from transaction_items(transaction, zone, key)
        if transaction.id in again:
            yield from transaction_items(transaction, zone, key, by_report=True)
    for line in day.lines:
        yield line_item(line, zone)
    for statement in day.statements:
        for entry in statement.entries:
            yield entry_item(entry)


def transaction_items(
    transaction: Transaction,
    zone: ZoneInfo = _UTC,
    key: KnownBy = "source_id",
    *,
    by_report: bool = False,
) -> Iterator[NewItem]:
    """A transaction's gross and fees; a report knows only the total of the fees."""
    is_payout = transaction.category in FAMILY
    presented, presented_in = transaction.presentment or (None, None)
    reference = transaction.source if is_payout else _named(transaction, key)

    def item(component: str, kind: str, amount: int) -> NewItem:
        return NewItem(
            book="processor",
            source_id=transaction.id,
            component=component,
            kind=kind,
            currency=transaction.currency,
            amount_minor=amount,
            occurred_at=transaction.created,
            effective_on=transaction.created.astimezone(zone).date(),
            reference=reference or transaction.id,
            payout=transaction.payout or (transaction.source if is_payout else None),
            arrival_on=transaction.available_on if is_payout else None,
            trace_id=transaction.trace,
            descriptor=transaction.description if component == "gross" else None,
            presentment_minor=presented if component == "gross" else None,
            presentment_currency=presented_in if component == "gross" else None,
        )

    yield item("gross", transaction.category, transaction.gross)
    if by_report:
        if transaction.fees:
            yield item("fee", "fee", -transaction.fee)
    else:
        for type_, amount in transaction.fees:
            yield item(f"fee:{type_}", "fee", -amount)


def _named(transaction: Transaction, key: KnownBy) -> str | None:
    return {
        "source_id": transaction.source,
        "charge_id": transaction.charge,
        "payment_intent_id": transaction.intent,
        "payment_metadata[order_id]": transaction.order,
    }[key]


def line_item(line: Line, zone: ZoneInfo = _UTC) -> NewItem:
    """A line of the journal."""
    presented, presented_in = line.presentment or (None, None)
    return NewItem(
        book=line.account,
        source_id=f"{line.entry}/{line.line}",
        component="",
        kind=line.kind,
        currency=line.currency,
        amount_minor=line.amount,
        occurred_at=line.booked_at,
        effective_on=line.booked_at.astimezone(zone).date(),
        reference=line.reference,
        payout=line.payout,
        arrival_on=line.arrival_on,
        descriptor=line.description,
        presentment_minor=presented,
        presentment_currency=presented_in,
    )


def entry_item(entry: Entry) -> NewItem:
    """An entry of the bank; the day that it was booked is all that is known of its time."""
    return NewItem(
        book="bank",
        source_id=entry.reference,
        component="",
        kind="PMNT-ICDT-ESCT" if entry.amount < 0 else "PMNT-RCDT-ESCT",
        currency=entry.currency,
        amount_minor=entry.amount,
        occurred_at=datetime.combine(entry.booked_on, time(), UTC),
        effective_on=entry.booked_on,
        reference=entry.known_by,
        descriptor=entry.description,
    )
