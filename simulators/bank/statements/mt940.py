"""SWIFT customer statements, MT940, with the structured description of German banks."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TextIO

from simulators.bank.money import major
from simulators.bank.statement import Entry, Page, Statement, pages

_WIDTH = 27
"""Characters of one part of a description."""


def write(file: TextIO, statements: Sequence[Statement], most: int | None = None) -> None:
    """A message for each page of each statement."""
    for statement in statements:
        for page in pages(statement, most):
            file.writelines(f"{line}\r\n" for line in _message(page))


def _message(page: Page) -> Iterator[str]:
    its = page.statement
    yield f":20:STMT{its.number:06d}"
    yield f":25:{its.account}"
    yield f":28C:{its.number}/{page.number}"
    yield f":60{'F' if page.opens else 'M'}:{_balance(page.opening, its)}"
    for entry in page.entries:
        yield (
            f":61:{entry.value_on:%y%m%d}{entry.booked_on:%m%d}"
            f"{_amount(entry.amount, entry.currency)}NTRFNONREF//{entry.reference}"
        )
        yield from _description(entry)
    yield f":62{'F' if page.closes else 'M'}:{_balance(page.closing, its)}"
    yield "-"


def _balance(amount: int, its: Statement) -> str:
    return _amount(amount, its.currency, f"{_day(its.day)}{its.currency}")


def _amount(amount: int, currency: str, between: str = "") -> str:
    figures = major(abs(amount), currency, ",")
    return f"{'D' if amount < 0 else 'C'}{between}{figures if ',' in figures else f'{figures},'}"


def _day(day: date) -> str:
    return f"{day:%y%m%d}"


def _description(entry: Entry) -> Iterator[str]:
    """Parts of at most 27 characters, by `?20` to `?29`; lines of two parts."""
    text = f"SVWZ+{entry.description}"
    parts = [f"EREF+{entry.trace or 'NOTPROVIDED'}"]
    parts += [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
    told = [f"?{number}{part}" for number, part in enumerate(parts, start=20)]
    code = "116" if entry.amount < 0 else "166"
    lines = ["".join(told[at : at + 2]) for at in range(0, len(told), 2)]
    yield f":86:{code}?00SEPA{lines[0]}"
    yield from lines[1:]
