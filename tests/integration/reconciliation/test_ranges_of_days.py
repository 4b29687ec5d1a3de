"""Files of overlapping days, as OFX and CSV are: what one was withdrawn of, another still tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from database.connection import transaction
from database.reconciliation.statement_withdrawal import reinstate, withdraw
from tests.integration.reconciliation.test_statement_withdrawal import named
from tests.integration.reconciliation.test_statements import Bank, bank
from tests.postgres import rows

__all__ = ["bank"]

AMOUNTS = {1: (100,), 2: (200,), 4: (400, 400), 5: (500,), 8: (800,), 9: (900,), 12: (1_200,)}
"""What the bank booked in March, day by day."""
Range = Callable[..., bytes]


def told(first: int, last: int, wrong: int = 0) -> list[tuple[int, int, int]]:
    """Day, amount and number among the same of each entry from a day to another.

    `wrong` is the amount of one more, of the 4th.
    """
    return sorted(
        (day, amount, number)
        for day, of_day in (AMOUNTS | ({4: (*AMOUNTS[4], wrong)} if wrong else {})).items()
        if first <= day <= last
        for at, amount in enumerate(of_day)
        for number in [of_day[:at].count(amount)]
    )


def amounts(*ranges: tuple[int, int, int]) -> Sequence[int]:
    """The amounts of the entries of ranges of days: what several tell once."""
    return sorted(amount for _, amount, _ in set().union(*(told(*one) for one in ranges)))


def money(amount: int) -> str:
    return f"{amount / 100:.2f}"


def csv(first: int, last: int, wrong: int = 0) -> bytes:
    lines = [f"2026-03-{day:02},{money(of)},EUR,x" for day, of, _ in told(first, last, wrong)]
    return "\n".join(("Date,Amount,Currency,Description", *lines, "")).encode()


def csv_with_balances(first: int, last: int, wrong: int = 0) -> bytes:
    balance = sum(amounts((1, first - 1, 0)))
    lines = ["Date,Amount,Currency,Description,Balance,Account,Reference"]
    for day, amount, _ in told(first, last, wrong):
        balance += amount
        lines.append(f"2026-03-{day:02},{money(amount)},EUR,x,{money(balance)},DE00EXAMPLE,")
    return "\n".join((*lines, "")).encode()


def ofx(first: int, last: int, wrong: int = 0, *, as_of: int | None = None) -> bytes:
    entries = "".join(
        f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>202603{day:02}<TRNAMT>{money(amount)}"
        f"<FITID>{day}-{amount}-{number}</STMTTRN>"
        for day, amount, number in told(first, last, wrong)
    )
    return (
        "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STMTRS><CURDEF>EUR<BANKACCTFROM>"
        f"<BANKID>1<ACCTID>DE00EXAMPLE</BANKACCTFROM><BANKTRANLIST><DTSTART>202603{first:02}"
        f"<DTEND>202603{last:02}{entries}</BANKTRANLIST><LEDGERBAL>"
        f"<BALAMT>{money(sum(amounts((1, last, wrong))))}<DTASOF>202603{as_of or last:02}"
        "</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


FORMATS = pytest.mark.parametrize("range_", [csv, csv_with_balances, ofx])


async def judge(bank: Bank, content: bytes, how: Callable[..., object], *, by: str) -> None:
    """Withdraw or reinstate what came in a file, and read again what there is to."""
    file, number = await named(bank.engine, content)
    async with transaction(bank.engine) as connection:
        await how(connection, file, number, by=by, reason="the bank erred")  # type: ignore[misc]
    await bank.intake.read_waiting()


async def counting(bank: Bank) -> Sequence[int]:
    """The amounts of the entries that count, by the last word of each."""
    found = await rows(
        bank.engine,
        """SELECT amount_minor FROM (
               SELECT DISTINCT ON (source_id) amount_minor FROM items
               ORDER BY source_id, version DESC) last
           WHERE amount_minor <> 0 ORDER BY amount_minor""",
    )
    return [one["amount_minor"] for one in found]


@FORMATS
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("wrong", [0, 1, 2])
async def test_what_remains_counts_once(
    bank: Bank, range_: Range, order: tuple[int, ...], wrong: int
) -> None:
    days = [(1, 5, 0), (2, 9, 0), (8, 12, 0)]
    if wrong < 2:
        days[wrong] = (*days[wrong][:2], 7)
    for number in order:
        await bank.send(range_(*days[number]), bank_account="DE00EXAMPLE")
    assert await counting(bank) == amounts(*days)

    await judge(bank, range_(*days[wrong]), withdraw, by="finance")
    remaining = [one for one in days if one != days[wrong]]
    assert await counting(bank) == amounts(*remaining)

    await judge(bank, range_(*days[wrong]), reinstate, by="another")
    assert await counting(bank) == amounts(*days)


async def test_a_range_without_an_entry_takes_none_of_another_with_it(bank: Bank) -> None:
    empty = ofx(3, 3, as_of=5)
    await bank.send(ofx(1, 5), empty)
    await judge(bank, empty, withdraw, by="finance")

    assert await counting(bank) == amounts((1, 5, 0))


async def test_of_two_ranges_that_end_on_one_day_the_other_counts_instead(bank: Bank) -> None:
    await bank.send(csv(1, 5, 7), csv(4, 5), bank_account="DE00EXAMPLE")
    assert await bank.states() == ["counts", "contradicted"]
    await judge(bank, csv(1, 5, 7), withdraw, by="finance")

    assert await counting(bank) == amounts((4, 5, 0))


async def test_ranges_overlap_and_nothing_is_missing_between_them(bank: Bank) -> None:
    await bank.send(csv_with_balances(1, 5), csv_with_balances(5, 9), csv_with_balances(4, 12))
    assert await bank.gaps() == []
    await judge(bank, csv_with_balances(5, 9), withdraw, by="finance")
    assert await bank.gaps() == []


async def test_a_range_within_another_one_leaves_no_gap(bank: Bank) -> None:
    days = [(1, 2), (4, 9), (5, 8), (5, 5)]
    await bank.send(*(csv_with_balances(*one) for one in days))
    assert await bank.gaps() == []


async def test_a_range_within_another_one_hides_no_gap(bank: Bank) -> None:
    await bank.send(csv_with_balances(1, 5), csv_with_balances(2, 4), csv_with_balances(9, 12))
    assert await bank.gaps() == [("", 800)]


async def test_days_between_two_ranges_are_missing(bank: Bank) -> None:
    await bank.send(csv_with_balances(1, 5), csv_with_balances(9, 12))
    assert await bank.gaps() == [("", 800)]


async def test_a_range_whose_balance_is_of_an_earlier_day_is_withdrawn_whole(bank: Bank) -> None:
    early = ofx(4, 5, as_of=3)
    await bank.send(early)
    await judge(bank, early, withdraw, by="finance")

    assert await counting(bank) == []


async def test_what_takes_the_place_of_a_range_without_an_entry_comes_in(bank: Bank) -> None:
    empty, other = ofx(3, 5, 0), ofx(3, 5, 7)
    empty = empty[: empty.index(b"<STMTTRN>")] + empty[empty.index(b"</BANKTRANLIST>") :]
    await bank.send(empty, other)
    assert await bank.states() == ["counts", "contradicted"]
    await judge(bank, empty, withdraw, by="finance")

    assert await counting(bank) == amounts((3, 5, 7))
