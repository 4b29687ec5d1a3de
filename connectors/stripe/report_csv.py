"""Stripe's reports as comma-separated values, whether a run made them or somebody exported them.

Amounts are major units here, and minor units in Stripe's API. Columns that we need nothing of are
passed over, so that every version and choice of columns of the itemised reports can be read.
"""

from collections.abc import Iterator
from typing import BinaryIO

from connectors.csv_rows import (
    BadRow,
    CsvFile,
    FileRefused,
    Row,
    Unreadable,
    currency,
    day,
    minor,
    moment,
    no_longer_ids,
)
from connectors.movements import PAYOUT_KINDS, Balances, Movement


def read(file: BinaryIO, name: str) -> Iterator[Movement | BadRow]:
    """The balance transactions of an itemised report; `name` is what bad rows call the file.

    One that is there twice counts once; one that is there with other content is bad. Raises
    FileRefused.
    """
    rows = CsvFile(file, name)
    yield from rows.read(_Reading(rows))


class _Reading:
    """Reads rows by one file's header; remembers which transactions it has read."""

    def __init__(self, file: CsvFile) -> None:
        header = file.header
        # A column that a file lacks is read from an empty cell behind the last one.
        missing = len(header.titles)

        def place(*names: str) -> int:
            found = header.place(*names)
            return missing if found is None else found

        self._created_in = "created_utc" if header.place("created_utc") is not None else "created"
        self._places = [
            header.require("balance_transaction_id"),
            header.require("created_utc", "created"),
            header.require("currency"),
            header.require("gross"),
            header.require("fee"),
            header.require("net"),
            header.require("reporting_category"),
            place("available_on_utc", "available_on"),
            place("source_id"),
            place("description"),
            place("customer_facing_amount"),
            place("customer_facing_currency"),
            place("automatic_payout_id"),
            place("automatic_payout_effective_at_utc", "automatic_payout_effective_at"),
            place("trace_id"),
        ]
        self._references = [
            (title, at)
            for at, title in enumerate(header.titles)
            if title in ("source_id", "charge_id", "payment_intent_id")
            or (title.startswith("payment_metadata[") and title.endswith("]"))
        ]
        self._seen: dict[int, int] = {}

    def __call__(self, row: Row) -> Movement | None:
        """The transaction of a row; None where it was read before. Raises Unreadable."""
        cells = [*row, ""]
        (
            id_, created, code, gross, fee, net, kind, available, source, description, shown,
            shown_in, payout, effective, trace,
        ) = [cells[place].strip() for place in self._places]  # fmt: skip
        if not id_ or not kind:
            raise Unreadable("reporting_category" if id_ else "balance_transaction_id", "is empty")
        references = {name: cell for name, at in self._references if (cell := cells[at].strip())}
        no_longer_ids(id_, kind, payout, trace, *references.values())
        currency_ = currency(code, "currency")
        gross_minor = minor(gross, currency_, "gross")
        fee_minor = minor(fee, currency_, "fee")
        net_minor = minor(net, currency_, "net")
        if gross_minor - fee_minor != net_minor:
            raise Unreadable("net", "is not gross less fee")
        presented_in = currency(shown_in, "customer_facing_currency") if shown and shown_in else ""
        foreign = presented_in not in ("", currency_)
        paid_out = kind in PAYOUT_KINDS
        arrival = effective or available
        read = Movement(
            id_,
            kind,
            currency_,
            gross_minor,
            (("", fee_minor),) if fee_minor else (),
            moment(created, self._created_in),
            references,
            payout or (source if paid_out else "") or None,
            day(arrival, "available_on") if paid_out and arrival else None,
            trace or None,
            description or None,
            minor(shown, presented_in, "customer_facing_amount") if foreign else None,
            presented_in if foreign else None,
        )
        content = hash((created, kind, currency_, gross_minor, net_minor, source, payout))
        return read if self._is_new(id_, content) else None

    def _is_new(self, transaction: str, content: int) -> bool:
        """Whether the transaction was not read before. Raises Unreadable where it was another."""
        # Two of 64 bits for a transaction, in place of its text: a file has a million of them.
        id_ = hash(transaction)
        before = self._seen.get(id_)
        if before is None:
            self._seen[id_] = content
            return True
        if before != content:
            raise Unreadable("balance_transaction_id", "is there before, with other content")
        return False


_SUMMARY = ("starting_balance", "activity", "payouts", "ending_balance")


def read_summary(file: BinaryIO, name: str) -> dict[str, Balances]:
    """Opening and closing by currency from a balance summary. Raises FileRefused.

    It counts as a whole: a balance cannot be half known.
    """
    rows = CsvFile(file, name)
    places = [rows.header.require(title) for title in ("category", "currency", "net_amount")]
    found: dict[str, dict[str, int]] = {}
    for row in rows.rows():
        if isinstance(row, BadRow):
            raise FileRefused("bad_row", f"The row {row.reason}.", f"line {row.line}")
        number, values = row
        category, code, amount = (values[place].strip() for place in places)
        try:
            currency_ = currency(code, "currency")
            amount_minor = minor(amount, currency_, "net_amount")
        except Unreadable as error:
            text = f"The field {error.field} {error}."
            raise FileRefused("bad_row", text, f"line {number}") from None
        of_currency = found.setdefault(currency_, {})
        if category in of_currency:
            raise FileRefused("bad_row", "The category is there twice.", f"line {number}")
        of_currency[category] = amount_minor
    return {currency_: _balances(currency_, amounts) for currency_, amounts in found.items()}


def _balances(currency_: str, amounts: dict[str, int]) -> Balances:
    for category in ("starting_balance", "ending_balance"):
        if category not in amounts:
            text = f"There is no {category} of {currency_}."
            raise FileRefused("missing_balance", text)
    start, activity, payouts, end = (amounts.get(category) for category in _SUMMARY)
    assert start is not None
    assert end is not None
    if activity is not None and start + activity + (payouts or 0) != end:
        text = f"The balances of {currency_} do not add up."
        raise FileRefused("unproven", text)
    return Balances(start, end)
