"""Of each planted discrepancy: what it adds to what is open, and that all residuals are zero."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic import command

from database.migrate import configuration, upgrade
from database.reconciliation import accounts, certificates
from database.reconciliation.item import NewItem
from database.reconciliation.work import NoCalendar
from tests.integration.reconciliation.books import TERMS, TODAY, cash, deposit, theirs
from tests.integration.reconciliation.test_discrepancies import DISCREPANCIES, Planted, x_of
from tests.integration.reconciliation.three_books import MONDAY, ThreeBooks, payout
from workflows.reconciliation.certificate import Certificate


def with_other_sides(items: Iterable[NewItem]) -> Iterator[NewItem]:
    """What we booked as arrived is no longer in transit."""
    for one in items:
        yield one
        if one.book == "cash" and one.kind == "settlement":
            amount = -one.amount_minor
            yield replace(
                one, book="in_transit", source_id=f"{one.source_id}t", amount_minor=amount
            )


def proven(certificate: Certificate) -> bool:
    equations = [one.residual_minor for one in certificate.bridge]
    return not any(equations) and not any(one.residual_minor for one in certificate.roll_forward)


def x_in(certificate: Certificate) -> dict[str, tuple[int, int, int]]:
    legs: dict[str, dict[str, int]] = {}
    for one in certificate.roll_forward:
        legs.setdefault(one.currency, {})[one.leg] = one.closing_minor
    found = {currency: (of["L1"], of["L2"], of["L3"]) for currency, of in legs.items()}
    return {currency: x for currency, x in found.items() if any(x)}


def at_risk(certificate: Certificate) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (one.break_class, one.currency): (one.breaks, one.at_risk_minor)
        for one in certificate.breaks
    }


def told(planted: Iterable[Planted]) -> dict[tuple[str, str], tuple[int, int]]:
    """Breaks and their risk by class and currency."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in planted:
        for class_, currency, amount in one.breaks:
            count, sum_ = found.get((class_, currency), (0, 0))
            found[class_, currency] = count + 1, sum_ + amount
    return found


async def test_each_alone_is_proven(acme: ThreeBooks) -> None:
    """In an account of its own."""
    wrong = {}
    for number, (name, planted) in enumerate(DISCREPANCIES.items()):
        books = await ThreeBooks.made(acme.engine, f"account-{number}")
        books.terms = TERMS
        await books.take(with_other_sides(planted.items))
        id_, certificate = await books.reconcile(TODAY)
        found = (
            certificate.status == ("BREAKS" if planted.breaks else "BALANCED"),
            proven(certificate),
            x_in(certificate) == x_of(planted),
            at_risk(certificate) == told([planted]),
            await books.verify(id_) == (),
        )
        if not all(found):
            wrong[name] = found
    assert not wrong


async def test_all_of_them_are_proven_together_and_the_day_after(acme: ThreeBooks) -> None:
    acme.terms = TERMS
    planted = list(DISCREPANCIES.values())
    await acme.take(with_other_sides(item for one in planted for item in one.items))
    first, certificate = await acme.reconcile(TODAY)
    assert certificate.status == "BREAKS"
    assert proven(certificate)
    assert x_in(certificate) == x_of(*planted)
    assert at_risk(certificate) == told(planted)
    # What the bank took and we did not know is booked; the charge that was missing comes.
    tomorrow = TODAY + timedelta(days=1)
    await acme.take(cash("u", 5_000, day=tomorrow, reference="BKu"))
    second, certificate = await acme.reconcile(tomorrow)
    assert [one.residual_minor for one in certificate.roll_forward if one.residual_minor] == []
    assert await acme.verify(first) == ()
    assert await acme.verify(second) == ()


async def test_what_fees_eat_up_is_a_break_though_nothing_is_at_risk(acme: ThreeBooks) -> None:
    acme.terms = TERMS
    await acme.take(theirs("z", 700, 700, kind="lunar_adjustment"))
    id_, certificate = await acme.reconcile(TODAY)
    assert (certificate.status, at_risk(certificate)) == (
        "BREAKS",
        {("unknown_type", "EUR"): (1, 0)},
    )
    [moved] = certificate.break_movements
    assert (moved.new, moved.closing) == (1, 1)
    async with acme.transaction() as connection:
        lines = [line async for line in certificates.break_lines(connection, id_)]
    assert [line.subject for line in lines] == [("txn_z",)]
    assert await acme.verify(id_) == ()
    # What is a break on two legs is listed once.
    await acme.take(deposit("u", 5_000, booked=False))
    _, certificate = await acme.reconcile(TODAY + timedelta(days=1))
    assert at_risk(certificate)["unidentified_deposit", "EUR"] == (1, 5_000)


async def test_certificates_of_before_events_said_where_the_risk_is(
    acme: ThreeBooks, database: str
) -> None:
    """They left out whatever had nothing at risk; what it hid is told by the next run."""
    acme.terms = TERMS
    await acme.take(deposit("u", 5_000, booked=False))
    id_, before = await acme.reconcile(TODAY)
    hidden = theirs("z", 700, 700, kind="lunar_adjustment", day=TODAY + timedelta(days=1))
    await acme.take(hidden)
    await acme.reconcile(TODAY + timedelta(days=1))
    await acme.engine.dispose()
    await asyncio.to_thread(command.downgrade, configuration(database), "0025-1")
    await upgrade(database)
    assert at_risk(before) == {("unidentified_deposit", "EUR"): (1, 5_000)}
    assert await acme.verify(id_) == ()
    _, after = await acme.reconcile(TODAY + timedelta(days=2))
    assert at_risk(after) == {**at_risk(before), ("unknown_type", "EUR"): (1, 0)}


async def test_a_calendar_that_the_terms_do_not_have_is_named(acme: ThreeBooks) -> None:
    acme.terms = TERMS
    async with acme.transaction() as connection:
        await accounts.add_bank_account(connection, acme.account, "DE02", "EUR", "moon")
    await acme.take(payout("px", 97_000))
    with pytest.raises(NoCalendar, match=r"EUR works by moon, which is none of .*target"):
        await acme.reconcile(MONDAY)
