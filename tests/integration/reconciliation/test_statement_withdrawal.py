"""Of two statements that contradict each other a person withdraws the wrong one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import certificates
from database.reconciliation.codes import BOOKS
from database.reconciliation.statement_withdrawal import (
    CountsForNothing,
    NoStatement,
    OwnStatement,
    reinstate,
    withdraw,
)
from database.reconciliation.statements import OwnWithdrawal
from tests.integration.reconciliation.nights import IBAN, Nights, march, mt940, residuals
from tests.integration.reconciliation.test_statements import MT940, Bank, bank, camt
from tests.postgres import rows
from workflows.reconciliation.certificate import certificate_id

__all__ = ["bank"]

FIRST = mt940(1, 2, 2, {}, opening=0)
WRONG = mt940(2, 3, 3, {"T2": (3, 10_000), "X": (3, 500)}, opening=0)
RIGHT = mt940(2, 3, 3, {"T2": (3, 10_000)}, opening=0)
CORRECTED = mt940(3, 3, 3, {"T2": (3, 10_000)}, opening=0)
INTERIM = RIGHT[: RIGHT.index(b":62F:")].replace(b":60F:C260303EUR0,00", b":34F:EURD0,")
LAST = mt940(3, 4, 4, {}, opening=10_000)


@pytest.fixture
async def daily(engine: AsyncEngine, tmp_path: Path) -> Nights:
    """A payout of Monday that the bank has on Tuesday; Monday is reconciled."""
    nights = await Nights.begun(engine, tmp_path, "daily")
    await nights.sell_and_pay_out(march(2), "T2")
    await nights.send(FIRST)
    assert (await nights.night(march(2))).status == "BALANCED"
    return nights


async def statements(nights: Nights) -> dict[str, str]:
    """The states of all statements, by their number."""
    found = await rows(nights.engine, "SELECT id, state FROM statements ORDER BY id")
    return {one["id"]: one["state"] for one in found}


async def withdrawn(nights: Nights, content: bytes, *, by: str = "finance") -> None:
    """Have the statement of a file withdrawn."""
    file, number = await named(nights.engine, content)
    async with transaction(nights.engine) as connection:
        await withdraw(connection, file, number, by=by, reason="the bank erred")


async def reinstated(nights: Nights, content: bytes, *, by: str = "another") -> None:
    """Have the withdrawal of a file's statement taken back."""
    file, number = await named(nights.engine, content)
    async with transaction(nights.engine) as connection:
        await reinstate(connection, file, number, by=by, reason="the other one was meant")


async def named(engine: AsyncEngine, content: bytes) -> tuple[str, int]:
    """The file and the number of the statement that came in a file."""
    [one] = await rows(
        engine,
        """SELECT s.file, s.id FROM statements s JOIN source_files f ON f.id = s.file
           WHERE f.sha256 = :sha256""",
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return one["file"], one["id"]


async def test_the_wrong_one_is_withdrawn_after_it_was_certified(daily: Nights) -> None:
    await daily.send(WRONG)
    before = await daily.night(march(3))
    assert (before.status, await daily.breaks()) == ("BREAKS", ["unidentified_deposit"] * 2)

    await daily.send(RIGHT)
    await daily.send(LAST)
    undecided = await daily.night(march(4))
    assert undecided.status == "INCOMPLETE"
    [lack] = [one for one in undecided.missing if one.lack == "statement_contradicted"]
    files = [hashlib.sha256(one).hexdigest()[:12] for one in (RIGHT, WRONG)]
    assert lack.subject == f"{IBAN}/00002/001 of files {files[0]} and {files[1]}"

    await withdrawn(daily, WRONG)
    settled = await daily.night(march(4))
    assert (settled.status, settled.missing, residuals(settled)) == ("BALANCED", (), {0})
    assert await daily.breaks() == []
    assert list((await statements(daily)).values()) == ["counts", "withdrawn", "counts", "counts"]
    async with transaction(daily.engine) as connection:
        kept = await certificates.verify(connection, certificate_id(before))
        assert kept.differences == ()


async def test_the_one_that_does_not_count_is_withdrawn(daily: Nights) -> None:
    await daily.send(RIGHT)
    await daily.send(WRONG)
    assert (await daily.night(march(3))).status == "INCOMPLETE"

    await withdrawn(daily, WRONG)
    settled = await daily.night(march(3))
    assert (settled.status, residuals(settled)) == ("BALANCED", {0})


@pytest.mark.parametrize("sent", [(INTERIM, RIGHT), (RIGHT, INTERIM), (WRONG, RIGHT, INTERIM)])
async def test_an_interim_report_counts_nowhere_whatever_is_withdrawn(
    daily: Nights, sent: tuple[bytes, ...]
) -> None:
    for content in sent:
        await daily.send(content)
        await daily.intake.read_waiting()
    for content in sent:
        if content is not INTERIM:
            await withdrawn(daily, content)

    made = await daily.night(march(3))
    assert (made.status, [one.lack for one in made.missing]) == (
        "INCOMPLETE",
        ["statement_missing"],
    )
    found = await rows(daily.engine, "SELECT state, format FROM statements ORDER BY id OFFSET 1")
    assert {one["state"] for one in found if one["format"] == "mt942"} == {"interim"}
    assert {one["state"] for one in found if one["format"] != "mt942"} == {"withdrawn"}
    assert await told_minor(daily) == 0


async def test_two_of_one_day_under_two_names_are_told_as_such(daily: Nights) -> None:
    await daily.send(WRONG)
    await daily.send(CORRECTED)
    undecided = await daily.night(march(3))
    told = [one.subject for one in undecided.missing if one.lack == "statement_contradicted"]
    assert told == [f"{IBAN}/00003/001 and {IBAN}/00002/001"]

    await withdrawn(daily, WRONG)
    settled = await daily.night(march(3))
    assert (settled.status, settled.missing, residuals(settled)) == ("BALANCED", (), {0})


@pytest.mark.parametrize("tenant", [None, "acme", "globex"])
async def test_a_number_that_was_withdrawn_before_its_account_was_known_is_not_missing(
    daily: Nights, tenant: str | None
) -> None:
    await daily.forget_bank_account()
    await daily.send(WRONG, tenant=tenant)
    await daily.send(CORRECTED, tenant=tenant if tenant == "acme" else None)
    await daily.intake.read_waiting()
    await withdrawn(daily, WRONG)
    await daily.know_bank_account()

    made = await daily.night(march(3))
    lacks = [one.lack for one in made.missing]
    assert lacks == (["statement_gap"] if tenant == "globex" else []), "nobody bridges another's"


@pytest.mark.parametrize("after", [3, 4])
async def test_the_day_of_what_was_withdrawn_is_missing_until_another_tells_it(
    daily: Nights, after: int
) -> None:
    none_in_sum = {"A": (3, 500), "B": (3, -500)}
    erred = mt940(after - 1, 3, 3, none_in_sum, opening=0)
    await daily.send(erred)
    await daily.night(march(3))
    await withdrawn(daily, erred)
    await daily.send(mt940(after, *((4, 4) if after == 3 else (3, 3)), {}, opening=0))

    made = await daily.night(march(4))
    assert "statement_gap" in {one.lack for one in made.missing}


@pytest.mark.parametrize(("first", "second"), [(WRONG, RIGHT), (RIGHT, WRONG), (WRONG, CORRECTED)])
async def test_who_sent_what_then_counts_does_not_withdraw_the_other(
    daily: Nights, first: bytes, second: bytes
) -> None:
    await daily.send(first, by="finance" if first is RIGHT else "test")
    await daily.send(second, by="test" if second is WRONG else "finance")
    await daily.send(LAST, by="finance")
    await daily.night(march(3))

    with pytest.raises(OwnStatement):
        await withdrawn(daily, WRONG)
    await withdrawn(daily, WRONG, by="somebody else")


@pytest.mark.parametrize("first", ["sent", "read", "withdrawn"])
async def test_in_whatever_order_nobody_sends_one_and_withdraws_another_of_its_days(
    daily: Nights, first: str
) -> None:
    await daily.send(WRONG)
    await daily.intake.read_waiting()
    if first != "withdrawn":
        await daily.send(CORRECTED, by="finance")
    if first == "read":
        await daily.intake.read_waiting()
        with pytest.raises(OwnStatement):
            await withdrawn(daily, WRONG)
        return
    await withdrawn(daily, WRONG)
    await daily.send(CORRECTED, by="finance")
    assert (await daily.night(march(3))).status == "INCOMPLETE"
    [refused] = await rows(daily.engine, "SELECT * FROM source_files WHERE state = 'refused'")
    assert refused["error"] == "own_withdrawal"
    assert "somebody else" in refused["detail"]
    assert list((await statements(daily)).values()) == ["counts", "withdrawn"]

    await daily.send(LAST, by="finance")
    await daily.send(CORRECTED, by="somebody else")
    settled = await daily.night(march(4))
    assert (settled.missing, residuals(settled)) == ((), {0})
    assert list((await statements(daily)).values()) == ["counts", "withdrawn", "counts", "counts"]


async def test_who_sent_one_that_was_withdrawn_since_does_not_withdraw_the_other(
    daily: Nights,
) -> None:
    await daily.send(WRONG)
    await daily.send(RIGHT, by="finance")
    await daily.intake.read_waiting()
    await withdrawn(daily, RIGHT, by="another")

    with pytest.raises(OwnStatement):
        await withdrawn(daily, WRONG)


async def test_one_of_another_sender_or_tenant_that_waits_is_of_the_same_days(
    daily: Nights,
) -> None:
    await daily.forget_bank_account()
    await daily.send(WRONG, tenant="acme")
    await daily.send(CORRECTED, by="finance")
    await daily.intake.read_waiting()

    with pytest.raises(OwnStatement):
        await withdrawn(daily, WRONG)


async def test_what_was_withdrawn_may_come_again_from_who_withdrew_it(daily: Nights) -> None:
    await daily.send(WRONG)
    await daily.intake.read_waiting()
    await withdrawn(daily, WRONG)
    await daily.send(WRONG.replace(b"\n", b"\r\n"), by="finance")
    await daily.intake.read_waiting()

    assert list((await statements(daily)).values()) == ["counts", "withdrawn", "withdrawn"]


async def test_who_sent_a_wrong_statement_withdraws_it_where_anothers_counts(daily: Nights) -> None:
    await daily.send(WRONG, by="finance")
    await daily.send(RIGHT)
    await daily.send(LAST, by="finance")
    await daily.night(march(3))
    await withdrawn(daily, WRONG)

    assert list((await statements(daily)).values()) == ["counts", "withdrawn", "counts", "counts"]


async def test_who_sent_a_wrong_statement_twice_withdraws_each(daily: Nights) -> None:
    again = WRONG.replace(b"\n", b"\r\n")
    await daily.send(RIGHT)
    for content in (WRONG, again):
        await daily.send(content, by="finance")
    await daily.intake.read_waiting()
    for content in (WRONG, again):
        await withdrawn(daily, content)

    found = await statements(daily)
    assert list(found.values()) == ["counts", "counts", "withdrawn", "withdrawn"]


async def test_what_was_withdrawn_does_not_come_back_by_another_file(daily: Nights) -> None:
    await daily.send(RIGHT)
    await daily.send(WRONG)
    await daily.night(march(3))
    await withdrawn(daily, WRONG)
    await daily.send(WRONG.replace(b"\n", b"\r\n"))
    await daily.night(march(3))

    assert list((await statements(daily)).values()) == [
        *("counts", "counts"),
        *("withdrawn", "withdrawn"),
    ]


async def test_what_counts_for_nothing_is_not_withdrawn_and_twice_is_once(daily: Nights) -> None:
    await daily.send(FIRST.replace(b"\n", b"\r\n"))
    await daily.night(march(3))
    again, first = await rows(daily.engine, "SELECT file, id FROM statements ORDER BY id DESC")
    async with transaction(daily.engine) as connection:
        with pytest.raises(CountsForNothing):
            await withdraw(connection, again["file"], again["id"], by="finance", reason="wrong")
        with pytest.raises(NoStatement):
            await withdraw(connection, again["file"], first["id"], by="finance", reason="wrong")
        for _ in range(2):
            await withdraw(connection, first["file"], first["id"], by="finance", reason="wrong")
    told = await rows(daily.engine, "SELECT actor FROM audit WHERE event = 'statement.withdrawn'")
    assert told == [{"actor": "finance"}]


async def test_a_withdrawal_by_mistake_is_taken_back_by_somebody_else(daily: Nights) -> None:
    again = RIGHT.replace(b"\n", b"\r\n")
    await daily.send(RIGHT)
    assert (await daily.night(march(3))).status == "BALANCED"
    await withdrawn(daily, RIGHT)
    for content in (again, LAST):
        await daily.send(content)
    assert (await daily.night(march(4))).status == "INCOMPLETE"

    with pytest.raises(OwnWithdrawal):
        await reinstated(daily, RIGHT, by="finance")
    for _ in range(2):
        await reinstated(daily, RIGHT)
    settled = await daily.night(march(4))
    assert (settled.status, settled.missing, residuals(settled)) == ("BALANCED", (), {0})
    assert await daily.breaks() == []
    assert sorted((await statements(daily)).values()) == ["again", *["counts"] * 3]
    told = await rows(
        daily.engine, "SELECT actor, details FROM audit WHERE event = 'statement.reinstated'"
    )
    [one] = told
    assert (one["actor"], one["details"]["withdrawn_by"]) == ("another", "finance")


@pytest.mark.parametrize("theirs", [WRONG, WRONG.replace(b"\n", b"\r\n"), CORRECTED])
async def test_who_sent_one_of_its_days_does_not_take_its_withdrawal_back(
    daily: Nights, theirs: bytes
) -> None:
    for content, by in {WRONG: "test", theirs: "sender"}.items():
        await daily.send(content, by=by)
    await daily.intake.read_waiting()
    await withdrawn(daily, WRONG)

    with pytest.raises(OwnStatement):
        await reinstated(daily, WRONG, by="sender")
    await reinstated(daily, WRONG)


async def test_what_came_back_by_another_file_is_reinstated_by_that_file(daily: Nights) -> None:
    again = RIGHT.replace(b"\n", b"\r\n")
    await daily.send(RIGHT)
    await daily.night(march(3))
    await withdrawn(daily, RIGHT)
    await daily.send(again)
    await daily.night(march(3))
    with pytest.raises(OwnWithdrawal):
        await reinstated(daily, again, by="finance")
    await reinstated(daily, again)
    await daily.night(march(3))

    assert list((await statements(daily)).values()) == ["counts", "again", "counts"]


async def test_what_is_reinstated_contradicts_what_counts_by_now(daily: Nights) -> None:
    await daily.send(WRONG)
    await daily.send(RIGHT)
    await daily.night(march(3))
    await withdrawn(daily, WRONG)
    await reinstated(daily, WRONG)
    assert (await daily.night(march(3))).status == "INCOMPLETE"
    assert list((await statements(daily)).values()) == ["counts", "contradicted", "counts"]

    await withdrawn(daily, RIGHT)
    made = await daily.night(march(3))
    assert (made.status, made.missing, residuals(made)) == ("BREAKS", (), {0})


async def test_what_waits_for_its_account_is_reinstated_beside_what_waits_in_its_place(
    daily: Nights,
) -> None:
    await daily.forget_bank_account()
    for content in (WRONG, RIGHT):
        await daily.send(content)
    await daily.intake.read_waiting()
    await withdrawn(daily, WRONG)
    await reinstated(daily, WRONG)
    await daily.know_bank_account()

    made = await daily.night(march(3))
    assert "statement_contradicted" in {one.lack for one in made.missing}
    assert list((await statements(daily)).values()) == ["counts", "contradicted", "counts"]


async def test_the_same_statement_in_another_format_counts_until_it_is_withdrawn_too(
    bank: Bank,
) -> None:
    await bank.send(camt(), MT940)
    file, number = await named(bank.engine, camt())
    async with transaction(bank.engine) as connection:
        await withdraw(connection, file, number, by="finance", reason="the bank erred")
    await bank.intake.read_waiting()
    assert (await bank.states(), await told_minor(bank)) == (["withdrawn", "counts"], 850)

    async with transaction(bank.engine) as connection:
        await reinstate(connection, file, number, by="another", reason="it did not")
    await bank.intake.read_waiting()
    assert (await bank.states(), await told_minor(bank)) == (["again", "counts"], 850)


def exported(*rows_: tuple[str, str, str]) -> bytes:
    """A CSV of days, amounts and balances after them."""
    lines = [
        f"2026-03-{day},{amount},EUR,x,{balance},DE00EXAMPLE,F{number}\n"
        for number, (day, amount, balance) in enumerate(rows_)
    ]
    head = "Date,Amount,Currency,Description,Balance,Account,Reference\n"
    return "".join((head, *lines)).encode()


THE_BANKS = {
    "camt.053": camt(3),
    "camt.053 of the evening before": camt(3).replace(b"03-03", b"03-02", 1),
    "mt940": MT940.replace(b"2603010301", b"2603030303")
    .replace(b"F:C260301", b"F:C260303")
    .replace(b"C260228", b"C260302"),
    "camt.053 of days that begin with it": camt(5)
    .replace(b"03-05", b"03-03", 1)
    .replace(b"BookgDt><Dt>2026-03-05", b"BookgDt><Dt>2026-03-03"),
}
FORGED = {
    "its day first": exported(("03", "999.00", "1099.00"), ("04", "1.00", "1100.00")),
    "its day last": exported(("01", "1.00", "101.00"), ("03", "999.00", "1100.00")),
    "its day between": exported(
        ("04", "1.00", "101.00"), ("03", "999.00", "1100.00"), ("04", "1.00", "1101.00")
    ),
}


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("told", THE_BANKS)
async def test_who_withdraws_the_banks_statement_sends_no_range_with_a_day_of_it(
    bank: Bank, told: str, forged: str
) -> None:
    await bank.send(THE_BANKS[told])
    file, number = await named(bank.engine, THE_BANKS[told])
    async with transaction(bank.engine) as connection:
        await withdraw(connection, file, number, by="finance", reason="wrong")
    read = await bank.send(FORGED[forged], by="finance")
    assert (read.refused, await bank.states()) == (1, ["withdrawn"])

    async with transaction(bank.engine) as connection:
        await reinstate(connection, file, number, by="another", reason="right")
    await bank.send(FORGED[forged], by="third")
    file, number = await named(bank.engine, THE_BANKS[told])
    async with transaction(bank.engine) as connection:
        with pytest.raises(OwnStatement):
            await withdraw(connection, file, number, by="third", reason="wrong")


@pytest.mark.parametrize(
    "other",
    [
        camt(4).replace(b"03-04", b"03-03", 1),
        exported(("04", "1.00", "101.00")),
        exported(("01", "1.00", "101.00"), ("02", "1.00", "102.00")),
    ],
)
async def test_a_statement_that_only_joins_one_is_of_other_days(bank: Bank, other: bytes) -> None:
    await bank.send(THE_BANKS["mt940"])
    await bank.send(other, by="finance")
    file, number = await named(bank.engine, THE_BANKS["mt940"])
    async with transaction(bank.engine) as connection:
        await withdraw(connection, file, number, by="finance", reason="wrong")

    assert await bank.states() == ["withdrawn", "counts"]


async def told_minor(bank: Bank | Nights) -> int:
    """What all entries of the bank come to, by the last word of each."""
    [found] = await rows(
        bank.engine,
        """SELECT coalesce(sum(amount_minor), 0)::bigint AS minor
           FROM (SELECT DISTINCT ON (source_id) amount_minor FROM items WHERE book = :bank
                 ORDER BY source_id, version DESC) last""",
        bank=BOOKS["bank"],
    )
    return int(found["minor"])
