"""OFX 2: a response for each statement. It has no opening balance, so that it proves nothing."""

from collections.abc import Sequence
from typing import TextIO
from xml.sax.saxutils import escape

from simulators.bank.money import major
from simulators.bank.statement import Entry, Statement

_BEGIN = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>\
<DTSERVER>{on:%Y%m%d}230000</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1>
"""
_END = "</BANKMSGSRSV1>\n</OFX>\n"
_NAME = 32
"""Characters of a name; what is longer goes on in the memo."""


def write(file: TextIO, statements: Sequence[Statement], _most: int | None = None) -> None:
    """One file with all statements; the format knows no pages."""
    file.write(_BEGIN.format(on=statements[-1].day))
    for statement in statements:
        file.write(_head(statement))
        file.writelines(_entry(entry) for entry in statement.entries)
        file.write(_foot(statement))
    file.write(_END)


def _head(its: Statement) -> str:
    day = f"{its.day:%Y%m%d}"
    return (
        f"<STMTTRNRS><TRNUID>{its.currency}-{its.number:06d}</TRNUID>"
        "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
        f"<STMTRS><CURDEF>{its.currency}</CURDEF><BANKACCTFROM><BANKID>50010517</BANKID>"
        f"<ACCTID>{its.account}</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{day}</DTSTART><DTEND>{day}</DTEND>\n"
    )


def _entry(entry: Entry) -> str:
    name, memo = entry.description[:_NAME], entry.description[_NAME:]
    trace = f"<REFNUM>{entry.trace}</REFNUM>" if entry.trace else ""
    return (
        f"<STMTTRN><TRNTYPE>{'DEBIT' if entry.amount < 0 else 'CREDIT'}</TRNTYPE>"
        f"<DTPOSTED>{entry.booked_on:%Y%m%d}</DTPOSTED><DTAVAIL>{entry.value_on:%Y%m%d}</DTAVAIL>"
        f"<TRNAMT>{major(entry.amount, entry.currency)}</TRNAMT><FITID>{entry.reference}</FITID>"
        f"{trace}<NAME>{escape(name)}</NAME>"
        f"{f'<MEMO>{escape(memo)}</MEMO>' if memo else ''}</STMTTRN>\n"
    )


def _foot(its: Statement) -> str:
    return (
        f"</BANKTRANLIST><LEDGERBAL><BALAMT>{major(its.closing, its.currency)}</BALAMT>"
        f"<DTASOF>{its.day:%Y%m%d}</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS>\n"
    )
