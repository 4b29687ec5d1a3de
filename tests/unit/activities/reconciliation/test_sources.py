"""What sources tell becomes items: every minor unit of it, each known by its source's own id."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from activities.reconciliation.columns import items_of_ledger
from activities.reconciliation.sources import (
    StatementContent,
    StatementItems,
    items_of_movements,
    naming,
)
from connectors.ledger_columns import SCHEMA
from connectors.ledger_csv import LedgerLine
from connectors.movements import Movement
from connectors.statements.statement import Balance, Closed, Entry, Format, Opened, StatementRefused
from database.reconciliation.item import NewItem

BERLIN = ZoneInfo("Europe/Berlin")
CHARGE = Movement(
    id="txn_1",
    kind="charge",
    currency="EUR",
    gross_minor=1000,
    fees=(("stripe_fee", 30), ("tax", 5)),
    created_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    references={"source_id": "ch_1", "payment_intent_id": "pi_1"},
    payout="po_1",
)
PAYOUT = CHARGE._replace(id="txn_2", kind="payout", gross_minor=-965, fees=(), references={})
FAILED = PAYOUT._replace(
    id="txn_3", kind="payout_reversal", references={"source_id": "po_1"}, payout="po_2"
)
LINE = LedgerLine(
    entry_id="e-1",
    line=2,
    booked_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    booked_on=None,
    account="clearing",
    kind="charge",
    currency="EUR",
    amount_minor=-1000,
    reference="pi_1",
    payout=None,
    arrival_on=None,
    description=None,
    presentment_minor=1100,
    presentment_currency="USD",
    derived=False,
)
ENTRY = Entry(date(2026, 3, 2), date(2026, 3, 3), 1000, "EUR", "BANK-7", "E2E", "Text", "PMNT")


def test_the_components_of_a_transaction_sum_to_its_net() -> None:
    items = list(items_of_movements([CHARGE], ["source_id"], BERLIN))

    assert [(item.component, item.kind, item.amount_minor) for item in items] == [
        ("gross", "charge", 1000),
        ("fee:stripe_fee", "fee", -30),
        ("fee:tax", "fee", -5),
    ]
    assert sum(item.amount_minor for item in items) == CHARGE.net_minor == 965
    assert {(item.source_id, item.reference) for item in items} == {("txn_1", "ch_1")}


@pytest.mark.parametrize(
    ("movement", "keys", "reference"),
    [
        (CHARGE, ["payment_intent_id", "source_id"], "pi_1"),
        (CHARGE, ["payment_metadata[order]", "source_id"], "ch_1"),
        (CHARGE, ["payment_metadata[order]"], "txn_1"),
        (PAYOUT, ["payment_intent_id"], "po_1"),
        (FAILED, ["payment_intent_id"], "po_1"),
    ],
)
def test_a_transaction_is_known_by_the_first_key_that_is_there(
    movement: Movement, keys: list[str], reference: str
) -> None:
    assert {item.reference for item in items_of_movements([movement], keys, BERLIN)} == {reference}


def item_of(line: LedgerLine) -> NewItem:
    items = items_of_ledger(pl.DataFrame([line], SCHEMA, orient="row"), BERLIN)
    return NewItem(**items.row(0, named=True))


def test_the_day_is_that_of_the_accounts_zone() -> None:
    item = item_of(LINE)
    [payout] = items_of_movements([PAYOUT], [], ZoneInfo("UTC"))
    of_day = item_of(LINE._replace(booked_on=date(2026, 3, 1)))

    assert (item.effective_on, payout.effective_on) == (date(2026, 3, 2), date(2026, 3, 1))
    assert of_day.effective_on == date(2026, 3, 1)


def test_a_ledger_line_is_an_item_of_its_account() -> None:
    item = item_of(LINE)

    assert (item.book, item.source_id, item.amount_minor) == ("clearing", "e-1/2", -1000)
    assert (item.presentment_minor, item.presentment_currency) == (-1100, "USD")


def ids(entries: list[Entry], *, format_: Format = "camt.053", statement: str = "S-1") -> list[str]:
    items = StatementItems(Opened(format_, "DE00EXAMPLE", "EUR", statement))
    return [items.item(entry).source_id for entry in entries]


def test_entries_keep_their_ids_when_a_statement_is_sent_again() -> None:
    unnamed = replace(ENTRY, reference=None)
    entries = [ENTRY, unnamed, replace(unnamed, amount_minor=-5), unnamed, ENTRY]

    assert len(set(ids(entries))) == len(entries)
    assert sorted(ids(entries)) == sorted(ids(entries[::-1]))
    assert set(ids(entries)).isdisjoint(ids(entries, statement="S-2"))


def test_ranges_of_days_that_overlap_have_the_same_entries() -> None:
    assert ids([ENTRY], format_="ofx", statement="a") == ids([ENTRY], format_="ofx", statement="b")


def test_a_bank_entry_is_of_the_day_when_its_money_counts() -> None:
    opened = Opened("camt.053", "DE00EXAMPLE", "EUR", "S-1")
    item = StatementItems(opened).item(ENTRY)

    assert (item.effective_on, item.occurred_at) == (
        date(2026, 3, 3),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    with pytest.raises(StatementRefused):
        StatementItems(opened).item(replace(ENTRY, booking_date=None, value_date=None))


@pytest.mark.parametrize(
    "reference", [None, "", " ", "NOTPROVIDED", "notprovided.", "NONREF", "N/A", "0", "000", "0017"]
)
def test_what_stands_for_no_reference_or_counts_is_none(reference: str | None) -> None:
    assert naming(reference) is None


@pytest.mark.parametrize("reference", ["1234", "F1", "RENT", "po_1", "0", "17"])
def test_an_entry_is_known_by_what_it_always_was(reference: str) -> None:
    """Also by what names nothing: the same entry in another file is the same still."""
    entry = replace(ENTRY, reference=reference, end_to_end_id=None)
    opened = Opened("camt.053", "DE00EXAMPLE", "EUR", "S-1")
    item = StatementItems(opened).item(entry)
    assert item.source_id.endswith(f"/20260302/{reference}")
    assert item.reference == (None if reference in ("0", "17") else reference)
    numbered = replace(entry, reference=None, number=reference)
    assert StatementItems(opened).item(numbered).source_id == item.source_id
    assert StatementItems(opened).item(numbered).reference is None


@pytest.mark.parametrize(("reference", "number"), [("17", None), (None, "17")])
def test_a_statement_that_is_sent_again_says_what_it_said_to_releases_before(
    reference: str | None, number: str | None
) -> None:
    """They took a count for a reference: what they kept of a statement is compared still."""
    entry = replace(ENTRY, end_to_end_id=None, reference=reference, number=number)
    content = StatementContent()
    content.add(entry, StatementItems(Opened("camt.053", "DE00EXAMPLE", "EUR", "S-1")).item(entry))
    balances = Balance(date(2026, 3, 1), 0), Balance(date(2026, 3, 2), 1000)
    assert content.closed(Closed(*balances)) == (
        "f6b3ee550776ad331db518f57a83b3616623bd47120a24df7d87853d22abcea6"
    )
