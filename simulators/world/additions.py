"""What is put into a world besides what would happen there by itself."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from simulators.bank.statement import Entry
from simulators.world.rows import Line, Payout, Transaction


@dataclass
class Additions:
    """Rows of each book; nothing of one follows from another."""

    transactions: list[Transaction] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def by_day(self) -> dict[date, "Additions"]:
        """The same, for each day on which some of it becomes known."""
        days: dict[date, Additions] = defaultdict(Additions)
        for transaction in self.transactions:
            days[transaction.created.date()].transactions.append(transaction)
        for payout in self.payouts:
            days[payout.created.date()].payouts.append(payout)
        for line in self.lines:
            days[line.booked_at.date()].lines.append(line)
        for entry in self.entries:
            days[entry.booked_on].entries.append(entry)
        return days


@dataclass
class Plan:
    """How a world is to differ from one in which everything agrees.

    apart         currencies and arrival days on which the bank books every payout by itself
    taken         currencies and amounts that no other payout may have
    again         transactions that Stripe tells twice, by listing and by report
    withheld      currencies and days whose statement does not come
    left_out      references of entries that their statement does not show
    report_ends   what Stripe's report leaves out is created at this time, or later
    """

    additions: Additions = field(default_factory=Additions)
    apart: Collection[tuple[str, date]] = ()
    taken: Collection[tuple[str, int]] = ()
    again: Collection[str] = ()
    withheld: Collection[tuple[str, date]] = ()
    left_out: Collection[str] = ()
    report_ends: datetime | None = None

    def reported(self, transaction: Transaction) -> bool:
        """Whether Stripe's report shows a transaction."""
        return self.report_ends is None or transaction.created < self.report_ends
