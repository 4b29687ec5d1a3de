"""Stripe's balance by its API: transactions and payouts, page by page.

Fit for accounts of some ten thousand transactions a day: a page has a hundred rows at most, and an
account may ask for some dozen pages a second. Larger ones take reports.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel

from connectors.capabilities import Batch
from connectors.movements import PAYOUT_KINDS, Movement, Window
from connectors.stripe.api import ROWS_OF_A_PAGE, StripeApi, path_of
from connectors.stripe.currencies import ours
from connectors.stripe.errors import Missing, bad_body
from workflows.reconciliation.payouts import Payout

TRANSACTIONS = path_of("balance_transactions")
PAYOUTS = path_of("payouts")
BALANCE = path_of("balance")

_LOOKS_AT_THE_BALANCE = 5
"""So often a balance is read before we say that it did not hold still."""

Pace = Callable[[], Awaitable[None]]
"""Waits until the next request may go out, whichever worker asks."""


class _Fee(BaseModel):
    amount: int
    type: str


class _Transaction(BaseModel):
    id: str
    amount: int
    fee: int
    net: int
    fee_details: list[_Fee]
    currency: str
    created: int
    reporting_category: str
    # Any: what is behind it, when asked for, is of many kinds.
    source: str | dict[str, Any] | None
    description: str | None
    exchange_rate: float | None = None
    balance_type: str = "payments"


class _Transactions(BaseModel):
    data: list[_Transaction]
    has_more: bool


class _Trace(BaseModel):
    status: str
    value: str | None


class _Payout(BaseModel):
    id: str
    amount: int
    currency: str
    created: int
    arrival_date: int
    automatic: bool
    status: str
    reconciliation_status: str
    balance_transaction: str | None
    failure_balance_transaction: str | None
    original_payout: str | None = None
    reversed_by: str | None = None
    trace_id: _Trace | None = None


class _Payouts(BaseModel):
    data: list[_Payout]
    has_more: bool


class _Amount(BaseModel):
    amount: int
    currency: str


class _Balance(BaseModel):
    available: list[_Amount]
    pending: list[_Amount]


class StripeListing:
    """The processor's book, listed.

    `references` are the keys that movements are to be known by, see `Movement.references`: where
    `source_id` is enough, Stripe sends a tenth of the bytes.
    """

    def __init__(
        self, api: StripeApi, *, pace: Pace, references: Collection[str] = ("source_id",)
    ) -> None:
        self._api = api
        self._pace = pace
        self._wants_sources = not set(references) <= {"source_id", "balance_transaction_id"}
        self._payouts: dict[str, Payout] = {}

    def parts(self, window: Window) -> Sequence[Window]:
        """Parts of a window that are listed side by side."""
        return window.split(4)

    async def movements(
        self, window: Window, after: str | None, *, of_type: str | None = None
    ) -> AsyncIterator[Batch]:
        """Pages of movements, newest first, from behind the transaction `after`."""
        more, expand = True, self._wants_sources
        while more:
            page = await self._page(window, after, expand=expand, of_type=of_type)
            if not expand and any(row.exchange_rate is not None for row in page.data):
                expand = True  # only the source tells what the customer saw
                continue
            rows = [await self._movement(row) for row in page.data if _counts(row)]
            more = page.has_more and bool(page.data)
            after = page.data[-1].id if page.data else after
            yield Batch(rows, cursor=after if more else None)

    async def _page(
        self, window: Window, after: str | None, *, expand: bool, of_type: str | None = None
    ) -> _Transactions:
        parameters: dict[str, Any] = {"created": _created(window)}
        if of_type is not None:
            parameters["type"] = of_type
        if after is not None:
            parameters["starting_after"] = after
        if expand:
            parameters["expand"] = ["data.source"]
        await self._pace()
        return await self._api.get(TRANSACTIONS, _Transactions, limit=ROWS_OF_A_PAGE, **parameters)

    async def payouts(self, since: datetime) -> AsyncIterator[Payout]:
        """Payouts that were made since then, newest first."""
        after: dict[str, str] = {}
        more = True
        while more:
            await self._pace()
            created = {"gte": int(since.timestamp())}
            page = await self._api.get(
                PAYOUTS, _Payouts, limit=ROWS_OF_A_PAGE, created=created, **after
            )
            for row in page.data:
                yield _payout(row)
            more = page.has_more and bool(page.data)
            if more:
                after = {"starting_after": page.data[-1].id}

    async def payout(self, payout_id: str) -> Payout:
        """One payout, as it is now."""
        await self._pace()
        return _payout(await self._api.get(path_of("payouts", payout_id), _Payout))

    async def members(self, payout_id: str) -> AsyncIterator[Batch]:
        """Pages of what an automatic payout paid out, without its own row."""
        after: dict[str, str] = {}
        more = True
        while more:
            await self._pace()
            page = await self._api.get(
                TRANSACTIONS, _Transactions, limit=ROWS_OF_A_PAGE, payout=payout_id, **after
            )
            members = [row for row in page.data if _id_of(row.source) != payout_id]
            rows = [await self._movement(row) for row in members]
            more = page.has_more and bool(page.data)
            after = {"starting_after": page.data[-1].id} if page.data else after
            yield Batch(rows, cursor=after.get("starting_after") if more else None)

    async def movement(self, transaction_id: str) -> Movement:
        """One movement, as it is now."""
        await self._pace()
        path = path_of("balance_transactions", transaction_id)
        return await self._movement(await self._api.get(path, _Transaction))

    async def closing(self, before: datetime) -> dict[str, int] | None:
        """The balance of each currency as of a time; None where it did not hold still.

        What the balance is now, less what moved since: read between two listings that are the same,
        so that nothing came in between. What Stripe's balance says is not what its list adds up to,
        and so this is a control.
        """
        moved = await self._moved_since(before)
        for _ in range(_LOOKS_AT_THE_BALANCE):
            await self._pace()
            balance = await self._api.get(BALANCE, _Balance)
            again = await self._moved_since(before)
            if again == moved:
                return _less(balance, moved)
            moved = again
        return None

    async def _moved_since(self, since: datetime) -> dict[str, tuple[str, int]]:
        """Currency and net of all that moved since, by its id."""
        moved: dict[str, tuple[str, int]] = {}
        window, after, more = Window(since, None), None, True
        while more:
            page = await self._page(window, after, expand=False)
            for row in page.data:
                if _counts(row):
                    code = row.currency.upper()
                    moved[row.id] = (code, ours(row.net, code))
            more = page.has_more and bool(page.data)
            after = page.data[-1].id if more else None
        return moved

    async def _movement(self, row: _Transaction) -> Movement:
        if row.amount - row.fee != row.net:
            raise bad_body()
        code = row.currency.upper()
        told = {fee.type: 0 for fee in row.fee_details}
        for fee in row.fee_details:
            told[fee.type] += fee.amount
        if sum(told.values()) != row.fee:
            told = {"": row.fee}  # the total is what counts
        source = _id_of(row.source)
        payout = None
        if row.reporting_category in PAYOUT_KINDS and source is not None:
            payout = await self._payout_of(source)
        seen_in, seen = _presentment(row.source, code) if row.exchange_rate else (None, None)
        return Movement(
            row.id,
            row.reporting_category,
            code,
            ours(row.amount, code),
            tuple((type_, ours(amount, code)) for type_, amount in told.items() if amount),
            datetime.fromtimestamp(row.created, UTC),
            _references(row.source),
            payout=payout.id if payout else None,
            arrival_on=payout.arrival_on if payout else None,
            trace_id=payout.trace_id if payout else None,
            description=row.description,
            presentment_minor=seen,
            presentment_currency=seen_in,
        )

    async def _payout_of(self, payout_id: str) -> Payout | None:
        """The payout behind a transaction; there are few, and each is asked for once."""
        if payout_id not in self._payouts:
            try:
                self._payouts[payout_id] = await self.payout(payout_id)
            except Missing:
                return None
        return self._payouts[payout_id]


def _counts(row: _Transaction) -> bool:
    """Whether it moves the balance that payments go to, and payouts come from."""
    return row.balance_type == "payments"


def _created(window: Window) -> dict[str, int]:
    created = {"gte": int(window.since.timestamp())}
    if window.before is not None:
        created["lt"] = int(window.before.timestamp())
    return created


def _id_of(source: str | dict[str, Any] | None) -> str | None:
    return source.get("id") if isinstance(source, dict) else source


def _references(source: str | dict[str, Any] | None) -> dict[str, str]:
    """What else knows a transaction. A charge tells its payment, a refund or dispute its charge."""
    id_ = _id_of(source)
    found = {"source_id": id_} if isinstance(id_, str) else {}
    if not isinstance(source, dict):
        return found
    charge = id_ if source.get("object") == "charge" else source.get("charge")
    for name, value in (
        ("charge_id", charge),
        ("payment_intent_id", source.get("payment_intent")),
        *((f"payment_metadata[{key}]", told) for key, told in _metadata(source).items()),
    ):
        if isinstance(value, str) and value:
            found[name] = value
    return found


def _metadata(source: dict[str, Any]) -> dict[str, Any]:
    told = source.get("metadata") if source.get("object") == "charge" else None
    return told if isinstance(told, dict) else {}


def _presentment(
    source: str | dict[str, Any] | None, settled_in: str
) -> tuple[str | None, int | None]:
    if isinstance(source, dict):
        amount, code = source.get("amount"), str(source.get("currency", "")).upper()
        if isinstance(amount, int) and code and code != settled_in:
            return code, ours(amount, code)
    return None, None


def _payout(row: _Payout) -> Payout:
    code = row.currency.upper()
    return Payout(
        id=row.id,
        currency=code,
        amount_minor=ours(row.amount, code),
        made_at=datetime.fromtimestamp(row.created, UTC),
        arrival_on=_day(row.arrival_date),
        automatic=row.automatic,
        status=row.status,
        members_known=row.automatic and row.reconciliation_status == "completed",
        trace_id=row.trace_id.value if row.trace_id else None,
        transaction=row.balance_transaction,
        failure_transaction=row.failure_balance_transaction,
        original=row.original_payout,
        reversed_by=row.reversed_by,
    )


def _day(at: int) -> date:
    """Stripe's days are midnights in UTC."""
    return datetime.fromtimestamp(at, UTC).date()


def _less(balance: _Balance, moved: dict[str, tuple[str, int]]) -> dict[str, int]:
    closing: dict[str, int] = {}
    for told in (*balance.available, *balance.pending):
        code = told.currency.upper()
        closing[code] = closing.get(code, 0) + ours(told.amount, code)
    for code, net in moved.values():
        closing[code] = closing.get(code, 0) - net
    return closing
