"""OFX 1 (SGML) and OFX 2 (XML): statements of bank and card accounts.

Read as a tree and not through the library's models: real files leave out what those demand. OFX
has a closing balance and no opening one, so that a statement of it alone cannot be proven.
"""

import re
from datetime import date
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

from ofxtools.Parser import TreeBuilder

from connectors.statements.amounts import currency_code, minor
from connectors.statements.statement import (
    Balance,
    Closed,
    Entry,
    Opened,
    Parts,
    StatementRefused,
)

LARGEST = 64 * 1024 * 1024
"""Bytes: the library keeps a whole file in memory."""
_FORBIDDEN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_BEGIN = re.compile(rb"<OFX>", re.IGNORECASE)
_UTF_8 = re.compile(rb"ENCODING:\s*(?:UTF-?8|UNICODE)|encoding=[\"']utf-8", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")


def read(file: BinaryIO) -> Parts:
    """The parts of a file. Raises StatementRefused."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise StatementRefused("too_large", f"An OFX file has at most {LARGEST} bytes.")
    if _FORBIDDEN.search(content):
        raise StatementRefused("forbidden", "The file has a document type or entities.", "prolog")
    root = _tree(content)
    found = [
        (response, statement)
        for response in root.iter()
        for statement in response
        if statement.tag in ("STMTRS", "CCSTMTRS")
    ]
    if not found:
        raise StatementRefused("no_statement", "There is no statement in the file.", "OFX")
    for number, (response, statement) in enumerate(found, start=1):
        yield from _statement(response, statement, f"statement {number}")


def _tree(content: bytes) -> Element:
    """The elements; of the header, which many banks write in their own way, the encoding only."""
    begin = _BEGIN.search(content)
    if begin is None:
        raise StatementRefused("not_ofx", "There is no <OFX> in the file.")
    header, body = content[: begin.start()], content[begin.start() :]
    utf8 = _UTF_8.search(header) is not None
    try:
        text = body.decode("utf-8" if utf8 else "cp1252")
    except UnicodeDecodeError:
        raise StatementRefused(
            "bad_encoding", "The file is not in the encoding it names."
        ) from None
    if not text.rstrip().upper().endswith("</OFX>"):
        raise StatementRefused("truncated", "The file has no end: </OFX> is missing.")
    builder = _Strict()
    try:
        builder.feed(text)
        root: Element = builder.close()
    except (ParseError, SyntaxError, ValueError, LookupError, AssertionError):
        raise StatementRefused("not_well_formed", "The OFX is broken, or cut off.") from None
    return root


class _Strict(TreeBuilder):
    """The library's own takes any end for the one that it waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        self._open.append(tag)
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        if not self._open or self._open.pop() != tag:
            raise ParseError(f"{tag} ends where it did not begin")
        return super().end(tag)


def _statement(response: Element, statement: Element, position: str) -> Parts:
    currency = currency_code(_text(statement, "CURDEF") or "", position)
    account = _text(statement, "BANKACCTFROM/ACCTID") or _text(statement, "CCACCTFROM/ACCTID")
    begin, end = (_text(statement, f"BANKTRANLIST/{name}") for name in ("DTSTART", "DTEND"))
    days = "-".join(one[:8] for one in (begin, end) if one)
    id_ = days or _text(response, "TRNUID") or ""
    yield Opened("ofx", account or "", currency, id_)
    for number, told in enumerate(statement.iterfind("BANKTRANLIST/STMTTRN"), start=1):
        yield _entry(told, currency, f"{position}, entry {number}")
    closing = None
    if amount := _text(statement, "LEDGERBAL/BALAMT"):
        at = _day(_text(statement, "LEDGERBAL/DTASOF"), position)
        closing = Balance(at, _minor(amount, currency, position))
    yield Closed(None, closing)


def _entry(told: Element, currency: str, position: str) -> Entry:
    other = _text(told, "CURRENCY/CURSYM")
    if other not in (None, currency):
        raise StatementRefused(
            "mixed_currencies", f"An entry is in {other}, its statement in {currency}.", position
        )
    words = (_text(told, "NAME") or _text(told, "PAYEE/NAME"), _text(told, "MEMO"))
    posted = _day(_text(told, "DTPOSTED"), position)
    return Entry(
        booking_date=posted,
        value_date=_day(_text(told, "DTAVAIL"), position) or posted,
        amount_minor=_minor(_text(told, "TRNAMT") or "", currency, position),
        currency=currency,
        reference=_text(told, "FITID"),
        end_to_end_id=_text(told, "REFNUM") or _text(told, "CHECKNUM"),
        description=" ".join(word for word in words if word) or None,
        bank_code=_text(told, "TRNTYPE"),
    )


def _minor(text: str, currency: str, position: str) -> int:
    """With a point or a comma, as the specification allows."""
    return minor(text.replace(",", ".") if text.count(",") == 1 else text, currency, position)


def _day(text: str | None, position: str) -> date | None:
    if text is None:
        return None
    match = _DAY.match(text)
    try:
        return date(*(int(part) for part in match.groups())) if match else _no_date(position)
    except ValueError:
        return _no_date(position)


def _no_date(position: str) -> date:
    raise StatementRefused("bad_date", "A date cannot be read.", position)


def _text(element: Element, path: str) -> str | None:
    found = element.findtext(path)
    return found.strip() or None if found else None
