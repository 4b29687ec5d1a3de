"""What the cut of a run is made by: what was gathered for its day, and what of that is missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from database import watermarks
from database.journal import balances, openings
from database.journal.balances import Seal
from database.reconciliation import accounts, sources, statement_sequence
from database.reconciliation.accounts import Account
from workflows.reconciliation.books import Book, Rhythm
from workflows.reconciliation.certificate import Missing, ProvenUntil
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import Run
from workflows.reconciliation.opening import Opening
from workflows.reconciliation.terms import Calendar, Terms

_SCOPE: tuple[Book, ...] = ("processor", "bank", "clearing", "in_transit", "cash")
_RHYTHMS: Mapping[Rhythm, timedelta] = {
    "daily": timedelta(),
    "weekly": timedelta(days=6),
    "monthly": timedelta(days=30),
}
"""How long before the bank's last working day the last statement may have ended."""

_JOURNAL: tuple[Literal["clearing", "in_transit", "cash"], ...] = ("clearing", "in_transit", "cash")


class GatheredInputs:
    """The inputs of runs on what was gathered; banks work by the calendars of the terms."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    async def __call__(
        self, connection: AsyncConnection, account: Account, run: Run, rules: Mapping[str, str]
    ) -> tuple[Inputs, Sequence[Told]]:
        """Until when, which statements, which balances were told; see `compare.InputsOf`."""
        before = account.end_of(run.day)
        counting = await statement_sequence.of_account(connection, account.id, until=run.day)
        opening = await openings.approved(connection, account)
        banks = await self._banks(connection, account, counting, opening)
        seal = await _seal(connection, account)
        missing = [
            *await _of_processor(connection, account, before),
            *_of_statements(counting),
            *(
                Missing(
                    lack="statement_missing",
                    book="bank",
                    currency=bank.currency,
                    subject=bank.identification,
                )
                for bank in banks
                if bank.is_overdue(account, run.day)
            ),
            *[
                Missing(
                    lack="statement_contradicted",
                    book="bank",
                    currency=row["currency"],
                    subject=f"{_name(row)} of files {row['sha256'][:12]} and"
                    f" {row['other_sha256'][:12]}",
                )
                for row in await statement_sequence.contradicted(
                    connection, account.id, until=run.day
                )
            ],
            *await _of_journal(connection, account, seal, run.day),
        ]
        made = Inputs.model_validate(
            {
                **rules,
                "scope": _SCOPE,
                "processor_before": before,
                "bank_before": before,
                "journal_before": before,
                "statements": tuple(sorted(_name(row) for row in counting)),
                "proven": tuple(one for bank in banks if (one := bank.proven(account))),
                "missing": tuple(missing),
                "bank_days": await accounts.bank_days(connection, account.id),
                "posts": account.posts,
                "journal_seal": seal.number if seal else None,
            }
        )
        told = [
            *await _told_by_processor(connection, account, before),
            *_told_by_statements(counting, banks, opening),
            *await _told_by_journal(connection, account, seal, run.day),
        ]
        return made, _begun_with(opening, told)

    async def _banks(
        self,
        connection: AsyncConnection,
        account: Account,
        counting: Sequence[RowMapping],
        opening: Opening | None,
    ) -> Sequence[_Bank]:
        """The account's bank accounts, with what their statements told last."""
        closed: dict[tuple[str, str], date] = {}
        proven: dict[tuple[str, str], date] = {}
        for row in counting:
            if row["closing_on"] is not None:
                of = row["bank_account"], row["currency"]
                closed[of] = row["closing_on"]
                if row["proof"] == "proven":
                    proven[of] = row["closing_on"]
        agreed = _agreed(opening)
        return [
            _Bank(
                of[0],
                of[1],
                self._terms.calendars.get(row["calendar"]),
                row["statements"],
                closed.get(of),
                proven.get(of),
                begun=row["currency"] in agreed,
            )
            for row in await accounts.bank_accounts(connection, account.id)
            for of in [(row["identification"], row["currency"])]
        ]


@dataclass(frozen=True, slots=True)
class _Bank:
    """A bank account, the day that its statements told last, and that which they proved last.

    begun  whether two people agreed on what it began with
    """

    identification: str
    currency: str
    calendar: Calendar | None
    statements: Rhythm
    closed_on: date | None
    proven_on: date | None
    begun: bool

    def is_overdue(self, account: Account, day: date) -> bool:
        """Whether a later statement is due by now."""
        if self.closed_on is None and not self.begun and self.statements != "daily":
            return True
        due = self._working(self._working(day) - _RHYTHMS[self.statements])
        return due >= account.opened_on and (self.closed_on is None or self.closed_on < due)

    def proven(self, account: Account) -> ProvenUntil | None:
        """Up to which day it is proven: by what people agreed on, before the first statement."""
        until = self.proven_on
        if until is None and self.begun and self.closed_on is None:
            until = account.opened_on - timedelta(days=1)
        if until is None:
            return None
        return ProvenUntil(bank_account=self.identification, currency=self.currency, day=until)

    def _working(self, day: date) -> date:
        return self.calendar.last_working_day(day) if self.calendar else day


async def _of_processor(
    connection: AsyncConnection, account: Account, before: datetime
) -> Iterable[Missing]:
    missing = [
        Missing(lack="bad_rows", book="processor", subject=source)
        for source in await sources.bad_sources(connection, account.id, before)
    ]
    missing += [
        Missing(
            lack="payout_members",
            book="processor",
            currency=row["currency"],
            subject=row["id"],
            amount_minor=row["difference"],
        )
        for row in await sources.unequal_payouts(connection, account.id, before)
    ]
    gathered = await watermarks.read(connection, f"gathered/{account.name}")
    if account.processor != "files" and (gathered is None or gathered < before):
        missing.append(Missing(lack="report_incomplete", book="processor"))
    return missing


def _of_statements(counting: Sequence[RowMapping]) -> Iterable[Missing]:
    for row in counting:
        if row["proof"] != "proven":
            unproven = row["proof"] == "unproven"
            yield Missing(
                lack="statement_unproven" if unproven else "statement_unprovable",
                book="bank",
                currency=row["currency"],
                subject=_name(row),
                amount_minor=row["difference_minor"],
            )
    for gap in statement_sequence.gaps(counting):
        other = f" and {gap.bank_account}/{gap.contradicts}" if gap.contradicts else ""
        yield Missing(
            lack="statement_contradicted" if gap.contradicts else "statement_gap",
            book="bank",
            currency=gap.currency,
            subject=f"{gap.bank_account}/{gap.before}{other}",
            amount_minor=gap.difference_minor,
        )


async def _seal(connection: AsyncConnection, account: Account) -> Seal | None:
    """The seal up to which our journal was taken in."""
    if account.journal != "ours":
        return None
    number = await sources.last_seal(connection, account.id)
    return await balances.sealed(connection, account.id, number) if number else None


async def _of_journal(
    connection: AsyncConnection, account: Account, seal: Seal | None, day: date
) -> Iterable[Missing]:
    if account.journal != "ours":
        return ()
    if seal is None or await balances.waiting(connection, account.id, seal, on=day):
        return (Missing(lack="journal_unsealed"),)
    return ()


async def _told_by_processor(
    connection: AsyncConnection, account: Account, before: datetime
) -> Iterable[Told]:
    opened = await sources.balances(connection, account.id, account.opening)
    closed = await sources.balances(connection, account.id, before)
    return (
        *_told("processor", "opening", opened),
        *_told("processor", "closing", closed),
    )


def _told_by_statements(
    counting: Sequence[RowMapping], banks: Iterable[_Bank], opening: Opening | None
) -> Iterable[Told]:
    """All bank accounts of a currency together: how the first opened, how the last closed.

    One that has no statement yet has what is left of what people agreed on.
    """
    openings: dict[str, list[int | None]] = {}
    closings: dict[str, list[int | None]] = {}
    of_account = itertools.groupby(counting, lambda row: (row["bank_account"], row["currency"]))
    for (_, currency), rows in of_account:
        in_order = [row for row in rows if not row["within"]]
        openings.setdefault(currency, []).append(in_order[0]["opening_minor"])
        closings.setdefault(currency, []).append(in_order[-1]["closing_minor"])
    agreed = _agreed(opening)
    for currency in {bank.currency for bank in banks if bank.closed_on is None} & agreed.keys():
        opened = openings.get(currency, [])
        if None not in opened:
            closings.setdefault(currency, []).append(agreed[currency] - sum(filter(None, opened)))
    yield from _told("bank", "opening", _sums(openings))
    yield from _told("bank", "closing", _sums(closings))


def _agreed(opening: Opening | None) -> Mapping[str, int]:
    """What people agreed on that the bank's book began with, by currency."""
    return opening.held("bank") if opening else {}


def _sums(amounts: Mapping[str, Sequence[int | None]]) -> Mapping[str, tuple[int, str]]:
    """What is told of all, by currency: nothing where one of them tells nothing."""
    return {
        currency: (sum(one for one in several if one is not None), "statements")
        for currency, several in amounts.items()
        if None not in several
    }


async def _told_by_journal(
    connection: AsyncConnection, account: Account, seal: Seal | None, day: date
) -> Iterable[Told]:
    """What the seal says of each book; a book without anything is zero where others have any."""
    if seal is None:
        return ()
    source = "sealed balance"  # its number means nothing elsewhere, and is another at each try
    told: list[Told] = []
    edges = (("opening", account.opened_on - timedelta(days=1)), ("closing", day))
    held = {
        kind: {
            (one.code, one.currency): one.amount_minor
            for one in await balances.balances(connection, account.id, seal, on=on)
        }
        for kind, on in edges
    }
    banks = await accounts.bank_accounts(connection, account.id)
    currencies = {bank["currency"] for bank in banks}
    currencies |= {currency for those in held.values() for _, currency in those}
    for kind, those in held.items():
        for book in _JOURNAL:
            amounts = {one: (those.get((book, one), 0), source) for one in currencies}
            told += _told(book, kind, amounts)
    return told


def _begun_with(opening: Opening | None, told: Sequence[Told]) -> Sequence[Told]:
    """What two people agreed on is what a book began with, whatever its source says of that time.

    Where it is wrong, the balance that the source tells of the end of the day does not come out.
    """
    if opening is None:
        return told
    agreed: dict[Book, dict[str, tuple[int, str]]] = {"processor": {}, "bank": {}}
    for one in opening.balances:
        if one.book in ("processor", "bank"):
            agreed[one.book][one.currency] = one.amount_minor, "opening"
    others = [
        one for one in told if one.kind != "opening" or one.currency not in agreed.get(one.book, {})
    ]
    return [
        *others,
        *(one for book, of in agreed.items() for one in _told(book, "opening", of)),
    ]


def _told(book: Book, kind: str, balances_: Mapping[str, tuple[int, str]]) -> Iterable[Told]:
    for currency, (amount, source) in sorted(balances_.items()):
        yield Told.model_validate(
            {
                "book": book,
                "currency": currency,
                "kind": kind,
                "amount_minor": amount,
                "source": source,
            }
        )


def _name(row: RowMapping) -> str:
    return "/".join(part for part in (row["bank_account"], row["statement_id"]) if part)
