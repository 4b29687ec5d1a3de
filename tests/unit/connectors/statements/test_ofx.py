"""OFX in both of its forms, as sloppy as banks write it, and files that mean harm."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.statements.statement import Balance, Entry
from tests.unit.connectors.statements.reading import refused, statements

HEADER = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"
BODY = """<OFX><BANKMSGSRSV1><STMTTRNRS><TRNUID>T-1<STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>100<ACCTID>1234567<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260301<DTEND>20260302
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260302120000[-5:EST]<TRNAMT>10.5<FITID>F-1<NAME>Payout
<MEMO>of Monday</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260302<DTAVAIL>20260303<TRNAMT>-20,00<FITID>F-2<REFNUM>R-2
<NAME>Fee</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>90.50<DTASOF>20260302</LEDGERBAL></STMTRS></STMTTRNRS>
</BANKMSGSRSV1></OFX>
"""
FILE = HEADER + BODY


def test_a_statement_is_read_and_cannot_be_proven_alone() -> None:
    (read,) = statements(FILE)
    assert (read.opened.format, read.opened.account) == ("ofx", "1234567")
    assert (read.opened.currency, read.opened.statement_id) == ("EUR", "20260301-20260302")
    day = date(2026, 3, 2)
    assert read.entries == [
        Entry(day, day, 1050, "EUR", "F-1", None, "Payout of Monday", "CREDIT"),
        Entry(day, date(2026, 3, 3), -2000, "EUR", "F-2", "R-2", "Fee", "DEBIT"),
    ]
    assert read.closed.closing == Balance(day, 9050)
    assert (read.proven.proof, read.proven.difference_minor) == ("unprovable", None)


def test_the_xml_form_is_read() -> None:
    closed = BODY
    for name in ("TRNUID", "CURDEF", "BANKID", "ACCTID", "ACCTTYPE", "DTSTART", "DTEND", "TRNTYPE",
                 "DTPOSTED", "DTAVAIL", "TRNAMT", "FITID", "REFNUM", "NAME", "MEMO", "BALAMT",
                 "DTASOF"):  # fmt: skip
        parts = closed.split(f"<{name}>")
        closed = parts[0] + "".join(
            f"<{name}>{rest.partition('<')[0].strip()}</{name}><{rest.partition('<')[2]}"
            for rest in parts[1:]
        )
    xml = f'<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200" VERSION="211"?>{closed}'
    assert statements(xml)[0].amounts == statements(FILE)[0].amounts


def test_cards_and_several_statements() -> None:
    card = BODY.replace("BANKMSGSRSV1", "CREDITCARDMSGSRSV1").replace("STMTTRNRS", "CCSTMTTRNRS")
    card = card.replace("<STMTRS>", "<CCSTMTRS>").replace("</STMTRS>", "</CCSTMTRS>")
    card = card.replace("BANKACCTFROM", "CCACCTFROM")
    (read,) = statements(HEADER + card)
    assert (read.opened.account, read.amounts) == ("1234567", [1050, -2000])
    one = BODY[BODY.index("<STMTTRNRS>") : BODY.index("</BANKMSGSRSV1>")]
    assert len(statements(FILE.replace(one, one + one))) == 2


@pytest.mark.parametrize("prolog", ["<!DOCTYPE OFX>", '<!ENTITY a "b">', "<! doctype x>"])
def test_document_types_and_entities_are_refused_unread(prolog: str) -> None:
    assert refused(HEADER + prolog + BODY).error == "forbidden"
    assert refused(HEADER + BODY.replace("Payout", prolog)).error == "forbidden"


@pytest.mark.parametrize(
    ("file", "error", "position"),
    [
        (FILE[: FILE.index("<LEDGERBAL>")], "truncated", None),
        (FILE.replace("</BANKTRANLIST>", ""), "not_well_formed", None),
        (FILE.replace("10.5", "1O.5"), "bad_amount", "statement 1, entry 1"),
        (FILE.replace("-20,00", "-20,005"), "bad_amount", "statement 1, entry 2"),
        (FILE.replace("20260302120000", "20261302120000"), "bad_date", "statement 1, entry 1"),
        (FILE.replace("<FITID>F-2", "<FITID>F-2<CURRENCY><CURRATE>1<CURSYM>USD</CURRENCY>"),
         "mixed_currencies", "statement 1, entry 2"),
        (HEADER + "<OFX></OFX>", "no_statement", "OFX"),
        (HEADER, "not_ofx", None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(
    file: str, error: str, position: str | None
) -> None:
    no = refused(file)
    assert (no.error, no.position) == (error, position)


def test_letters_are_read_in_the_encoding_that_the_header_names() -> None:
    text = FILE.replace("Payout", "Überweisung")
    assert statements(text.encode("cp1252"))[0].entries[0].description == "Überweisung of Monday"
    utf8 = text.replace("USASCII", "UTF-8")
    assert statements(utf8.encode())[0].entries[0].description == "Überweisung of Monday"
    assert refused(utf8.encode("cp1252")).error == "bad_encoding"
