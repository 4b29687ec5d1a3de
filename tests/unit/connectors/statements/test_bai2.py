"""BAI2 reports: continuations, availabilities, types of entries, and totals that do not hold."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest

from connectors.statements.statement import Balance, Entry
from tests.unit.connectors.statements.reading import refused, statements

REPORT = """01,BANKUS33,EXAMPLE,260302,2200,7,80,,2/
02,EXAMPLE,BANKUS33,1,260302,2359,USD,2/
03,1234567,,010,100000,,,015,90500,,/
16,142,10500,V,260303,,BANK-7,PAYOUT-7,Payout of Monday/
16,475,20000,,CHECK-1,,Check paid/
49,221000,4/
98,221000,1,6/
99,221000,1,8/
"""


def test_a_report_is_read_and_proven() -> None:
    (read,) = statements(REPORT)
    assert (read.opened.format, read.opened.account) == ("bai2", "1234567")
    assert (read.opened.currency, read.opened.statement_id) == ("USD", "20260302-7")
    day = date(2026, 3, 2)
    assert read.entries == [
        Entry(day, date(2026, 3, 3), 10500, "USD", "BANK-7", "PAYOUT-7", "Payout of Monday", "142"),
        Entry(day, day, -20000, "USD", "CHECK-1", None, "Check paid", "475"),
    ]
    assert read.closed.opening == Balance(day, 100000)
    assert (read.proven.proof, read.proven.difference_minor) == ("proven", 0)


@pytest.mark.parametrize(
    "lines",
    [
        "03,1234567,,010,100000,,/\n88,015,90500,,/",
        "03,1234567,,010/\n88,100000,,,015/\n88,90500,,/",
        "03,1234567,USD,010,+100000,,,015,+90500,,,/",
        "03,1234567,,010,100000,2,S,1,2,3,015,90500,,V,260302,/",
        "03,1234567,,010,100000,2,D,2,0,60000,1,40000,015,90500,,/",
    ],
    ids=["after a balance", "in a balance", "more commas", "availabilities", "distributed"],
)
def test_balances_may_go_on_in_the_next_line(lines: str) -> None:
    text = REPORT.replace("03,1234567,,010,100000,,,015,90500,,/", lines)
    assert statements(text)[0].proven.proof == "proven"


def test_an_entrys_text_goes_on_over_lines_and_may_have_commas_and_slashes() -> None:
    text = REPORT.replace(
        "Payout of Monday/", "Payout, of Monday\n88,EREF: E2E-7\n88,and/or Tuesday"
    )
    entry = statements(text)[0].entries[0]
    assert entry.description == "Payout, of Monday EREF: E2E-7 and/or Tuesday"
    assert entry.end_to_end_id == "E2E-7"
    assert statements(text)[0].proven.proof == "proven"


@pytest.mark.parametrize(
    ("availability", "value_date"),
    [
        ("", date(2026, 3, 2)),
        ("Z", date(2026, 3, 2)),
        ("0", date(2026, 3, 2)),
        ("S,1,2,3", date(2026, 3, 2)),
        ("V,260305,1200", date(2026, 3, 5)),
        ("V,,", date(2026, 3, 2)),
        ("D,2,0,5000,1,5500", date(2026, 3, 2)),
    ],
)
def test_availability_is_stepped_over_whatever_its_form(
    availability: str, value_date: date
) -> None:
    text = REPORT.replace("16,142,10500,V,260303,,", f"16,142,10500,{availability},")
    entry = statements(text)[0].entries[0]
    assert (entry.reference, entry.end_to_end_id) == ("BANK-7", "PAYOUT-7")
    assert (entry.amount_minor, entry.value_date) == (10500, value_date)


@pytest.mark.parametrize(
    ("type_", "sign"), [("100", 1), ("399", 1), ("400", -1), ("699", -1), ("920", 1), ("960", -1)]
)
def test_the_type_says_whether_it_came_in_or_went_out(type_: str, sign: int) -> None:
    text = REPORT.replace("16,475,20000", f"16,{type_},20000")
    assert statements(text)[0].amounts[1] == sign * 20000


def test_a_type_without_money_is_no_entry_and_an_unknown_one_is_refused() -> None:
    text = REPORT.replace("16,475,20000", "16,890,20000")
    assert statements(text)[0].amounts == [10500]
    no = refused(REPORT.replace("16,475,20000", "16,720,20000"))
    assert (no.error, no.position) == ("unknown_type", "line 5")


def test_the_currency_is_the_accounts_the_groups_or_dollars() -> None:
    account = REPORT.replace("03,1234567,,", "03,1234567,JPY,")
    assert statements(account)[0].opened.currency == "JPY"
    group = REPORT.replace("2359,USD,2/", "2359,CAD,2/")
    assert statements(group)[0].opened.currency == "CAD"
    nobody = REPORT.replace("2359,USD,2/", "2359,,2/")
    assert statements(nobody)[0].opened.currency == "USD"


def test_several_accounts_are_several_statements() -> None:
    account = REPORT[REPORT.index("03,") : REPORT.index("98,")]
    text = REPORT.replace(account, account + account.replace("1234567", "7654321"))
    read = statements(text)
    assert [one.opened.account for one in read] == ["1234567", "7654321"]
    assert [one.proven.proof for one in read] == ["proven", "proven"]


def test_a_control_total_that_does_not_hold_leaves_the_statement_unproven() -> None:
    (read,) = statements(REPORT.replace("49,221000,4/", "49,221001,4/"))
    assert (read.proven.proof, read.proven.difference_minor) == ("unproven", 0)


@pytest.mark.parametrize(
    ("text", "error", "position"),
    [
        (REPORT[: REPORT.index("99,")], "truncated", None),
        (REPORT[: REPORT.index("49,")], "truncated", None),
        (REPORT.replace("98,221000,1,6/\n", ""), "out_of_order", "line 7"),
        (REPORT.replace("16,142,10500", "16,142,105.00"), "bad_amount", "line 4"),
        (REPORT.replace("260302,2359", "261302,2359"), "bad_date", "line 2"),
        (REPORT.replace("US33,1,", "US33,4,"), "not_a_statement", "line 2"),
        (REPORT.replace("16,475", "1x,475"), "not_bai2", "line 5"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(
    text: str, error: str, position: str | None
) -> None:
    no = refused(text)
    assert (no.error, no.position) == (error, position)


def test_a_record_goes_on_for_long_but_not_forever() -> None:
    def text(continuations: int) -> str:
        return REPORT.replace("Check paid/", "Check paid\n" + "88,on\n" * continuations)

    assert (statements(text(10_000))[0].entries[1].description or "").count("on") == 10_000
    no = refused(text(10_001))
    assert (no.error, no.position) == ("too_long", "line 5")


def test_an_account_of_very_many_balances_is_read_in_linear_time() -> None:
    more = "88,100,1,,/\n" * 9_999
    wide = "88," + "100,1,,," * 8_000 + "100,1,,/\n"
    text = REPORT.replace("90500,,/\n", "90500,,/\n" + more + wide)
    began = process_time()
    assert len(statements(text)[0].entries) == 2
    assert process_time() - began < 5
