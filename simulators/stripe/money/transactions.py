"""The table of balance transactions, and the sums over it.

Beside each transaction stands the automatic payout that paid it out (the payout's own row too:
together they sum to zero), so that the balance is the sum over rows without one.
"""

# ruff: noqa: S608 - the name of the table is ours, values are bound

from simulators.storage import Storage
from simulators.stripe.collection import Collection

TABLE = "stripe_balance_transactions"
FILTERS = {"currency": "$.currency", "source": "$.source", "type": "$.type"}
READ = {
    "available_on": "$.available_on",
    "category": "$.reporting_category",
    "fee": "$.fee",
    "gross": "$.amount",
    "net": "$.net",
    "status": "$.status",
}
INDEXES = f"""
CREATE INDEX IF NOT EXISTS {TABLE}_payout ON {TABLE} (payout, created, sequence)
    WHERE payout IS NOT NULL;
CREATE INDEX IF NOT EXISTS {TABLE}_in_balance ON {TABLE} (currency, status, net)
    WHERE payout IS NULL;
CREATE INDEX IF NOT EXISTS {TABLE}_pending ON {TABLE} (available_on)
    WHERE status = 'pending';
"""


class BalanceTransactions(Collection):
    """All movements of the account's balance."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, TABLE, FILTERS, read=READ, beside=("payout", "payment"))
        storage.create(INDEXES)

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
            f"UPDATE {TABLE} SET document = json_set(document, '$.status', 'available')"
            " WHERE status = 'pending' AND available_on <= ?",
            (until,),
        )

    def pay_out(self, currency: str, payout: str) -> None:
        """Everything available in a currency goes out by this payout."""
        self._storage.run(
            f"UPDATE {TABLE} SET payout = ?"
            " WHERE payout IS NULL AND currency = ? AND status = 'available'",
            (payout, currency),
        )
