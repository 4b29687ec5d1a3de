"""The report types: their columns and how a row of each is made.

Amounts are in major units here and in minor units everywhere else, as at Stripe.
"""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TextIO, TypeAlias
from zoneinfo import ZoneInfo

from simulators.stripe.collection import Document
from simulators.stripe.money.fees import decimals
from simulators.stripe.money.transactions import TABLE

# ruff: noqa: S608 - the name of the table is ours, values are bound

PAYOUT_CATEGORIES = ("payout", "payout_reversal")
METADATA = "payment_metadata["
Value: TypeAlias = str | int | None
SUMMARY = ("category", "description", "net_amount", "currency")
ITEMIZED = (
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "customer_id",
    "charge_id",
    "payment_intent_id",
)
LOCAL = ("created", "available_on", "automatic_payout_effective_at")
PAYOUTS = (
    "payout_id",
    "effective_at_utc",
    "balance_transaction_id",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "description",
    "payout_expected_arrival_date",
    "payout_status",
    "payout_type",
    "payout_destination_id",
    "trace_id",
    "trace_id_status",
)


@dataclass(frozen=True)
class Request:
    """What a run is to tell: transactions in [start, end), in seconds since 1970."""

    start: int
    end: int
    columns: Sequence[str]
    zone: tzinfo = UTC
    currency: str | None = None
    category: str | None = None

    @classmethod
    def of(cls, report_type: "ReportType", parameters: Mapping[str, Any]) -> "Request":
        """The parameters of a run as Stripe shows them."""
        return cls(
            start=parameters["interval_start"],
            end=parameters["interval_end"],
            columns=parameters.get("columns") or report_type.default_columns,
            zone=ZoneInfo(parameters.get("timezone", "Etc/UTC")),
            currency=parameters.get("currency"),
            category=parameters.get("reporting_category"),
        )


@dataclass(frozen=True)
class Row:
    """A balance transaction with what stands beside it."""

    transaction: Document
    payout: Document | None
    payment: Document
    zone: tzinfo


@dataclass(frozen=True)
class ReportType:
    """One type; `others` are columns that are there when they are asked for."""

    name: str
    default_columns: tuple[str, ...]
    rows: Callable[[sqlite3.Connection, Request], Iterator[Sequence[Value]]]
    others: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        """Whether a run of this type can be asked for the column."""
        if column.startswith(METADATA) and column.endswith("]"):
            return bool(self.others)
        return column in self.default_columns or column in self.others


def write(
    connection: sqlite3.Connection, report_type: ReportType, request: Request, out: TextIO
) -> None:
    """Write the CSV of a run."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(request.columns)
    writer.writerows(report_type.rows(connection, request))


def _activity(connection: sqlite3.Connection, request: Request) -> Iterator[Sequence[Value]]:
    """All movements but payouts, by the time at which they were made."""
    condition = "created >= ? AND created < ? AND category NOT IN (?, ?)"
    return _itemized(
        connection, request, condition, (request.start, request.end, *PAYOUT_CATEGORIES)
    )


def _payouts(connection: sqlite3.Connection, request: Request) -> Iterator[Sequence[Value]]:
    """Payouts and what came back of them, by the time at which they moved the balance."""
    condition = "created >= ? AND created < ? AND category IN (?, ?)"
    return _itemized(
        connection, request, condition, (request.start, request.end, *PAYOUT_CATEGORIES)
    )


def _members(connection: sqlite3.Connection, request: Request) -> Iterator[Sequence[Value]]:
    """What automatic payouts paid out, by the day on which they arrive."""
    condition = """source <> payout AND payout IN (
        SELECT id FROM stripe_payouts WHERE arrival >= ? AND arrival < ?
        AND json_extract(document, '$.reconciliation_status') = 'completed')"""
    return _itemized(connection, request, condition, (request.start, request.end))


def _itemized(
    connection: sqlite3.Connection,
    request: Request,
    condition: str,
    values: tuple[Value, ...],
) -> Iterator[Sequence[Value]]:
    payouts = {
        payout_id: json.loads(document)
        for payout_id, document in connection.execute("SELECT id, document FROM stripe_payouts")
    }
    getters = [_getter(column) for column in request.columns]
    found = connection.execute(
        f"SELECT document, payout, payment FROM {TABLE} WHERE deleted = 0 AND {condition}"
        " AND currency = coalesce(?, currency) AND category = coalesce(?, category)"
        " ORDER BY created, sequence",
        (*values, request.currency, request.category),
    )
    for document, payout, payment in found:
        transaction = json.loads(document)
        row = Row(
            transaction,
            payouts.get(payout or transaction["source"]),
            json.loads(payment) if payment else {},
            request.zone,
        )
        yield [get(row) for get in getters]


def _summary(connection: sqlite3.Connection, request: Request) -> Iterator[Sequence[Value]]:
    """What was there at the start, what moved it, and what was there at the end."""
    sums = connection.execute(
        f"""
        SELECT currency,
               sum(net) FILTER (WHERE created < :start),
               sum(gross) FILTER (WHERE created >= :start AND NOT of_payout),
               sum(fee) FILTER (WHERE created >= :start AND NOT of_payout),
               sum(gross) FILTER (WHERE created >= :start AND of_payout),
               sum(fee) FILTER (WHERE created >= :start AND of_payout)
        FROM (SELECT *, category IN ('payout', 'payout_reversal') AS of_payout FROM {TABLE})
        WHERE created < :end AND currency = coalesce(:currency, currency)
        GROUP BY currency ORDER BY currency
        """,
        {"start": request.start, "end": request.end, "currency": request.currency},
    )
    begin, end = (_moment(each, request.zone)[:10] for each in (request.start, request.end))
    for currency, *amounts in sums:
        before, gross, fee, paid, paid_fee = (amount or 0 for amount in amounts)
        lines = {
            "starting_balance": (f"Starting balance ({begin})", before),
            "activity_gross": ("Balance change from activity, gross", gross),
            "activity_fee": ("Balance change from activity, fees", -fee),
            "activity": ("Balance change from activity", gross - fee),
            "payouts_gross": ("Total payouts, gross", paid),
            "payouts_fee": ("Total payouts, fees", -paid_fee),
            "payouts": ("Total payouts", paid - paid_fee),
            "ending_balance": (
                f"Ending balance ({end})",
                before + gross - fee + paid - paid_fee,
            ),
        }
        for category, (description, amount) in lines.items():
            line = (category, description, major(amount, currency), currency)
            yield [line[SUMMARY.index(column)] for column in request.columns]


def major(amount: int, currency: str) -> str:
    """Minor units as major units: 1050 is "10.50" in euros and "1050" in yen."""
    places = decimals(currency)
    if places == 0:
        return str(amount)
    whole, part = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{whole}.{part:0{places}d}"


def _moment(seconds: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def _getter(column: str) -> Callable[[Row], Value]:
    """How a column is read."""
    if column.startswith(METADATA):
        key = column.removeprefix(METADATA)[:-1]
        return lambda row: row.payment.get("metadata", {}).get(key)
    return GETTERS[column]


def _amount(name: str) -> Callable[[Row], Value]:
    return lambda row: major(row.transaction[name], row.transaction["currency"])


def _plain(name: str) -> Callable[[Row], Value]:
    return lambda row: row.transaction[name]


def _of_payment(name: str) -> Callable[[Row], Value]:
    return lambda row: row.payment.get(name)


def _of_payout(name: str) -> Callable[[Row], Value]:
    return lambda row: row.payout[name] if row.payout else None


def _at(name: str, *, local: bool = False) -> Callable[[Row], Value]:
    return lambda row: _moment(row.transaction[name], row.zone if local else UTC)


def _automatic_payout(row: Row) -> str | None:
    return row.payout["id"] if row.payout and row.payout["automatic"] else None


def _effective(*, local: bool = False) -> Callable[[Row], Value]:
    def get(row: Row) -> Value:
        if _automatic_payout(row) is None or row.payout is None:
            return None
        return _moment(row.payout["arrival_date"], row.zone if local else UTC)

    return get


def _customer_facing_amount(row: Row) -> Value:
    currency = row.payment.get("customer_facing_currency")
    return major(row.payment["customer_facing_amount"], currency) if currency else None


def _arrival_date(row: Row) -> Value:
    return _moment(row.payout["arrival_date"], UTC)[:10] if row.payout else None


def _trace(name: str) -> Callable[[Row], Value]:
    return lambda row: row.payout["trace_id"][name] if row.payout else None


GETTERS: dict[str, Callable[[Row], Value]] = {
    "automatic_payout_effective_at": _effective(local=True),
    "automatic_payout_effective_at_utc": _effective(),
    "automatic_payout_id": _automatic_payout,
    "available_on": _at("available_on", local=True),
    "available_on_utc": _at("available_on"),
    "balance_transaction_id": _plain("id"),
    "charge_id": _of_payment("charge_id"),
    "created": _at("created", local=True),
    "created_utc": _at("created"),
    "currency": _plain("currency"),
    "customer_facing_amount": _customer_facing_amount,
    "customer_facing_currency": _of_payment("customer_facing_currency"),
    "customer_id": _of_payment("customer_id"),
    "description": _plain("description"),
    "effective_at": _at("created", local=True),
    "effective_at_utc": _at("created"),
    "fee": _amount("fee"),
    "gross": _amount("amount"),
    "net": _amount("net"),
    "payment_intent_id": _of_payment("payment_intent_id"),
    "payout_destination_id": _of_payout("destination"),
    "payout_expected_arrival_date": _arrival_date,
    "payout_id": _of_payout("id"),
    "payout_status": _of_payout("status"),
    "payout_type": _of_payout("type"),
    "reporting_category": _plain("reporting_category"),
    "source_id": _plain("source"),
    "trace_id": _trace("value"),
    "trace_id_status": _trace("status"),
}
REPORT_TYPES = {
    "balance.summary.1": ReportType("Balance summary", SUMMARY, _summary),
    "balance_change_from_activity.itemized.6": ReportType(
        "Itemized balance change from activity", ITEMIZED, _activity, LOCAL
    ),
    "payout_reconciliation.itemized.5": ReportType(
        "Itemized payout reconciliation", ITEMIZED, _members, LOCAL
    ),
    "payouts.itemized.3": ReportType("Itemized payouts", PAYOUTS, _payouts, ("effective_at",)),
}
