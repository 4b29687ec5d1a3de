"""SWIFT messages as banks write them: pages, reversals, envelopes, and what is cut off."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.statements.statement import Balance, Entry
from tests.unit.connectors.statements.reading import refused, statements

MESSAGE = """:20:STARTUMS
:25:10020030/1234567
:28C:00042/001
:60F:C260301EUR100,00
:61:2603020302C10,5NTRFPAYOUT-7//BANK-7
:86:166?00GUTSCHRIFT?20EREF+E2E-7?21SVWZ+Payout?22 of Monday?32EXAMPLE LTD
:61:2603030302D20,NMSCNONREF
:86:Card payment
in two lines
:62F:C260302EUR90,50
:64:C260302EUR80,00
:86:Said of the whole statement
-"""


def message(**changes: str) -> str:
    text = MESSAGE
    for tag, line in changes.items():
        name = tag.removeprefix("_")
        begin = text.index(f":{name}:")
        end = text.index("\n", begin)
        text = text[:begin] + line + text[end + (not line) :]
    return text


def test_a_message_is_read_and_proven() -> None:
    (read,) = statements(MESSAGE)
    assert (read.opened.format, read.opened.account) == ("mt940", "10020030/1234567")
    assert (read.opened.currency, read.opened.statement_id) == ("EUR", "00042/001")
    payout, card = read.entries
    assert (payout.amount_minor, payout.reference) == (1050, "BANK-7")
    assert payout.end_to_end_id == "E2E-7"
    assert payout.bank_code == "NTRF"
    assert "Payout" in (payout.description or "")
    assert card == Entry(
        date(2026, 3, 2), date(2026, 3, 3), -2000, "EUR", None, None,
        "Card payment in two lines", "NMSC",
    )  # fmt: skip
    assert read.closed.opening == Balance(date(2026, 3, 1), 10000)
    assert read.closed.closing == Balance(date(2026, 3, 2), 9050)
    assert (read.proven.proof, read.proven.difference_minor) == ("proven", 0)


def test_what_does_not_add_up_is_unproven_by_the_difference() -> None:
    (read,) = statements(message(_62F=":62F:D260302EUR1,00"))
    assert (read.proven.proof, read.proven.difference_minor) == ("unproven", -9150)


@pytest.mark.parametrize(
    ("mark", "minor"), [("C", 500), ("D", -500), ("RC", -500), ("RD", 500), ("CR", 500)]
)
def test_a_reversal_goes_against_what_it_reverses(mark: str, minor: int) -> None:
    text = MESSAGE.replace("2603030302D20,N", f"2603030302{mark}5,N")
    assert statements(text)[0].amounts == [1050, minor]


@pytest.mark.parametrize(
    ("currency", "written", "minor"), [("JPY", "1200,", 1200), ("KWD", "1,234", 1234)]
)
def test_minor_units_are_the_currencys(currency: str, written: str, minor: int) -> None:
    text = MESSAGE.replace("EUR100,00", f"{currency}100,").replace("EUR90,50", f"{currency}90,")
    text = text.replace("EUR80,00", f"{currency}80,").replace("C10,5N", f"C{written}N")
    (read,) = statements(text)
    assert read.amounts[0] == minor
    assert read.opened.currency == currency


def test_each_page_proves_itself_by_its_intermediate_balances() -> None:
    first = message(_62F=":62M:C260302EUR90,50")
    second = message(_28C=":28C:00042/002", _60F=":60M:C260301EUR100,00")
    read = statements(f"{first}\n{second}\n")
    assert [one.opened.statement_id for one in read] == ["00042/001", "00042/002"]
    assert [one.proven.proof for one in read] == ["proven", "proven"]


@pytest.mark.parametrize(
    "file",
    [
        MESSAGE.replace("\n", "\r\n"),
        "{1:F01BANKDEFFAXXX0000000000}{2:O9400000N}{4:\n" + MESSAGE + "}{5:{CHK:0}}\n",
        "{1:F01BANKDEFFAXXX0000000000}{2:O9400000N}{4:" + MESSAGE + "}\n",
        "BANKDEFF\n940\nBANKDEFF\n" + MESSAGE + "\n",
        ":940:\n" + MESSAGE,
        "\ufeff" + MESSAGE,
        MESSAGE.removesuffix("\n-"),
    ],
    ids=["crlf", "envelope", "envelope in one line", "names before it", "940", "mark", "no end"],
)
def test_envelopes_and_line_ends_do_not_matter(file: str) -> None:
    (read,) = statements(file)
    assert read.proven.proof == "proven"
    assert read.amounts == [1050, -2000]


def test_an_interim_report_has_no_closing_balance_and_is_unprovable() -> None:
    text = MESSAGE[: MESSAGE.index(":62F:")].replace(":60F:C260301EUR100,00", ":34F:EURD0,")
    text = text.replace(":61:2603020302", ":13D:2603021200+0100\n:61:2603020302", 1)
    (read,) = statements(text + ":90D:1EUR20,\n:90C:1EUR10,5\n-")
    assert read.opened.format == "mt942"
    assert read.opened.currency == "EUR"
    assert read.amounts == [1050, -2000]
    assert read.proven.proof == "unprovable"


def test_letters_beyond_ascii_are_read_in_both_encodings() -> None:
    text = MESSAGE.replace("Card payment", "Überweisung")
    for encoding in ("utf-8", "cp1252"):
        assert statements(text.encode(encoding))[0].entries[1].description == (
            "Überweisung in two lines"
        )


@pytest.mark.parametrize(
    ("file", "error", "position"),
    [
        (MESSAGE[: MESSAGE.index(":62F:")], "truncated", "line 1"),
        (MESSAGE.replace("C10,5N", "C1O,5N"), "bad_message", "line 1"),
        (MESSAGE.replace(":61:260302", ":61:261302", 1), "bad_message", "line 1"),
        (MESSAGE.replace("C10,5N", "C10,555N"), "bad_amount", "line 1"),
        (f"{MESSAGE}\n{MESSAGE.replace('C10,5N', 'C1O,5N')}", "bad_message", "line 14"),
        (MESSAGE.replace("Card", "Ca\x00rd"), "bad_encoding", "line 8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    file: str, error: str, position: str
) -> None:
    no = refused(file)
    assert (no.error, no.position) == (error, position)
