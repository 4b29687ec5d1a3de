"""Stripe's reports as files of comma-separated values: major units, times in UTC."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, TextIO

from simulators.bank.money import major
from simulators.world.ledger import FAMILY
from simulators.world.manifest import Books
from simulators.world.rows import Transaction

Report = Literal["balance_change_from_activity.itemized.6", "payout_reconciliation.itemized.5"]

COLUMNS = (
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
    "charge_id",
    "payment_intent_id",
    "payment_metadata[order_id]",
    "trace_id",
)
_PAYOUT_FIRST = ("automatic_payout_id", "automatic_payout_effective_at_utc")


class StripeCsv:
    """Writes transactions as they come.

    The report of payouts has only what an automatic payout consists of, and its own columns first;
    the report of activity has everything.
    """

    def __init__(
        self, file: TextIO, report: Report = "balance_change_from_activity.itemized.6"
    ) -> None:
        self._of_payouts = report.startswith("payout")
        rest = [each for each in COLUMNS if each not in _PAYOUT_FIRST]
        titles = [*_PAYOUT_FIRST, *rest] if self._of_payouts else [*COLUMNS]
        self._order = [COLUMNS.index(each) for each in titles]
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(titles)

    def write(
        self, transactions: Iterable[Transaction], arrivals: Mapping[str, date] | None = None
    ) -> None:
        """Write some more; `arrivals` are the days on which automatic payouts arrive."""
        known = arrivals or {}
        for each in transactions:
            if self._of_payouts and (each.payout is None or each.category == "payout"):
                continue
            cells = _cells(each, known)
            self._rows.writerow([cells[at] for at in self._order])


def _cells(each: Transaction, arrivals: Mapping[str, date]) -> tuple[object, ...]:
    is_payout = each.category in FAMILY
    effective = each.available_on if is_payout else arrivals.get(each.payout or "")
    return (
        each.id,
        each.created.strftime("%Y-%m-%d %H:%M:%S"),
        f"{each.available_on} 00:00:00",
        each.currency.lower(),
        major(each.gross, each.currency),
        major(each.fee, each.currency),
        major(each.net, each.currency),
        each.category,
        each.source,
        each.description,
        *(
            (major(*each.presentment), each.presentment[1].lower())
            if each.presentment
            else ("", "")
        ),
        each.payout,
        f"{effective} 00:00:00" if effective else "",
        each.charge,
        each.intent,
        each.order,
        each.trace,
    )


def write_summary(file: TextIO, books: Mapping[str, Books]) -> None:
    """The balance summary: for each currency, where the balance began and ended."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("category", "description", "net_amount", "currency"))
    for currency, its in sorted(books.items()):
        opening, closing = its.opening["processor"], its.closing("processor")
        payouts = its.paid_out
        for category, description, amount in (
            ("starting_balance", "Starting balance", opening),
            ("activity", "Activity", closing - opening - payouts),
            ("payouts", "Payouts", payouts),
            ("ending_balance", "Ending balance", closing),
        ):
            rows.writerow((category, description, major(amount, currency), currency.lower()))
