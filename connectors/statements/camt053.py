"""ISO 20022 bank-to-customer statements: camt.053.001.01 to .13, in any namespace prefix.

Booked entries count; pending ones and those for information do not. The credit-debit indicator of
a reversal is already its own direction.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from connectors.statements.amounts import currency_code, iso_date, minor
from connectors.statements.statement import (
    Balance,
    Closed,
    Entry,
    Opened,
    Parts,
    StatementRefused,
)

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d\}Document")
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")
_NOTHING = ("NOTPROVIDED", "NONREF")
_DEEPEST = 50
"""Elements within each other. The standard's own messages need some 20; work grows with depth."""


@dataclass
class _Reading:
    """The statement that is being read."""

    number: int
    id: str = ""
    sequence: int | None = None
    account: str = ""
    currency: str = ""
    balances: list[tuple[str, str, Balance]] = field(default_factory=list)
    opened: bool = False
    entries: int = 0

    @property
    def position(self) -> str:
        return f"statement {self.number}"


def read(file: BinaryIO) -> Parts:
    """The parts of a file. Raises StatementRefused."""
    try:
        yield from _read(file)
    except ParseError as error:
        line, column = error.position
        raise StatementRefused(
            "not_well_formed", "The XML is broken, or cut off.", f"line {line}, column {column}"
        ) from None
    except DefusedXmlException:
        raise StatementRefused(
            "forbidden", "The XML has a document type or entities: it is not read.", "prolog"
        ) from None
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, StatementRefused):
            raise
        raise StatementRefused("bad_encoding", "The XML's encoding cannot be read.") from None


def _read(file: BinaryIO) -> Parts:
    path: list[str] = []
    parents: list[Element] = []
    statement = _Reading(0)
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        name = _local(element.tag)
        if event == "start":
            if not path:
                _must_be_a_statement(element.tag)
            if len(path) == _DEEPEST:
                raise StatementRefused(
                    "too_deep", f"Elements are more than {_DEEPEST} deep within each other."
                )
            path.append(name)
            parents.append(element)
            if path[2:] == ["Stmt"]:
                statement = _Reading(statement.number + 1)
            continue
        path.pop()
        parents.pop()
        if path[2:] == ["Stmt"]:
            if name == "Ntry":
                yield from _entry_of(element, statement)
            else:
                _note(name, element, statement)
            if name in ("Ntry", "Bal", "Acct", "TxsSummry", "Ntfctn"):
                parents[-1].remove(element)
        elif name == "Stmt" and len(path) == 2:
            if not statement.opened:
                yield _open(statement, None)
            yield _close(statement)
            parents[-1].remove(element)
    if not statement.number:
        raise StatementRefused("no_statement", "There is no statement in the file.", "Document")


def _must_be_a_statement(root: str) -> None:
    if _NAMESPACE.fullmatch(root):
        return
    kind = re.search(r"(camt\.\d{3})", root)
    detail = f"This is {kind[1]}, not a statement." if kind else "This is no camt.053 document."
    raise StatementRefused("not_a_statement", detail, "Document")


def _note(name: str, element: Element, statement: _Reading) -> None:
    match name:
        case "Id":
            statement.id = (element.text or "").strip()
        case "ElctrncSeqNb" | "LglSeqNb" if (element.text or "").strip().isdecimal():
            statement.sequence = int((element.text or "").strip())
        case "Acct":
            statement.account = _text(element, "Id/IBAN") or _text(element, "Id/Othr/Id") or ""
            if found := _text(element, "Ccy"):
                statement.currency = currency_code(found, f"{statement.position}, account")
        case "Bal":
            position = f"{statement.position}, balance {len(statement.balances) + 1}"
            code = _text(element, "Tp/CdOrPrtry/Cd") or _text(element, "Tp/CdOrPrtry/Prtry") or ""
            currency, amount = _amount(element, position)
            on = _text(element, "Dt/Dt") or _text(element, "Dt/DtTm")
            at = iso_date(on, position) if on else None
            statement.balances.append((code, currency, Balance(at, amount)))


def _entry_of(element: Element, statement: _Reading) -> Iterator[Opened | Entry]:
    status = _text(element, "Sts/Cd") or _text(element, "Sts") or "BOOK"
    if status != "BOOK":
        return
    statement.entries += 1
    position = f"{statement.position}, entry {statement.entries}"
    currency, amount = _amount(element, position)
    if not statement.opened:
        yield _open(statement, currency)
    if currency != statement.currency:
        raise StatementRefused(
            "mixed_currencies",
            f"An entry is in {currency}, its statement in {statement.currency}.",
            position,
        )
    yield _entry(element, currency, amount, position)


def _entry(element: Element, currency: str, amount: int, position: str) -> Entry:
    details = [
        one
        for all_of_it in element.findall(_tags(element.tag, "NtryDtls")[0])
        for one in all_of_it.findall(_tags(element.tag, "TxDtls")[0])
    ]
    single = details[0] if len(details) == 1 else None
    end_to_end = _text(single, "Refs/EndToEndId") if single is not None else None
    reference = _text(element, "AcctSvcrRef") or (
        _text(single, "Refs/AcctSvcrRef") if single is not None else None
    )
    booked, valued = _day(element, "BookgDt", position), _day(element, "ValDt", position)
    return Entry(
        booking_date=booked,
        value_date=valued,
        amount_minor=amount,
        currency=currency,
        reference=_told(reference),
        end_to_end_id=_told(end_to_end),
        description=_description(element, details),
        bank_code=_bank_code(element),
        number=None if reference else _told(_text(element, "NtryRef")),
    )


def _description(element: Element, details: list[Element]) -> str | None:
    words = []
    for one in details:
        words += [text for text in _texts(one, "RmtInf/Ustrd") if text]
        words += [text for text in _texts(one, "RmtInf/Strd/CdtrRefInf/Ref") if text]
    if not words:
        words = [_text(one, "AddtlTxInf") or "" for one in details]
        words.append(_text(element, "AddtlNtryInf") or "")
    return " ".join(word for word in words if word) or None


def _bank_code(element: Element) -> str | None:
    domain = _text(element, "BkTxCd/Domn/Cd")
    if domain:
        family = _text(element, "BkTxCd/Domn/Fmly/Cd")
        detail = _text(element, "BkTxCd/Domn/Fmly/SubFmlyCd")
        return "-".join(part for part in (domain, family, detail) if part)
    return _text(element, "BkTxCd/Prtry/Cd")


def _day(element: Element, name: str, position: str) -> date | None:
    found = _text(element, f"{name}/Dt") or _text(element, f"{name}/DtTm")
    return iso_date(found, position) if found else None


def _open(statement: _Reading, currency: str | None) -> Opened:
    if not statement.currency:
        booked = (one for code, one, _ in statement.balances if code in (*_OPENING, *_CLOSING))
        statement.currency = next(booked, currency or "")
    if not statement.currency:
        raise StatementRefused(
            "no_currency", "Nothing says the currency of the account.", statement.position
        )
    statement.opened = True
    return Opened(
        "camt.053", statement.account, statement.currency, statement.id, statement.sequence
    )


def _close(statement: _Reading) -> Closed:
    def of(codes: tuple[str, ...], *, last: bool) -> Balance | None:
        for code in codes:
            found = [
                balance
                for its, currency, balance in statement.balances
                if its == code and currency == statement.currency
            ]
            if found:
                return found[-1 if last else 0]
        return None

    return Closed(of(_OPENING, last=False), of(_CLOSING, last=True))


def _amount(element: Element, position: str) -> tuple[str, int]:
    found = element.find(_tags(element.tag, "Amt")[0])
    direction = _text(element, "CdtDbtInd")
    if found is None or direction not in ("CRDT", "DBIT"):
        raise StatementRefused("bad_amount", "Amount or direction is missing.", position)
    currency = currency_code(found.get("Ccy", ""), position)
    text = (found.text or "").strip()
    if text.startswith("-"):  # the direction says it: with both it may mean either
        raise StatementRefused("bad_amount", "An amount is negative.", position)
    amount = minor(text, currency, position)
    return currency, amount if direction == "CRDT" else -amount


def _told(reference: str | None) -> str | None:
    return None if reference in _NOTHING else reference


def _text(element: Element, path: str) -> str | None:
    found: Element | None = element
    for tag in _tags(element.tag, path):
        found = found.find(tag) if found is not None else None
    return (found.text or "").strip() or None if found is not None else None


def _texts(element: Element, path: str) -> list[str]:
    found = [element]
    for tag in _tags(element.tag, path):
        found = [child for one in found for child in one.findall(tag)]
    return [(one.text or "").strip() for one in found]


@functools.cache
def _tags(of: str, path: str) -> tuple[str, ...]:
    """The tags of a path in an element's namespace; a search for any namespace takes far longer."""
    namespace = of[: of.find("}") + 1]
    return tuple(namespace + part for part in path.split("/"))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
