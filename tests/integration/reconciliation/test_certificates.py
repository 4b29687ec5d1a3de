"""Certificates are kept, superseded, asked for by day, and verified against what is stored."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from activities.reconciliation.page import page
from database.connection import engine_for, transaction
from database.reconciliation import certificates, open_at, results
from database.reconciliation.extent import read as read_cut
from tests.integration.reconciliation.books import TERMS
from tests.integration.reconciliation.three_books import (
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    ThreeBooks,
    deposit,
    item,
    payout,
    sale,
)
from tests.postgres import fresh_database
from workers.postgres import Postgres
from workflows.reconciliation.certificate import certificate_id

DAY = [
    *sale("a", 10_000),
    *sale("b", 2_500),
    *payout("po", 9_700),
    *deposit("po", 9_700),
    *payout("way", 400),
    item("processor", "p-x", 10_000),
    item("clearing", "c-y", 510),
    item("processor", "p-y", 500),
]


async def test_a_certificate_is_kept_as_its_id_says(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    id_, certificate = await acme.reconcile(MONDAY)
    assert certificate_id(certificate) == id_
    assert await acme.verify(id_) == ()


async def test_the_same_books_have_the_same_certificate_anywhere(
    acme: ThreeBooks, postgres_server: Postgres, migrated_template: str
) -> None:
    """Neither the numbers of our rows nor the order in which they came are in it."""
    await acme.take(DAY)
    here, _ = await acme.reconcile(MONDAY)
    async with fresh_database(postgres_server, migrated_template) as dsn:
        engine = engine_for(dsn)
        other = await ThreeBooks.made(engine, "beta")
        await other.take(DAY[3:])
        await other.reconcile(MONDAY)
        there = await ThreeBooks.made(engine)
        await there.take(DAY[5:], sale("z", 1, on=WEDNESDAY))
        await there.take(list(reversed(DAY)))
        assert (await there.reconcile(MONDAY))[0] == here
        await engine.dispose()


async def test_late_data_supersedes_and_leaves_the_old_certificate_as_it_is(
    acme: ThreeBooks,
) -> None:
    await acme.take(DAY)
    first_id, first = await acme.reconcile(MONDAY)
    await acme.take([item("clearing", "c-x", 10_000)])
    second_id, second = await acme.reconcile(MONDAY)
    assert (second.ordinal, second.supersedes) == (2, first_id)
    assert second.previous == first.previous
    assert [one.break_class for one in first.breaks] == ["amount", "missing_ours"]
    assert [one.break_class for one in second.breaks] == ["amount"]
    assert {one.leg: one.opening_minor for one in second.roll_forward}["L1"] == 0
    async with transaction(acme.engine) as connection:
        assert await certificates.read(connection, first_id) == first
        listed = await certificates.issued(connection, "acme")
    assert [(one.id, one.superseded) for one in listed] == [(second_id, False), (first_id, True)]
    assert await acme.verify(first_id) == ()
    assert await acme.verify(second_id) == ()


async def test_old_certificates_verify_when_later_runs_have_gone_on(
    acme: ThreeBooks,
) -> None:
    await acme.take(DAY)
    monday, _ = await acme.reconcile(MONDAY)
    await acme.take([item("clearing", "c-x", 10_000, on=TUESDAY)], deposit("way", 400, on=TUESDAY))
    tuesday, _ = await acme.reconcile(TUESDAY)
    await acme.unmatch("processor-a", "L1")
    wednesday, _ = await acme.reconcile(WEDNESDAY)
    for id_ in (monday, tuesday, wednesday):
        assert await acme.verify(id_) == ()


async def test_a_certificate_verifies_when_later_items_change_of_which_a_break_is(
    acme: ThreeBooks,
) -> None:
    """What nobody can tell apart is one break, of fewer items once one of them is explained."""
    acme.terms = TERMS
    acme.scope = ("processor", "clearing")
    acme.inputs = acme.inputs.model_copy(update={"scope": acme.scope})
    await acme.take(
        [
            item("processor", "p-1", 10_000, reference="ch_1"),
            item("processor", "p-2", 10_000, reference="ch_2"),
            item("clearing", "c-1", 10_000, reference=None),
            item("clearing", "c-2", 10_000, reference=None),
        ]
    )
    monday, first = await acme.reconcile(MONDAY)
    assert [one.break_class for one in first.breaks] == ["ambiguous"]
    await acme.take([item("clearing", "c-3", 10_000, on=TUESDAY, reference="ch_1")])
    tuesday, _ = await acme.reconcile(TUESDAY)
    assert (await acme.verify(monday), await acme.verify(tuesday)) == ((), ())
    async with transaction(acme.engine) as connection:
        lines = [one async for one in certificates.break_lines(connection, monday)]
    assert [one.subject for one in lines] == [("p-1", "p-2", "c-1", "c-2")]


async def test_a_day_is_told_as_it_was_known(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    first, _ = await acme.reconcile(MONDAY)
    before_late_data = datetime.now(UTC)
    await acme.take([item("clearing", "c-x", 10_000)])
    second, _ = await acme.reconcile(MONDAY)
    third, _ = await acme.reconcile(TUESDAY)

    async def told(day: date | None, **asked: Any) -> str | None:
        async with transaction(acme.engine) as connection:
            found = await certificates.as_of(connection, "acme", day, **asked)
        return found.id if found else None

    assert await told(MONDAY) == second
    assert await told(None) == third
    assert await told(MONDAY, recorded=before_late_data) == first
    assert await told(WEDNESDAY, recorded=before_late_data) == first
    assert await told(MONDAY, ordinal=1) == first
    assert await told(WEDNESDAY, ordinal=1) is None, "a run of that day itself"
    assert await told(MONDAY - timedelta(days=1)) is None


async def test_the_list_of_breaks_is_of_the_run_that_is_asked_for(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    id_, certificate = await acme.reconcile(MONDAY)
    await acme.take([item("clearing", "c-x", 10_000, on=TUESDAY)])
    await acme.reconcile(TUESDAY)
    async with transaction(acme.engine) as connection:
        lines = [one async for one in certificates.break_lines(connection, id_)]
    assert [(one.break_class, one.subject, one.open_minor) for one in lines] == [
        ("missing_ours", ("p-x",), -10_000),
        ("amount", ("p-y", "c-y"), 10),
    ]
    assert "p-x" in page(certificate, lines)


TAMPERING = {
    "an amount": ("UPDATE items SET amount_minor = 9999 WHERE source_id = 'clearing-a'", "cut"),
    "both sides of a pair": (
        "UPDATE items SET amount_minor = 9999 WHERE source_id LIKE '%-a'",
        "cut",
    ),
    "a text": ("UPDATE items SET reference = 'zz' WHERE source_id = 'clearing-b'", "cut"),
    "a time": (
        "UPDATE items SET occurred_at = '2026-03-01' WHERE source_id = 'clearing-b'",
        "cut",
    ),
    "an item that is gone": ("DELETE FROM items WHERE source_id = 'cash-po'", "cut"),
    "an item that was slipped in": (
        """INSERT INTO items (id, account, book, source_id, component, version, kind, currency,
                              amount_minor, occurred_at, effective_on, derived)
           OVERRIDING SYSTEM VALUE
           SELECT 0, account, book, 'slipped', '', 1, kind, currency, 5, occurred_at,
                  effective_on, derived FROM items WHERE source_id = 'clearing-b'""",
        "cut",
    ),
    "a match that is gone": (
        """WITH gone AS (DELETE FROM matches WHERE leg = 1 AND disposition = 1 RETURNING number)
           DELETE FROM match_items USING gone WHERE match = gone.number""",
        "result_hash",
    ),
    "items of two matches that were swapped": (
        """WITH two AS (SELECT min(number) AS one, max(number) AS other FROM matches WHERE leg = 1)
           UPDATE match_items SET match = two.one + two.other - match FROM two
           WHERE match IN (two.one, two.other)
           AND item IN (SELECT id FROM items WHERE book = 3)""",
        "matches",
    ),
    "a difference": ("UPDATE matches SET difference_minor = 9", "result_hash"),
    "something open that is gone": ("DELETE FROM open_items WHERE leg = 1", "bridge"),
    "a break that is gone": ("DELETE FROM breaks WHERE class = 'missing_ours'", "breaks"),
    "what was at risk": (
        "UPDATE break_events SET at_risk_minor = 1 WHERE class = 'missing_ours'",
        "breaks",
    ),
    "a balance": (
        "UPDATE control_totals SET amount_minor = amount_minor + 1 WHERE kind = 'closing'",
        "controls",
    ),
    "who told a balance": ("UPDATE control_totals SET source = 'nobody'", "cut"),
    "the boundary": (
        """UPDATE cuts SET inputs = jsonb_set(inputs, '{bank_before}', '"2026-03-09T00:00:00Z"')""",
        "cut",
    ),
    "the rules": ("UPDATE cuts SET inputs = jsonb_set(inputs, '{terms}', '\"r0\"')", "cut"),
    "the hash of the cut": ("UPDATE cuts SET hash = 'f'", "cut.hash"),
    "the status": (
        "UPDATE certificates SET content = jsonb_set(content, '{status}', '\"BALANCED\"')",
        "id",
    ),
    "a residual": (
        "UPDATE certificates SET content = jsonb_set(content, '{bridge,0,residual_minor}', '1')",
        "content",
    ),
    "what it supersedes": (
        """UPDATE certificates
           SET content = jsonb_set(content, '{supersedes}', to_jsonb(repeat('0', 64)))""",
        "id",
    ),
}


async def test_verifying_sees_whatever_was_changed(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    id_, _ = await acme.reconcile(MONDAY)
    missed = {}
    for tampering, (sql, expected) in TAMPERING.items():
        found = await acme.verify(id_, after=sql)
        if expected not in {one.partition(":")[0] for one in found}:
            missed[tampering] = found
    assert not missed
    assert await acme.verify(id_) == ()


async def test_verifying_follows_the_chain(acme: ThreeBooks) -> None:
    """Whoever changes an old certificate, and what it is stored from, breaks those after it."""
    await acme.take(DAY)
    monday, _ = await acme.reconcile(MONDAY)
    tuesday, _ = await acme.reconcile(TUESDAY)
    assert await acme.verify(tuesday) == ()
    async with transaction(acme.engine) as connection:
        await connection.execute(
            text("""
                UPDATE certificates SET content = jsonb_set(content, '{controls,0}', :control)
                WHERE id = :id
            """),
            {
                "id": monday,
                "control": json.dumps(
                    {
                        "book": "processor",
                        "currency": "EUR",
                        "opening_minor": 0,
                        "movements_minor": 1,
                        "closing_minor": 1,
                        "source": "",
                        "source_minor": 1,
                    }
                ),
            },
        )
    assert await acme.verify(tuesday)


async def test_the_hash_of_results_knows_every_match_open_item_and_break(
    acme: ThreeBooks,
) -> None:
    await acme.take(DAY)
    fixed = await acme.fix(MONDAY)
    async with acme.transaction() as connection:
        await acme.match(connection, fixed.run)
    hashes = set()
    for change in (
        "SELECT",
        "DELETE FROM matches WHERE number = (SELECT max(number) FROM matches)",
        "DELETE FROM open_items WHERE item = (SELECT max(item) FROM open_items)",
        "UPDATE breaks SET subject = 'another' WHERE class = 'missing_ours'",
    ):
        async with acme.transaction() as connection:
            await acme.execute(connection, change)
            cut = await read_cut(connection, fixed.run)
            await open_at.lay_out(connection, cut)
            hashes.add(await results.result_hash(connection, cut))
    assert len(hashes) == 4
