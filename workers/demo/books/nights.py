"""What there is to see of the books: each run, how far it is and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from workers.demo.books.plan import CURRENCY
from workflows.reconciliation.answers import Reconciliation
from workflows.reconciliation.certificate import Certificate


@dataclass
class Night:
    """A run; `paid` is what customers paid on its day and how often, in minor units."""

    run: Reconciliation
    paid: tuple[int, int] = (0, 0)
    certificate: Certificate | None = None

    @property
    def name(self) -> str:
        """The day, and which run of it this is."""
        again = f" ({self.run.ordinal})" if self.run.ordinal > 1 else ""
        return f"{self.run.business_date:%a %d %b}{again}"

    @property
    def now(self) -> str:
        """How it came out, or how far it is."""
        return self.run.status or self.run.stage

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        ended = self.run.ended_at
        return (ended - self.run.begun_at).total_seconds() if ended else None

    @property
    def matched(self) -> int | None:
        """How many matches it made."""
        made = self.certificate
        return sum(one.matches for one in made.matches) if made else None

    @property
    def breaks(self) -> int | None:
        """How many breaks were open after it."""
        made = self.certificate
        return sum(one.breaks for one in made.breaks) if made else None

    @property
    def at_risk(self) -> int | None:
        """What is at risk in them, in minor units."""
        made = self.certificate
        if made is None:
            return None
        return sum(one.at_risk_minor for one in made.breaks if one.currency == CURRENCY)

    @property
    def on_its_way(self) -> int | None:
        """How many items were not due on the other side yet."""
        made = self.certificate
        return sum(one.items for one in made.timing) if made else None

    @property
    def residual(self) -> int | None:
        """What the bridge leaves over: the residuals of all its equations."""
        made = self.certificate
        return sum(abs(one.residual_minor) for one in made.bridge) if made else None


def money(amount: int | None) -> str:
    """Minor units in major ones: `1,234.50`; nothing where it is not known."""
    return "" if amount is None else f"{amount / 100:,.2f}"
