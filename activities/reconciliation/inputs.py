"""What the cut of a night is made by: the day's end, statements, balances that sources told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal import balances as journal
from database.journal.entry import Code
from database.reconciliation import statements, told
from database.reconciliation.accounts import Account
from database.reconciliation.told import BankBalance
from workflows.reconciliation.certificate import Missing
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import Run
from workflows.reconciliation.terms import Calendar, Terms

_OURS: tuple[Code, ...] = ("clearing", "in_transit", "cash")


class NightlyInputs:
    """The inputs of a run on what was gathered."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    async def __call__(
        self, connection: AsyncConnection, account: Account, run: Run, rules: Mapping[str, str]
    ) -> tuple[Inputs, Sequence[Told]]:
        """Until when the books go, what was told of them, and what is missing."""
        day = run.day
        over = account.end_of(day)
        # Banks book by days, without a time: theirs is midnight in UTC.
        bank_over = datetime.combine(day + timedelta(days=1), time(), UTC)
        first = await told.is_first(connection, account.id, day)
        banks = await told.of_bank(connection, account.id, day, bank_over)
        missing = [
            *self._without_statement(banks, day),
            *await told.unproven(connection, account.id, day),
            *[
                Missing(
                    lack="statement_gap",
                    book="bank",
                    currency=gap.currency,
                    subject=f"{gap.bank_account}/{gap.before}",
                    amount_minor=gap.difference_minor,
                )
                for gap in await statements.gaps(connection, account.id)
            ],
        ]
        balances = [
            *await _of_processor(connection, account, over, first=first),
            *_closings_of_bank(banks),
        ]
        if first:
            openings = await told.first_of_bank(connection, account.id, account.opened_on)
            balances += _summed(
                "opening", ((one.currency, one.amount_minor, one.source) for one in openings)
            )
        seal = None
        if account.journal == "ours" and (seal := await journal.sealed(connection, account.id)):
            if await journal.waiting(connection, account.id, seal, on=day):
                missing.append(Missing(lack="journal_unsealed"))
            currency = banks[0].currency if banks else "EUR"
            balances += await _of_journal(
                connection, account, seal, day, first=first, currency=currency
            )
        made = Inputs.model_validate(
            {
                **rules,
                "scope": ("processor", *(("bank",) if banks else ()), *_OURS),
                "processor_before": over,
                "bank_before": bank_over,
                "journal_before": over,
                "statements": await told.names_of_statements(connection, account.id, day),
                "missing": tuple(missing),
                "journal_seal": seal.number if seal else None,
            }
        )
        return made, balances

    def _without_statement(self, banks: Sequence[BankBalance], day: date) -> Iterable[Missing]:
        """Bank accounts that no statement tells of up to the day, but for days without business."""
        for one in banks:
            calendar = self._terms.calendars.get(one.calendar)
            closed = one.closed_on
            if closed is not None and calendar is not None:
                between = (closed + timedelta(days=at) for at in range(1, (day - closed).days + 1))
                if not any(_works(calendar, other) for other in between):
                    continue
            yield Missing(
                lack="statement_missing",
                book="bank",
                currency=one.currency,
                subject=one.identification,
            )


def _works(calendar: Calendar, day: date) -> bool:
    return f"{day:%A}".lower() not in calendar.weekend and day not in calendar.holidays


async def _of_processor(
    connection: AsyncConnection, account: Account, over: datetime, *, first: bool
) -> list[Told]:
    found = {"closing": await told.of_processor(connection, account.id, over)}
    if first:
        begun = account.end_of(account.opened_on - timedelta(days=1))
        found["opening"] = await told.of_processor(connection, account.id, begun)
    return [
        Told.model_validate(
            {
                "book": "processor",
                "currency": one.currency,
                "kind": kind,
                "amount_minor": one.amount_minor,
                "source": one.source,
            }
        )
        for kind, those in found.items()
        for one in those
    ]


def _closings_of_bank(banks: Sequence[BankBalance]) -> list[Told]:
    return _summed(
        "closing",
        (
            (one.currency, one.closing_minor, f"{one.identification}/{one.statement_id}")
            for one in banks
            if one.closing_minor is not None
        ),
    )


def _summed(kind: str, balances: Iterable[tuple[str, int, str]]) -> list[Told]:
    """Balances of several bank accounts in one currency are one of the book."""
    by_currency: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for currency, amount, source in balances:
        by_currency[currency].append((amount, source))
    return [
        Told.model_validate(
            {
                "book": "bank",
                "currency": currency,
                "kind": kind,
                "amount_minor": sum(amount for amount, _ in those),
                "source": those[0][1] if len(those) == 1 else f"{len(those)} bank accounts",
            }
        )
        for currency, those in sorted(by_currency.items())
    ]


async def _of_journal(
    connection: AsyncConnection,
    account: Account,
    seal: journal.Seal,
    day: date,
    *,
    first: bool,
    currency: str,
) -> list[Told]:
    found: dict[str, Sequence[journal.Balance]] = {
        "closing": await journal.balances(connection, account.id, seal, on=day)
    }
    if first:
        eve = account.opened_on - timedelta(days=1)
        found["opening"] = await journal.balances(connection, account.id, seal, on=eve)
        known = {one.code for one in found["opening"]}
        # Where it begins without anything, that is zero, and it is the seal that says so.
        found["opening"] = [
            *found["opening"],
            *(journal.Balance(code, currency, 0, 0) for code in _OURS if code not in known),
        ]
    return [
        Told.model_validate(
            {
                "book": one.code,
                "currency": one.currency,
                "kind": kind,
                "amount_minor": one.amount_minor,
                "source": f"seal {seal.number}",
            }
        )
        for kind, those in found.items()
        for one in those
        if one.code in _OURS
    ]
