"""What people get of a certificate: a list of breaks, and a page."""

import csv
import re
from dataclasses import replace
from typing import get_args

import pytest

from activities.reconciliation import words
from activities.reconciliation.page import LARGEST, money, page
from activities.reconciliation.report import COLUMNS, as_json, break_list
from tests.unit.reconciliation.sample import CERTIFICATE, LINES
from workers.cli.reconcile_shown import show
from workers.files_report import report
from workflows.reconciliation import proof
from workflows.reconciliation.books import (
    Book,
    BreakClass,
    Disposition,
    Leg,
    Rule,
    Status,
)
from workflows.reconciliation.certificate import (
    Age,
    Certificate,
    EquationName,
    Lack,
    Missing,
    TermName,
    certificate_id,
)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (Book, words.BOOK),
        (BreakClass, words.BREAK),
        (Disposition, words.DISPOSITION),
        (Rule, words.RULE),
        (Leg, words.LEG),
        (Status, words.STATUS),
        (Age, words.AGE),
        (EquationName, words.EQUATION),
        (Lack, words.LACK),
        (TermName, words.TERM),
    ],
)
def test_every_name_has_its_words(names: object, said: dict[str, object]) -> None:
    assert list(said) == list(get_args(names))


def test_the_json_is_what_the_id_is_the_hash_of() -> None:
    assert Certificate.model_validate_json(as_json(CERTIFICATE)) == CERTIFICATE


def test_the_list_of_breaks_reads_as_a_table() -> None:
    rows = list(csv.DictReader(break_list(CERTIFICATE, LINES)))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["subject"], row["at_risk"], row["days"], row["age"]) for row in rows] == [
        ("txn_1", "97.00", "1", "0-1"),
        ("<script>alert(1)</script>", "50.00", "41", "31-90"),
    ]


def test_what_came_from_outside_is_no_formula_in_a_spreadsheet() -> None:
    (row, _) = csv.DictReader(break_list(CERTIFICATE, LINES))
    assert row["reference"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (123450, "EUR", "1,234.50"),
        (-5, "EUR", "−0.05"),
        (1200, "JPY", "1,200"),
        (1200, "KWD", "1.200"),
        (0, "EUR", "0.00"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(minor: int, currency: str, written: str) -> None:
    assert money(minor, currency) == written


def test_the_page_tells_status_bridge_breaks_and_what_it_rests_on() -> None:
    told = page(CERTIFICATE, LINES)
    for expected in (
        "acme",
        "Saturday, 14 March 2026",
        "Every equation is zero.",
        "<b>Our in transit against what is truly on its way</b> · E4",
        "EUR: 7 open, 191.50 at risk",
        "JPY: 1 open, 1,200 at risk",
        certificate_id(CERTIFICATE),
    ):
        assert expected in told


def test_terms_have_the_signs_with_which_they_add_up() -> None:
    told = re.sub(r"<[^>]+>", "|", page(CERTIFICATE, LINES))
    (shown,) = re.findall(r"E1\|+(.*?) 0\.00", told)
    assert re.findall(r"[+−]?[\d.,]+\d|=", shown) == ["12,045.00", "−12,141.50", "+96.50", "="]


def test_equations_of_nothing_are_a_line() -> None:
    of_nothing = proof.bridge("JPY", proof.Figures(closing={}), ("clearing", "processor"))
    told = page(CERTIFICATE.model_copy(update={"bridge": CERTIFICATE.bridge + of_nothing}), LINES)
    assert "Nothing on either side: Our clearing against Stripe (E1, JPY)." in told
    assert "JPY</h3>" not in told.partition("Balances")[0]


def test_on_a_terminal_currencies_have_breaks_and_totals_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    yen = replace(LINES[0], currency="JPY", at_risk_minor=1_200)
    of_nothing = proof.bridge("JPY", proof.Figures(closing={}), ("clearing", "processor"))
    certificate = CERTIFICATE.model_copy(update={"bridge": CERTIFICATE.bridge + of_nothing})
    show(report(certificate, (*LINES, yen), (), first=None))
    told = capsys.readouterr().out
    assert "Breaks in EUR: 2, 147.00 EUR at risk" in told
    assert "Breaks in JPY: 1, 1,200 JPY at risk" in told
    (bridge,) = re.findall(r"\(E1\)\n(.*?= .*?)\n", told, re.DOTALL)
    added = re.findall(r"(= |[+-]?)([\d.,]+) EUR", bridge)
    assert ["".join(one) for one in added] == ["12,045.00", "-12,141.50", "+96.50", "= 0.00"]
    assert "Nothing on either side: Our clearing against Stripe (E1, JPY)." in told


def test_the_page_is_one_file_without_scripts() -> None:
    told = page(CERTIFICATE, LINES)
    assert "&lt;script&gt;alert(1)" in told
    assert not re.search(r"<script|\son\w+=|javascript:|https?://|url\(", told)


def test_the_page_lists_the_largest_breaks_only() -> None:
    many = page(CERTIFICATE, LINES * LARGEST)
    assert many.count("&lt;script&gt;") == LARGEST / 2


def test_the_page_says_first_what_is_missing() -> None:
    missing = Missing(
        lack="statement_gap", book="bank", subject="DE00 1", currency="EUR", amount_minor=1500
    )
    told = page(CERTIFICATE.model_copy(update={"status": "INCOMPLETE", "missing": (missing,)}), ())
    assert told.index("A statement before this one is missing") < told.index("The bridge")
    assert "15.00" in told
