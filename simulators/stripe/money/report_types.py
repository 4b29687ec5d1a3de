"""The report types: their columns, and how each is read from the tables.

Amounts are in major units here and in minor units everywhere else, as at Stripe. A million rows are
to be written in seconds, so SQL makes the cells.
"""

import csv
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TextIO, TypeAlias
from zoneinfo import ZoneInfo

from simulators.stripe.money.fees import NO_DECIMALS, THREE_DECIMALS
from simulators.stripe.money.transactions import TABLE

# ruff: noqa: S608 - names of tables and the expressions are ours, values are bound

METADATA = "payment_metadata["
Value: TypeAlias = str | int | None
Rows: TypeAlias = Iterable[Sequence[Value]]
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
PAYOUT_COLUMNS = (
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
class ReportType:
    """One type; `others` are columns that are there when they are asked for."""

    name: str
    default_columns: tuple[str, ...]
    rows: Callable[[sqlite3.Connection, Request], Rows]
    others: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        """Whether a run of this type can be asked for the column."""
        if column.startswith(METADATA) and column.endswith("]"):
            return bool(self.others)
        return column in self.default_columns or column in self.others


def write(
    connection: sqlite3.Connection, report_type: ReportType, request: Request, out: TextIO
) -> None:
    """Write the CSV of a run. The connection may be one that only reads."""
    connection.create_function("local", 1, lambda at: at and _moment(at, request.zone))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(request.columns)
    writer.writerows(report_type.rows(connection, request))


def _activity(connection: sqlite3.Connection, request: Request) -> Rows:
    """All movements but payouts, by the time at which they were made."""
    return _itemized(connection, request, f"{MADE} AND t.category NOT IN {OF_PAYOUTS}")


def _payouts(connection: sqlite3.Connection, request: Request) -> Rows:
    """Payouts and what came back of them, by the time at which they moved the balance."""
    return _itemized(connection, request, f"{MADE} AND t.category IN {OF_PAYOUTS}")


def _members(connection: sqlite3.Connection, request: Request) -> Rows:
    """What automatic payouts paid out, by the day on which they arrive."""
    condition = """t.source IS NOT t.payout AND t.payout IN (
        SELECT id FROM payout WHERE arrival >= :start AND arrival < :end AND known = 'completed')"""
    return _itemized(connection, request, condition)


def _itemized(connection: sqlite3.Connection, request: Request, condition: str) -> Rows:
    connection.execute(PAYOUTS_AT_HAND)
    values: dict[str, Value] = {
        "start": request.start,
        "end": request.end,
        "currency": request.currency,
        "category": request.category,
    }
    cells = []
    for number, column in enumerate(request.columns):
        if column.startswith(METADATA):
            values[f"key{number}"] = column.removeprefix(METADATA)[:-1]
            cells.append(
                f"(SELECT value FROM json_each(t.payment, '$.metadata') WHERE key = :key{number})"
            )
        else:
            cells.append(CELLS[column])
    return connection.execute(
        f"SELECT {', '.join(cells)} FROM {TABLE} AS t"
        " LEFT JOIN payout AS p ON p.id = coalesce(t.payout, t.source)"
        f" WHERE t.deleted = 0 AND {condition} AND t.currency = coalesce(:currency, t.currency)"
        " AND t.category = coalesce(:category, t.category) ORDER BY t.created, t.sequence",
        values,
    )


def _summary(connection: sqlite3.Connection, request: Request) -> Rows:
    """What was there at the start, what moved it, and what was there at the end."""
    sums = connection.execute(
        f"""
        SELECT currency,
               sum(net) FILTER (WHERE created < :start),
               sum(gross) FILTER (WHERE created >= :start AND NOT of_payout),
               sum(fee) FILTER (WHERE created >= :start AND NOT of_payout),
               sum(gross) FILTER (WHERE created >= :start AND of_payout),
               sum(fee) FILTER (WHERE created >= :start AND of_payout)
        FROM (SELECT *, category IN {OF_PAYOUTS} AS of_payout FROM {TABLE})
        WHERE created < :end AND currency = coalesce(:currency, currency)
        GROUP BY currency ORDER BY currency
        """,
        {"start": request.start, "end": request.end, "currency": request.currency},
    ).fetchall()
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
            major = f"SELECT {_major(':amount', ':currency')}"
            [net_amount] = connection.execute(
                major, {"amount": amount, "currency": currency}
            ).fetchone()
            line = (category, description, net_amount, currency)
            yield [line[SUMMARY.index(column)] for column in request.columns]


def _moment(seconds: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def _major(amount: str, currency: str) -> str:
    """SQL for minor units as major units: 1050 is "10.50" in euros and "1050" in yen."""

    def with_places(places: int) -> str:
        unit = 10**places
        return (
            f"iif({amount} < 0, '-', '') || (abs({amount}) / {unit})"
            f" || '.' || substr('00' || (abs({amount}) % {unit}), -{places})"
        )

    none, three = (
        ", ".join(f"'{each}'" for each in sorted(some)) for some in (NO_DECIMALS, THREE_DECIMALS)
    )
    return (
        f"CASE WHEN {currency} IN ({none}) THEN CAST({amount} AS TEXT)"
        f" WHEN {currency} IN ({three}) THEN {with_places(3)} ELSE {with_places(2)} END"
    )


def _utc(at: str) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%S', {at}, 'unixepoch')"


def _of_payment(name: str) -> str:
    return f"json_extract(t.payment, '$.{name}')"


MADE = "t.created >= :start AND t.created < :end"
OF_PAYOUTS = "('payout', 'payout_reversal')"
PAYOUTS_AT_HAND = """
CREATE TEMP TABLE payout AS
SELECT id, arrival, status,
       json_extract(document, '$.destination') AS destination,
       json_extract(document, '$.reconciliation_status') AS known,
       json_extract(document, '$.trace_id.status') AS trace_status,
       json_extract(document, '$.trace_id.value') AS trace,
       json_extract(document, '$.type') AS type
FROM stripe_payouts
"""
EFFECTIVE = "iif(t.payout IS NULL, NULL, p.arrival)"
CELLS = {
    "automatic_payout_effective_at": f"local({EFFECTIVE})",
    "automatic_payout_effective_at_utc": _utc(EFFECTIVE),
    "automatic_payout_id": "t.payout",
    "available_on": "local(t.available_on)",
    "available_on_utc": _utc("t.available_on"),
    "balance_transaction_id": "t.id",
    "charge_id": _of_payment("charge_id"),
    "created": "local(t.created)",
    "created_utc": _utc("t.created"),
    "currency": "t.currency",
    "customer_facing_amount": _major(
        _of_payment("customer_facing_amount"), _of_payment("customer_facing_currency")
    ),
    "customer_facing_currency": _of_payment("customer_facing_currency"),
    "customer_id": _of_payment("customer_id"),
    "description": "json_extract(t.document, '$.description')",
    "effective_at": "local(t.created)",
    "effective_at_utc": _utc("t.created"),
    "fee": _major("t.fee", "t.currency"),
    "gross": _major("t.gross", "t.currency"),
    "net": _major("t.net", "t.currency"),
    "payment_intent_id": _of_payment("payment_intent_id"),
    "payout_destination_id": "p.destination",
    "payout_expected_arrival_date": "strftime('%Y-%m-%d', p.arrival, 'unixepoch')",
    "payout_id": "p.id",
    "payout_status": "p.status",
    "payout_type": "p.type",
    "reporting_category": "t.category",
    "source_id": "t.source",
    "trace_id": "p.trace",
    "trace_id_status": "p.trace_status",
}
"""What each column is in SQL, of the transaction `t` and the payout `p` that it is in or is."""
REPORT_TYPES = {
    "balance.summary.1": ReportType("Balance summary", SUMMARY, _summary),
    "balance_change_from_activity.itemized.6": ReportType(
        "Itemized balance change from activity", ITEMIZED, _activity, LOCAL
    ),
    "payout_reconciliation.itemized.5": ReportType(
        "Itemized payout reconciliation", ITEMIZED, _members, LOCAL
    ),
    "payouts.itemized.3": ReportType(
        "Itemized payouts", PAYOUT_COLUMNS, _payouts, ("effective_at",)
    ),
}
