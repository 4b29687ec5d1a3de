"""The table of balance transactions, and the sums over it.

Beside each transaction stands the automatic payout that paid it out (the payout's own row too:
together they sum to zero), so that the balance is the sum over rows without one. What is searched
or summed is in columns of its own: a million documents would take long to read.
"""

# ruff: noqa: S608 - names of the table and its columns are ours, values are bound

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter

from simulators.storage import Storage, Value
from simulators.stripe.collection import Collection, Document, encode

TABLE = "stripe_balance_transactions"
COLUMNS = {
    "available_on": "available_on",
    "category": "reporting_category",
    "currency": "currency",
    "fee": "fee",
    "gross": "amount",
    "net": "net",
    "source": "source",
    "status": "status",
    "type": "type",
}
"""Columns with the fields that they repeat."""
_columns = itemgetter(*COLUMNS.values())
INDEXES = {
    "created": "(created, sequence) WHERE deleted = 0",
    "currency": "(currency, created, sequence) WHERE deleted = 0",
    "source": "(source, created, sequence) WHERE deleted = 0",
    "type": "(type, created, sequence) WHERE deleted = 0",
    "payout": "(payout, created, sequence) WHERE payout IS NOT NULL",
    "in_balance": "(currency, status, net) WHERE payout IS NULL",
    "pending": "(available_on) WHERE status = 'pending'",
}


class BalanceTransactions(Collection):
    """All movements of the account's balance."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, TABLE, {}, beside=("payout", "payment", *COLUMNS))
        self._index()

    def book(self, transaction: Document, payout: str | None, payment: Document | None) -> None:
        """Add a transaction, with the automatic payout and the payment that it belongs to."""
        self.book_texts([(transaction, encode(transaction), payout, payment)])

    def book_texts(self, rows: Sequence[tuple[Document, str, str | None, Document | None]]) -> None:
        """Add transactions of which there is the text already."""
        self.add_texts(
            (
                document["id"],
                document["created"],
                text,
                payout,
                None if payment is None else encode(payment),
                *_columns(document),
            )
            for document, text, payout, payment in rows
        )

    @contextmanager
    def without_indexes(self) -> Iterator[None]:
        """Add very many rows inside: to make the indexes anew takes less than to keep them up."""
        for name in INDEXES:
            self._storage.run(f"DROP INDEX IF EXISTS {TABLE}_{name}")
        try:
            yield
        finally:
            self._index()

    def in_balance(self) -> list[tuple[str, str, int]]:
        """Currency, status and sum of what has not been paid out."""
        rows = self._storage.rows(
            f"SELECT currency, status, sum(net) FROM {TABLE} WHERE payout IS NULL"
            " GROUP BY currency, status ORDER BY currency, status"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def become_available(self, until: int) -> int:
        """Make available what is pending no longer than this; how many rows."""
        return self._storage.run(
            f"UPDATE {TABLE} SET status = 'available',"
            " document = json_set(document, '$.status', 'available')"
            " WHERE status = 'pending' AND available_on <= ?",
            (until,),
        )

    def pending(self) -> list[int]:
        """The times at which something that is pending becomes available."""
        rows = self._storage.rows(
            f"SELECT DISTINCT available_on FROM {TABLE} WHERE status = 'pending'"
        )
        return [row[0] for row in rows]

    def pay_out(self, currency: str, payout: str) -> None:
        """Everything available in a currency goes out by this payout."""
        self._storage.run(
            f"UPDATE {TABLE} SET payout = ?"
            " WHERE payout IS NULL AND currency = ? AND status = 'available'",
            (payout, currency),
        )

    def hide(self, ids: Sequence[str]) -> None:
        """Leave rows out of lists and itemized reports; the balance has them."""
        hidden: Iterator[Sequence[Value]] = ((each,) for each in ids)
        self._storage.run_many(f"UPDATE {TABLE} SET deleted = 1 WHERE id = ?", hidden)

    def _index(self) -> None:
        for name, what in INDEXES.items():
            self._storage.run(f"CREATE INDEX IF NOT EXISTS {TABLE}_{name} ON {TABLE} {what}")
