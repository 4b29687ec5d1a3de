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
    Header,
    Row,
    Unreadable,
    currency,
    day,
    minor,
    moment,
    no_longer_ids,
)
from connectors.movements import PAYOUT_KINDS, Balances, Movement

_REQUIRED = (
    ("balance_transaction_id",),
    ("created_utc", "created"),
    ("currency",),
    ("gross",),
    ("fee",),
    ("net",),
    ("reporting_category",),
)
_COLUMNS = (
    *_REQUIRED,
    ("available_on_utc", "available_on"),
    ("source_id",),
    ("description",),
    ("customer_facing_amount",),
    ("customer_facing_currency",),
    ("automatic_payout_id",),
    ("automatic_payout_effective_at_utc", "automatic_payout_effective_at"),
    ("trace_id",),
)
"""By the names that they may have, the best first."""


def read(file: BinaryIO, name: str) -> Iterator[Movement | BadRow]:
    """The balance transactions of an itemised report; `name` is what bad rows call the file.

    One that is there twice counts once; one that is there with other content is bad. Raises
    FileRefused.
    """
    rows = CsvFile(file, name)
    yield from rows.read(ReportForm(rows.header))


class ReportForm:
    """What the rows under a header mean.

    place        where each column is; what a file lacks is in an empty cell behind the last one
    references   where is what else knows a transaction: see `Movement.references`
    """

    contradiction = Unreadable("balance_transaction_id", "is there before, with other content")

    def __init__(self, header: Header) -> None:
        for names in _REQUIRED:
            header.require(*names)
        self.place = {names[0]: header.place_or_behind(*names) for names in _COLUMNS}
        self.references = {
            title: at
            for at, title in enumerate(header.titles)
            if title in ("source_id", "charge_id", "payment_intent_id")
            or (title.startswith("payment_metadata[") and title.endswith("]"))
        }
        self._created_in = "created_utc" if header.place("created_utc") is not None else "created"
        self._places = tuple(self.place.values())

    def meaning(self, row: Row) -> Movement:
        """The transaction of a row. Raises Unreadable."""
        cells = [*row, ""]
        (
            id_, created, code, gross, fee, net, kind, available, source, description, shown,
            shown_in, payout, effective, trace,
        ) = [cells[place].strip() for place in self._places]  # fmt: skip
        if not id_ or not kind:
            raise Unreadable("reporting_category" if id_ else "balance_transaction_id", "is empty")
        references = {
            name: cell for name, at in self.references.items() if (cell := cells[at].strip())
        }
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
        return Movement(
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

    def known_by(self, movement: Movement) -> tuple[str, tuple[object, ...]]:
        """Its id; and not all that it says, since the versions of reports say more or less."""
        of = movement
        source = of.references.get("source_id")
        content = (of.created_at, of.kind, of.currency, of.gross_minor, of.net_minor, source)
        return of.id, (*content, of.payout)


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
