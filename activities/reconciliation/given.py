"""What the cut of exported books is made by: the period, statements, balances that were given."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.reconciliation.exports import Exported, Findings, ToldStatement
from activities.reconciliation.refusals import UnclearBalance
from connectors.csv_rows import Unreadable, minor
from database.reconciliation.accounts import Account, bank_days
from database.reconciliation.codes import BOOKS
from database.reconciliation.statement_sequence import breaks_off, go_on
from database.reconciliation.statements import RANGES
from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import Missing
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.terms import Calendar, Terms

Kind = Literal["opening", "closing"]

_BOOKS_OF = text("""
    SELECT DISTINCT book, currency FROM items WHERE account = :account ORDER BY book, currency
""")
_WORDS = {code: book for book, code in BOOKS.items()}


@dataclass(frozen=True)
class GivenBalance:
    """A balance as somebody gave it, in major units; of the only currency where it names none."""

    book: Book
    kind: Kind
    currency: str | None
    amount: str


@dataclass(frozen=True)
class Given:
    """Balances that were given, and those of a summary, in minor units by kind and currency."""

    balances: tuple[GivenBalance, ...] = ()
    summary: Mapping[str, tuple[int, int]] | None = None


async def inputs(
    connection: AsyncConnection,
    account: Account,
    *,
    exported: Exported,
    findings: Findings,
    given: Given,
    terms: Terms,
    rules: Mapping[str, str],
) -> tuple[Inputs, Sequence[Told]]:
    """The inputs of a run on exported books; banks work by the calendars of the terms.

    Raises UnclearBalance.
    """
    rows = (await connection.execute(_BOOKS_OF, {"account": account.id})).all()
    currencies: dict[Book, list[str]] = defaultdict(list)
    for row in rows:
        currencies[_WORDS[row.book]].append(row.currency)
    scope: list[Book] = ["processor", "bank", "clearing"]
    scope += [book for book in ("in_transit", "cash") if currencies[book]]
    everywhere = {
        *itertools.chain.from_iterable(currencies.values()),
        *(one.opened.currency for one in findings.statements),
        *(given.summary or ()),
    }
    told = [
        *_told_by_people(given, currencies, sorted(everywhere)),
        *_told_by_statements(findings.statements),
    ]
    made = Inputs.model_validate(
        {
            **rules,
            "scope": tuple(scope),
            "processor_before": exported.before,
            "bank_before": exported.before,
            "journal_before": exported.before,
            "statements": tuple(sorted(_name(one) for one in findings.statements)),
            "missing": (*_missing(findings), *_uncovered(findings, exported, terms)),
            "bank_days": await bank_days(connection, account.id),
            "posts": account.posts,
        }
    )
    return made, told


def _told_by_people(
    given: Given, currencies: Mapping[Book, Sequence[str]], everywhere: Sequence[str]
) -> Iterable[Told]:
    for one in given.balances:
        # A book without rows is of the currency that the others are of: nothing happened in it.
        currency = one.currency or _only(one, currencies.get(one.book) or everywhere)
        try:
            amount = minor(one.amount, currency, "amount")
        except Unreadable as error:
            raise UnclearBalance(
                f"the {one.kind} balance {one.amount!r} of {one.book} {error}"
            ) from None
        yield Told(
            book=one.book, currency=currency, kind=one.kind, amount_minor=amount, source="given"
        )
    for currency, (opening, closing) in sorted((given.summary or {}).items()):
        of: dict[str, str] = {"book": "processor", "currency": currency, "source": "summary"}
        yield Told.model_validate({**of, "kind": "opening", "amount_minor": opening})
        yield Told.model_validate({**of, "kind": "closing", "amount_minor": closing})


def _only(one: GivenBalance, currencies: Sequence[str]) -> str:
    if len(currencies) != 1:
        raise UnclearBalance(
            f"say which currency the {one.kind} balance {one.amount} of {one.book} is in, like "
            f"EUR={one.amount}: there is {', '.join(currencies) or 'none'}"
        )
    return currencies[0]


def _told_by_statements(statements: Iterable[ToldStatement]) -> Iterable[Told]:
    """The balances of all bank accounts of a currency together, at the edges of the period."""
    edges: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for (_, currency), those in _by_account(statements).items():
        opening, closing = those[0].opening_minor, those[-1].closing_minor
        if opening is not None and closing is not None:
            edges[currency].append((opening, closing, _name(those[-1])))
    for currency, accounts in sorted(edges.items()):
        source = accounts[0][2] if len(accounts) == 1 else f"{len(accounts)} bank accounts"
        of = {"book": "bank", "currency": currency, "source": source}
        opening = sum(one[0] for one in accounts)
        closing = sum(one[1] for one in accounts)
        yield Told.model_validate({**of, "kind": "opening", "amount_minor": opening})
        yield Told.model_validate({**of, "kind": "closing", "amount_minor": closing})


def _missing(findings: Findings) -> Iterable[Missing]:
    for file, rows in sorted(findings.bad_rows.items()):
        if rows:
            yield Missing(lack="bad_rows", subject=file)
    for one in findings.statements:
        yield from one.missing
    for those in _by_account(findings.statements).values():
        for before, after in itertools.pairwise(those):
            formats = before.opened.format, after.opened.format
            if go_on(*formats, closed_on=before.closing_on, opened_on=after.opening_on):
                continue
            closed, opened = before.closing_minor, after.opening_minor
            difference = opened - closed if closed is not None and opened is not None else None
            if breaks_off(difference, before.opened.sequence, after.opened.sequence):
                yield Missing(
                    lack="statement_gap",
                    book="bank",
                    currency=after.opened.currency,
                    subject=_name(after),
                    amount_minor=difference or None,
                )


def _uncovered(findings: Findings, exported: Exported, terms: Terms) -> Iterable[Missing]:
    """The bank accounts whose statements leave working days at the period's edges out."""
    for (account, currency), those in _by_account(findings.statements).items():
        calendar = terms.calendars[terms.calendar_for(currency)]
        if _begins_late(those, exported, calendar) or _ends_early(those, exported, calendar):
            yield Missing(lack="statement_missing", book="bank", currency=currency, subject=account)


def _begins_late(those: Sequence[ToldStatement], exported: Exported, calendar: Calendar) -> bool:
    begun = those[0].opening_on
    if exported.first is None or begun is None:
        return False
    due = calendar.first_working_day(exported.first)
    return due <= exported.last and begun > due


def _ends_early(those: Sequence[ToldStatement], exported: Exported, calendar: Calendar) -> bool:
    due = calendar.last_working_day(exported.last)
    if exported.first is not None and due < exported.first:
        return False
    closed = max((one.closing_on for one in those if one.closing_on), default=None)
    return closed is None or closed < due


def _by_account(
    statements: Iterable[ToldStatement],
) -> Mapping[tuple[str, str], list[ToldStatement]]:
    by_account: dict[tuple[str, str], list[ToldStatement]] = defaultdict(list)
    for one in statements:
        by_account[one.opened.account, one.opened.currency].append(one)
    return {of: _in_order(those) for of, those in by_account.items()}


def _in_order(statements: Iterable[ToldStatement]) -> list[ToldStatement]:
    """As they closed, without the ranges of days that lie within another one."""
    in_order, begun = list[ToldStatement](), date.max
    first_wide = sorted(statements, key=lambda one: one.opening_on or date.max)
    for one in sorted(first_wide, key=lambda one: one.closing_on or date.min, reverse=True):
        if one.opened.format in RANGES and one.opening_on and one.closing_on:
            if begun <= one.opening_on:
                continue
            begun = one.opening_on
        in_order.append(one)
    return sorted(in_order, key=lambda one: (one.closing_on or date.max, one.opened.sequence or 0))


def _name(one: ToldStatement) -> str:
    return "/".join(part for part in (one.opened.account, one.opened.statement_id) if part)
