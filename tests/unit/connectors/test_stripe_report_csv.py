"""Stripe's reports: each transaction is exact, or listed."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest

from connectors.csv_rows import BadRow, FileRefused
from connectors.movements import Balances, Movement
from connectors.stripe.report_csv import read, read_summary

HEADER = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category"
    ",source_id,description,customer_facing_amount,customer_facing_currency,automatic_payout_id,"
    "automatic_payout_effective_at_utc,charge_id,payment_metadata[order],card_brand,trace_id\n"
)
CHARGE = (
    "txn_1,2026-03-01 10:20:30,2026-03-05 00:00:00,eur,12.50,0.55,11.95,charge,ch_1,A book,13.60,"
    "usd,po_1,2026-03-06 00:00:00,ch_1,order-7,visa,\n"
)
PAYOUT = (
    "txn_2,2026-03-06 00:00:00,2026-03-06 00:00:00,eur,-11.95,0.00,-11.95,payout,po_1,STRIPE "
    "PAYOUT,,,,,,,,trace-1\n"
)


def rows(text: str) -> list[Movement | BadRow]:
    return list(read(io.BytesIO(text.encode()), "report.csv"))


def bad(text: str) -> list[tuple[int, str | None]]:
    return [(row.line, row.field) for row in rows(text) if isinstance(row, BadRow)]


def test_a_charge_and_its_payout_are_read() -> None:
    assert rows(HEADER + CHARGE + PAYOUT) == [
        Movement(
            id="txn_1",
            kind="charge",
            currency="EUR",
            gross_minor=1250,
            fees=(("", 55),),
            created_at=datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC),
            references={
                "source_id": "ch_1",
                "charge_id": "ch_1",
                "payment_metadata[order]": "order-7",
            },
            payout="po_1",
            arrival_on=None,
            trace_id=None,
            description="A book",
            presentment_minor=1360,
            presentment_currency="USD",
        ),
        Movement(
            id="txn_2",
            kind="payout",
            currency="EUR",
            gross_minor=-1195,
            fees=(),
            created_at=datetime(2026, 3, 6, tzinfo=UTC),
            references={"source_id": "po_1"},
            payout="po_1",
            arrival_on=date(2026, 3, 6),
            trace_id="trace-1",
            description="STRIPE PAYOUT",
        ),
    ]


@pytest.mark.parametrize(
    ("was", "is_", "field"),
    [
        ("11.95", "11.96", "net"),
        ("12.50", "=12.50", "gross"),
        ("0.55", "", "fee"),
        ("eur", "euro", "currency"),
        ("2026-03-01 10:20:30", "1 March", "created_utc"),
        ("txn_1", "", "balance_transaction_id"),
        ("charge", "", "reporting_category"),
        ("ch_1,A", "c" * 256 + ",A", None),
        ("13.60", "13;60", "customer_facing_amount"),
    ],
)
def test_a_row_of_which_anything_cannot_be_read_is_listed(
    was: str, is_: str, field: str | None
) -> None:
    assert bad(HEADER + CHARGE.replace(was, is_, 1) + PAYOUT) == [(2, field)]


def test_a_transaction_counts_once_and_another_under_its_id_is_bad() -> None:
    other = CHARGE.replace("12.50", "12.60").replace("11.95", "12.05")

    assert len(rows(HEADER + CHARGE + CHARGE)) == 1
    assert bad(HEADER + CHARGE + other) == [(3, "balance_transaction_id")]


def test_a_report_cut_short_in_a_row_is_told() -> None:
    assert bad((HEADER + CHARGE + PAYOUT)[:-40]) == [(3, None)]


@pytest.mark.parametrize("missing", ["balance_transaction_id", "net", "reporting_category"])
def test_a_report_without_its_columns_is_refused(missing: str) -> None:
    with pytest.raises(FileRefused, match=missing):
        rows(HEADER.replace(missing, "other"))


def summary(*amounts: tuple[str, str, str]) -> dict[str, Balances]:
    text = "category,description,net_amount,currency\n" + "".join(
        f"{category},,{amount},{currency}\n" for category, amount, currency in amounts
    )
    return read_summary(io.BytesIO(text.encode()), "summary.csv")


def test_a_summary_tells_opening_and_closing_of_each_currency() -> None:
    assert summary(
        ("starting_balance", "1.00", "eur"),
        ("activity", "5.00", "eur"),
        ("payouts", "-2.00", "eur"),
        ("ending_balance", "4.00", "eur"),
        ("starting_balance", "0", "jpy"),
        ("ending_balance", "7", "jpy"),
    ) == {"EUR": Balances(100, 400), "JPY": Balances(0, 7)}


@pytest.mark.parametrize(
    ("rows_", "error"),
    [
        ([("starting_balance", "1", "eur")], "missing_balance"),
        ([("starting_balance", "x", "eur"), ("ending_balance", "1", "eur")], "bad_row"),
        ([("starting_balance", "1", "eur")] * 2, "bad_row"),
        (
            [(name, "1", "eur") for name in ("starting_balance", "activity", "ending_balance")],
            "unproven",
        ),
    ],
)
def test_half_a_summary_is_none(rows_: list[tuple[str, str, str]], error: str) -> None:
    with pytest.raises(FileRefused) as refused:
        summary(*rows_)

    assert refused.value.error == error
