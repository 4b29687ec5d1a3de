"""BAI2 balance reports, version 2: each account of each group is a statement.

Written here and not by a library: the kept one joins a continued field to the one before it, and
refuses files whose record counts are off, as those of real banks are.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from connectors.statements.amounts import currency_code
from connectors.statements.statement import (
    Balance,
    Closed,
    Entry,
    Opened,
    Parts,
    StatementRefused,
)
from connectors.statements.text import lines_of

_OPENING, _CLOSING = "010", "015"
_CREDITS = (range(100, 400), range(920, 960))
_DEBITS = (range(400, 700), range(960, 1000))
_NOT_MONEY = (range(890, 900), range(1))
_AMOUNT = re.compile(r"[+-]?\d{1,18}")
_COUNT = re.compile(r"[0-9]{1,4}")
_USUAL_CURRENCY = "USD"
_MOST_CONTINUATIONS = 10_000
"""Of one record. Banks need a few dozen."""


class _Record:
    """A record with its continuations; `fields` are those after the code."""

    def __init__(self, code: str, line: int, text: str) -> None:
        self.code = code
        self.line = line
        self._ended = _ends(text)
        self._parts = [text[:-1] if self._ended else text]
        self._continuations = 0

    def go_on(self, text: str) -> None:
        """Take up a continuation: after `/` a new field begins, else the text goes on.

        Raises StatementRefused.
        """
        self._continuations += 1
        if self._continuations > _MOST_CONTINUATIONS:
            raise StatementRefused(
                "too_long",
                f"A record has more than {_MOST_CONTINUATIONS} continuations.",
                self.position,
            )
        ended = _ends(text)
        self._parts += ("," if self._ended else "\n", text[:-1] if ended else text)
        self._ended = ended

    @functools.cached_property
    def fields(self) -> list[str]:
        """What the record says, once all its continuations are there."""
        return "".join(self._parts).split(",")

    @property
    def position(self) -> str:
        return f"line {self.line}"


@dataclass
class _Group:
    as_of: date
    currency: str


@dataclass
class _Account:
    """The account that is being read; `total` is what its trailer has to say."""

    number: str
    currency: str
    total: int = 0
    balances: dict[str, int] = field(default_factory=dict)


def read(file: BinaryIO) -> Parts:
    """The parts of a file. Raises StatementRefused."""
    file_id, group, account, ended, found = "", None, None, False, False
    for record in _records(lines_of(file)):
        match record.code:
            case "01":
                file_id = _field(record, 4)
            case "02":
                group = _group(record)
            case "03" if group is not None:
                account, found = _account(record, group), True
                id_ = f"{group.as_of:%Y%m%d}-{file_id}"
                yield Opened("bai2", account.number, account.currency, id_)
            case "16" if group is not None and account is not None:
                yield from _entry(record, group, account)
            case "49" if group is not None and account is not None:
                told = _amount(_field(record, 0), record)
                yield _closed(account, group, totals_hold=told == account.total)
                account = None
            case "98" if group is not None and account is None:
                group = None
            case "99" if group is None:
                ended = True
            case _:
                raise StatementRefused(
                    "out_of_order", f"A record {record.code} cannot be here.", record.position
                )
    if not ended:
        raise StatementRefused("truncated", "The file has no end: record 99 is missing.")
    if not found:
        raise StatementRefused("no_statement", "There is no account in the file.")


def _records(lines: Iterable[tuple[int, str]]) -> Iterator[_Record]:
    record: _Record | None = None
    for number, raw in lines:
        line = raw.strip()
        if not line:
            continue
        code, comma, text = line[:2], line[2:3], line[3:]
        if not code.isdigit() or comma != ",":
            raise StatementRefused("not_bai2", "This is no record of BAI2.", f"line {number}")
        if code == "88":
            if record is None:
                raise StatementRefused("out_of_order", "Nothing to go on with.", f"line {number}")
            record.go_on(text)
            continue
        if record is not None:
            yield record
        record = _Record(code, number, text)
    if record is not None:
        yield record


def _ends(text: str) -> bool:
    return text.endswith("/")


def _group(record: _Record) -> _Group:
    status = _field(record, 2)
    if status not in ("", "1", "3"):
        raise StatementRefused(
            "not_a_statement", "The group is a deletion or a test.", record.position
        )
    as_of = _date(_field(record, 3), record)
    if as_of is None:
        raise StatementRefused("bad_date", "The group has no date.", record.position)
    return _Group(as_of, currency_code(_field(record, 5) or _USUAL_CURRENCY, record.position))


def _account(record: _Record, group: _Group) -> _Account:
    currency = currency_code(_field(record, 1) or group.currency, record.position)
    account = _Account(_field(record, 0), currency)
    fields, at = record.fields, 2
    while at < len(fields):
        type_, amount, funds = _at(fields, at), _at(fields, at + 1), _at(fields, at + 3).upper()
        at += 4 + _availability(funds, _at(fields, at + 4))
        if type_ and amount:
            whole = _amount(amount, record)
            account.total += whole
            account.balances.setdefault(type_, whole)
    return account


def _entry(record: _Record, group: _Group, account: _Account) -> Iterator[Entry]:
    fields = record.fields
    amount = _amount(_at(fields, 1) or "0", record)
    account.total += amount
    direction = _direction(_at(fields, 0), record)
    if not direction:
        return
    funds = _at(fields, 2).upper()
    availability = fields[3 : 3 + _availability(funds, _at(fields, 3))]
    rest = fields[3 + len(availability) :]
    valued = _date(availability[0], record) if funds == "V" and availability else None
    text = ",".join(rest[2:]).strip()
    yield Entry(
        booking_date=group.as_of,
        value_date=valued or group.as_of,
        amount_minor=direction * amount,
        currency=account.currency,
        reference=_at(rest, 0) or _at(rest, 1) or None,
        end_to_end_id=_end_to_end(text) or (_at(rest, 1) or None),
        description=" ".join(text.split()) or None,
        bank_code=_at(fields, 0),
    )


def _end_to_end(text: str) -> str | None:
    found = re.search(r"(?m)^EREF:\s*(\S.*)$", text)
    return found[1].strip() if found else None


def _direction(type_: str, record: _Record) -> int:
    """+1 for a credit, -1 for a debit, 0 where no money moved. Raises StatementRefused."""
    code = int(type_) if type_.isdigit() else -1
    if any(code in some for some in _CREDITS):
        return 1
    if any(code in some for some in _DEBITS):
        return -1
    if any(code in some for some in _NOT_MONEY):
        return 0
    raise StatementRefused(
        "unknown_type", "Nothing says whether this entry came in or went out.", record.position
    )


def _availability(funds: str, first: str) -> int:
    """How many fields say when the money can be used; `first` is the first of them."""
    match funds:
        case "S":
            return 3
        case "V":
            return 2
        case "D":
            return 1 + 2 * int(first) if _COUNT.fullmatch(first) else 1
        case _:
            return 0


def _closed(account: _Account, group: _Group, *, totals_hold: bool) -> Closed:
    def balance(type_: str) -> Balance | None:
        found = account.balances.get(type_)
        return None if found is None else Balance(group.as_of, found)

    return Closed(balance(_OPENING), balance(_CLOSING), totals_hold)


def _amount(text: str, record: _Record) -> int:
    if not _AMOUNT.fullmatch(text.strip()):
        raise StatementRefused("bad_amount", "An amount cannot be read.", record.position)
    return int(text)


def _date(text: str, record: _Record) -> date | None:
    """YYMMDD; banks write YYYYMMDD, too."""
    text = text.strip()
    if not text:
        return None
    if not text.isdigit() or len(text) not in (6, 8):
        raise StatementRefused("bad_date", "A date cannot be read.", record.position)
    try:
        found = date.fromisoformat(text if len(text) == 8 else f"20{text}")
    except ValueError:
        raise StatementRefused("bad_date", "A date cannot be read.", record.position) from None
    return found


def _field(record: _Record, at: int) -> str:
    return _at(record.fields, at)


def _at(fields: list[str], at: int) -> str:
    return fields[at].strip() if at < len(fields) else ""
