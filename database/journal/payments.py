"""Payments that our services tell: each is kept as it was told, and booked once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.book import post
from database.journal.entry import Code, NewEntry, NewLine
from database.reconciliation.accounts import Account
from workflows.reconciliation.payments import NewPayment

_KEEP = text("""
    INSERT INTO payments (id, account, entry_key, kind, reference, object_id, amount_minor,
                          currency, fee_minor, settled_minor, settled_currency, captured_at,
                          told_by)
    VALUES (:id, :account, :entry_key, :kind, :reference, :object_id, :amount_minor, :currency,
            :fee_minor, :settled_minor, :settled_currency, :captured_at, :told_by)
    ON CONFLICT (id) DO NOTHING
""")
_PAYMENTS = """
    SELECT payment.*, account.name AS account_name, entry.effective_on,
           to_char(entry.period, 'YYYY-MM') AS period
    FROM payments payment JOIN reconciliation_accounts account ON account.id = payment.account
    JOIN journal_entries entry ON entry.request_key = payment.entry_key
    WHERE (CAST(:tenant AS text) IS NULL OR account.tenant = :tenant)
"""
_ONE = text(f"{_PAYMENTS} AND payment.id = :id")
_MANY = text(f"""{_PAYMENTS}
    AND (CAST(:account AS text) IS NULL OR account.name = :account)
    AND (CAST(:reference AS text) IS NULL OR payment.reference = :reference)
    AND (CAST(:at AS timestamptz) IS NULL OR (payment.booked_at, payment.id) < (:at, :id))
    ORDER BY payment.booked_at DESC, payment.id DESC LIMIT :limit
""")

_COUNTER: dict[str, Code] = {"other_adjustment": "suspense", "risk_reserved_funds": "reserve"}
"""Where the other side of a movement is, if it is not what customers owe."""


class BeforeOpening(ValueError):
    """What happened before an account was opened is in what it began with."""


@dataclass(frozen=True)
class Told:
    """A payment by its id, and who told it."""

    id: str
    payment: NewPayment
    told_by: str

    @property
    def entry_key(self) -> str:
        """The request key of its entry."""
        return f"payment/{self.id}"


async def book(connection: AsyncConnection, account: Account, told: Sequence[Told]) -> int:
    """Keep payments and book them, each once by its id; how many were new.

    Raises BeforeOpening, and NotBooked where an id stands for something else.
    """
    for one in told:
        if one.payment.captured_at.astimezone(account.zone).date() < account.opened_on:
            raise BeforeOpening(f"{account.name} was opened on {account.opened_on}")
    entries = [
        NewEntry(one.entry_key, "payment", one.payment.captured_at, tuple(lines_of(one.payment)))
        for one in told
    ]
    posted = await post(connection, account.id, entries)
    await connection.execute(_KEEP, [_row(account.id, one) for one in told])
    return posted.new


async def one(connection: AsyncConnection, id_: str, *, tenant: str | None) -> RowMapping | None:
    """A payment."""
    asked = {"id": id_, "tenant": tenant}
    return (await connection.execute(_ONE, asked)).mappings().first()


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    account: str | None,
    reference: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Payments, those booked last first."""
    at, id_ = after or (None, None)
    asked = {
        "tenant": tenant,
        "account": account,
        "reference": reference,
        "at": at,
        "id": id_,
        "limit": limit,
    }
    return (await connection.execute(_MANY, asked)).mappings().all()


def lines_of(payment: NewPayment) -> Iterator[NewLine]:
    """How a payment is booked: what the processor holds, and where it is from."""

    def line(code: Code, currency: str, amount: int, kind: str = "") -> NewLine:
        return NewLine(
            code,
            currency,
            amount,
            kind or _kind(payment),
            payment.reference,
            payment.object_id,
            presentment_minor=payment.amount_minor if shown and code == "clearing" else None,
            presentment_currency=payment.currency if shown and code == "clearing" else None,
        )

    amount, currency = payment.amount_minor, payment.currency
    settled = payment.settlement
    shown = settled is not None
    counter = "unsettled" if payment.kind == "conversion" else _COUNTER.get(payment.kind)
    source = line(counter or "receivables", currency, -amount)
    if settled is None:
        yield line("clearing", currency, amount)
        yield source
    elif settled.amount_minor is None:
        yield line("unsettled", currency, amount)
        yield source
    else:
        yield line("clearing", settled.currency, settled.amount_minor)
        yield line("fx", settled.currency, -settled.amount_minor)
        yield line("fx", currency, amount)
        yield source
        currency = settled.currency
    if payment.fee_minor:
        shown = False
        yield line("clearing", currency, -payment.fee_minor, "fee")
        yield line("fees", currency, payment.fee_minor, "fee")


def _kind(payment: NewPayment) -> str:
    """The kind of its lines: a conversion is the sale or the refund that it settles."""
    if payment.kind != "conversion":
        return payment.kind
    return "charge" if payment.amount_minor > 0 else "refund"


def _row(account: int, told: Told) -> dict[str, object]:
    payment = told.payment
    settled = payment.settlement
    return {
        "id": told.id,
        "account": account,
        "entry_key": told.entry_key,
        "kind": payment.kind,
        "reference": payment.reference,
        "object_id": payment.object_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "fee_minor": payment.fee_minor,
        "settled_minor": settled.amount_minor if settled else None,
        "settled_currency": settled.currency if settled else None,
        "captured_at": payment.captured_at,
        "told_by": told.told_by,
    }
