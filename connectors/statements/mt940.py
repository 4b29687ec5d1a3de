"""SWIFT customer statements (MT940) and interim reports (MT942), as banks really write them.

Every message, `:20:` to the next, is a statement of its own: a page of a longer one has its own
intermediate balances and proves itself by them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from mt940.models import Transactions
from mt940.options import Options

from connectors.statements.amounts import currency_code, minor
from connectors.statements.statement import (
    Balance,
    Closed,
    Entry,
    Format,
    Opened,
    Parts,
    StatementRefused,
)
from connectors.statements.text import lines_of

_START = ":20:"
_AFTER_THE_LAST_ENTRY = re.compile(r"(?ms)^(:62[FM]:.*?$)(.*?)(?=^:61:|\Z)")
_ENTRY = re.compile(r"(?m)^:61:")
_OPENS = re.compile(r"(?m)^:60[FM]:")
_CLOSES = re.compile(r"(?m)^:62[FM]:")
_NOTE = re.compile(r"(?ms)^:86:.*?(?=^:\d\d[A-Z]?:|\Z)")
_INTERIM = re.compile(r"(?m)^:(?:34F|13D?|90[CD]):")
_END_TO_END = re.compile(r"(?:/EREF/|EREF\+)\s*([^/?\n]{1,35})")
_OPENING = ("final_opening_balance", "intermediate_opening_balance")
_CLOSING = ("final_closing_balance", "intermediate_closing_balance")
_EVERY_FIX = Options.all()
"""Without them a reversed credit comes in, and long descriptions are cut."""
_NOTHING = (None, "", "NONREF", "NOTPROVIDED", "EREF")


@dataclass(frozen=True)
class _Message:
    text: str
    line: int


def read(file: BinaryIO) -> Parts:
    """The parts of a file. Raises StatementRefused."""
    found = False
    for message in _messages(lines_of(file)):
        found = True
        yield from _statement(message)
    if not found:
        raise StatementRefused("no_statement", "There is no message: no line begins with :20:.")


def _messages(lines: Iterable[tuple[int, str]]) -> Iterator[_Message]:
    """Each message without what carries it: `{1:…}{4:` before it, `-` and `-}` after it."""
    gathered: list[str] = []
    begun = 0
    ended = True
    for number, raw in lines:
        line = raw.partition("{4:")[2] or raw
        if line.startswith(_START):
            if gathered:
                yield _Message("\n".join(gathered), begun)
            gathered, begun, ended = [line], number, False
        elif gathered and (line == "-" or line.startswith("-}")):
            ended = True
        elif gathered and (not ended or line.startswith(":")):
            gathered.append(line)
            ended = False
    if gathered:
        yield _Message("\n".join(gathered), begun)


def _statement(message: _Message) -> Parts:
    position = f"line {message.line}"
    # What is said about the whole statement would be taken for the last entry's description.
    text = _AFTER_THE_LAST_ENTRY.sub(lambda m: m[1] + _NOTE.sub("", m[2]), message.text)
    try:
        parsed = Transactions(options=_EVERY_FIX)
        parsed.parse(text)
    except (RuntimeError, ValueError, ArithmeticError, KeyError, AttributeError, TypeError):
        raise StatementRefused(
            "bad_message", "A field of the message cannot be read.", position
        ) from None
    told: dict[str, Any] = parsed.data
    interim = _INTERIM.search(text) is not None
    opening, closing = _balance(told, _OPENING, position), _balance(told, _CLOSING, position)
    there = (len(parsed.transactions), opening is not None, closing is not None)
    lines = (_ENTRY.findall(text), _OPENS.search(text), _CLOSES.search(text))
    if there != (len(lines[0]), lines[1] is not None, lines[2] is not None):
        # The library leaves out what it cannot read.
        raise StatementRefused(
            "bad_message", "An entry or a balance of the message cannot be read.", position
        )
    if not interim and closing is None:
        raise StatementRefused("truncated", "The message has no closing balance, :62F:.", position)
    format_: Format = "mt942" if interim and closing is None else "mt940"
    currency = currency_code(str(parsed.currency or ""), position)
    number, sequence = told.get("statement_number"), told.get("sequence_number")
    id_ = "/".join(str(part) for part in (number, sequence) if part) or str(
        told.get("transaction_reference") or ""
    )
    account = str(told.get("account_identification") or "")
    yield Opened(format_, account, currency, id_, int(number) if number else None)
    for entry in parsed.transactions:
        yield _entry(entry.data, currency, position)
    yield Closed(opening, closing)


def _entry(told: dict[str, Any], currency: str, position: str) -> Entry:
    if "amount" not in told:
        raise StatementRefused("bad_message", "A description has no entry before it.", position)
    text = told.get("purpose") or told.get("transaction_details") or told.get("extra_details")
    end_to_end = told.get("end_to_end_reference")
    if not end_to_end and (named := _END_TO_END.search(str(told.get("transaction_details") or ""))):
        end_to_end = named[1].strip()
    references = (told.get("bank_reference"), told.get("customer_reference"))
    valued = _day(told.get("date"))
    return Entry(
        booking_date=_day(told.get("entry_date")) or valued,
        value_date=valued,
        amount_minor=_minor(told["amount"].amount, currency, position),
        currency=currency,
        reference=next((one for one in references if one not in _NOTHING), None),
        end_to_end_id=None if end_to_end in _NOTHING else end_to_end,
        description=" ".join(str(text).split()) or None if text else None,
        bank_code=told.get("id"),
    )


def _balance(told: dict[str, Any], names: tuple[str, ...], position: str) -> Balance | None:
    found = next((told[name] for name in names if told.get(name) is not None), None)
    if found is None:
        return None
    amount = found.amount
    return Balance(_day(found.date), _minor(amount.amount, amount.currency, position))


def _minor(amount: Decimal, currency: str, position: str) -> int:
    return minor(f"{amount:f}", currency, position)


def _day(found: Any) -> date | None:
    """The library's own date as a plain one."""
    return None if found is None else date(found.year, found.month, found.day)
