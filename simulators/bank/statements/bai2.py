"""BAI2 balance reports, version 2: a group for each day, an account for each statement in it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TextIO

from simulators.bank.statement import Entry, Statement

_RECEIVER, _SENDER = "EXAMPLECO", "EXAMPLEBANK"
_WIDTH = 80
"""Characters of a record; what is longer goes on in another."""


def write(file: TextIO, statements: Sequence[Statement], _most: int | None = None) -> None:
    """One file with all statements; the format knows no pages, only records that go on."""
    last = statements[-1]
    records = [f"01,{_SENDER},{_RECEIVER},{last.day:%y%m%d},2300,{last.number},80,,2/"]
    total = groups = 0
    for (day, currency), some in groupby(statements, key=lambda each: (each.day, each.currency)):
        group = [f"02,{_RECEIVER},{_SENDER},1,{day:%y%m%d},,{currency},2/"]
        its_total = accounts = 0
        for statement in some:
            its, amount = _account(statement)
            group += its
            its_total, accounts = its_total + amount, accounts + 1
        group.append(f"98,{its_total},{accounts},{len(group) + 1}/")
        records += group
        total, groups = total + its_total, groups + 1
    records.append(f"99,{total},{groups},{len(records) + 1}/")
    file.writelines(f"{record}\r\n" for record in records)


def _account(statement: Statement) -> tuple[list[str], int]:
    """The records of an account, and what they add up to without regard to their direction."""
    balances = f"010,{statement.opening},,,015,{statement.closing},,"
    records = [f"03,{statement.account},{statement.currency},{balances}/"]
    for entry in statement.entries:
        records += _entry(entry)
    total = statement.opening + statement.closing + sum(abs(e.amount) for e in statement.entries)
    records.append(f"49,{total},{len(records) + 1}/")
    return records, total


def _entry(entry: Entry) -> Iterator[str]:
    code = "495" if entry.amount < 0 else "195"
    fields = f"16,{code},{abs(entry.amount)},,{entry.reference},{entry.trace or ''}"
    if len(fields) + len(entry.description) + 1 <= _WIDTH:
        yield f"{fields},{entry.description}"
    else:
        yield f"{fields}/"
        yield f"88,{entry.description}"
