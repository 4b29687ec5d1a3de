"""Statements of banks come in once each, however often and in whatever format they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncpg import DataError, DeadlockDetectedError
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.statements import OWNER, FilesRead, StatementIntake
from connectors.archive_folder import NO_ANSWER, FolderArchive
from connectors.folder import Folder
from connectors.statements.csv import load_columns
from database.connection import DatabaseDown, transaction
from database.reconciliation import accounts, items, runs, statement_sequence, statements
from database.reconciliation.accounts import Account
from database.spool import Spool
from tests.integration.reconciliation.conftest import go_live, new_account
from tests.integration.reconciliation.test_inputs import RULES, TERMS
from tests.postgres import rows
from tests.simulated import REPOSITORY
from workflows.reconciliation.messages import OpenNight, Run
from workflows.reconciliation.opening import OpeningBalance

ENTRIES = ((1_050, "BANK-1", "TRACE-1"), (-200, "BANK-2", "NOTPROVIDED"))


def camt(
    number: int = 1,
    entries: Sequence[tuple[int, str, str]] = ENTRIES,
    *,
    opening: int = 10_000,
    off: int = 0,
    account: str = "DE00EXAMPLE",
) -> bytes:
    """A statement of the day `number` of March; its closing balance is `off` by so much."""

    def money(amount: int) -> str:
        sign = "CRDT" if amount >= 0 else "DBIT"
        whole, cents = divmod(abs(amount), 100)
        return f'<Amt Ccy="EUR">{whole}.{cents:02}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'

    def balance(code: str, amount: int) -> str:
        kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        return f"<Bal>{kind}{money(amount)}<Dt><Dt>2026-03-{number:02}</Dt></Dt></Bal>"

    def entry(amount: int, reference: str, trace: str) -> str:
        day = f"<Dt>2026-03-{number:02}</Dt>"
        return (
            f"<Ntry>{money(amount)}<Sts><Cd>BOOK</Cd></Sts><BookgDt>{day}</BookgDt>"
            f"<ValDt>{day}</ValDt><AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
            f"<EndToEndId>{trace}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
        )

    closing = opening + sum(amount for amount, _, _ in entries) + off
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        f"<Id>S-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{account}</IBAN>"
        f"</Id><Ccy>EUR</Ccy></Acct>{balance('OPBD', opening)}{balance('CLBD', closing)}"
        + "".join(entry(*one) for one in entries)
        + "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


MT940 = b"""\
:20:REF
:25:DE00EXAMPLE
:28C:00001/001
:60F:C260228EUR100,00
:61:2603010301C10,50NTRFTRACE-1//BANK-1
:61:2603010301D2,00NTRFNONREF//BANK-2
:62F:C260301EUR108,50
-
"""


@dataclass
class Bank:
    """An intake, and a folder from which files are sent to it."""

    engine: AsyncEngine
    account: Account
    intake: StatementIntake
    folder: Path
    spool: Spool

    async def send(self, *contents: bytes, **told: Any) -> FilesRead:
        for content in contents:
            await self.receive(content, **told)
        return await self.intake.read_waiting()

    async def receive(self, content: bytes, *, by: str = "test", **told: Any) -> str:
        file = self.folder / hashlib.sha256(content).hexdigest()
        file.write_bytes(content)
        return await self.intake.receive(file, by=by, **told)

    async def states(self) -> list[str]:
        found = await rows(self.engine, "SELECT state FROM statements ORDER BY id")
        return [row["state"] for row in found]

    async def items(self) -> list[tuple[int, str]]:
        found = await rows(
            self.engine, "SELECT amount_minor, reference FROM items ORDER BY reference"
        )
        return [(row["amount_minor"], row["reference"]) for row in found]

    async def gaps(self) -> list[tuple[str, int | None]]:
        async with transaction(self.engine) as connection:
            rows_ = await statement_sequence.of_account(connection, self.account.id, until=date.max)
            found = statement_sequence.gaps(rows_)
        return [(gap.before, gap.difference_minor) for gap in found]


@pytest.fixture
async def bank(engine: AsyncEngine, tmp_path: Path) -> Bank:
    account = await new_account(engine, opened=datetime(2026, 3, 1, tzinfo=UTC))
    spool, archive = Spool(tmp_path / "spool"), Folder(tmp_path / "archive", no_answer=NO_ANSWER)
    spool.prepare()
    archive.prepare()
    (tmp_path / "sent").mkdir()
    maps = load_columns(REPOSITORY / "rules" / "statement_columns.toml")
    intake = StatementIntake(engine, spool, FolderArchive(archive), maps)
    return Bank(engine, account, intake, tmp_path / "sent", spool)


async def test_a_statement_is_proven_and_its_entries_come_in(bank: Bank) -> None:
    read = await bank.send(camt())

    assert read == FilesRead(read=1, new=2)
    assert await bank.items() == [(-200, "BANK-2"), (1_050, "TRACE-1")]
    [statement] = await rows(bank.engine, "SELECT * FROM statements")
    assert (statement["proof"], statement["state"], statement["sequence"]) == (
        "proven",
        "counts",
        1,
    )
    assert (statement["opening_minor"], statement["closing_minor"]) == (10_000, 10_850)
    assert statement["account"] == bank.account.id


async def test_the_same_file_is_one_and_is_kept_for_good(bank: Bank) -> None:
    first = await bank.receive(camt())
    await bank.intake.read_waiting()
    again = await bank.receive(camt())

    assert first == again
    assert await bank.intake.read_waiting() == FilesRead()
    assert not bank.spool.file(first).exists()
    sha256 = hashlib.sha256(camt()).hexdigest()
    assert (bank.folder.parent / "archive" / OWNER / sha256).read_bytes() == camt()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
async def test_a_statement_counts_once_in_whatever_format(
    bank: Bank, order: tuple[int, ...]
) -> None:
    sent = [camt(), camt().replace(b"><Stmt>", b">\n<Stmt>"), MT940]
    await bank.send(*(sent[number] for number in order))

    assert await bank.states() == ["counts", "again", "again"]
    assert await bank.items() == [(-200, "BANK-2"), (1_050, "TRACE-1")] or order[0] == 2
    assert len(await bank.items()) == 2


async def test_another_content_under_the_name_of_a_statement_is_put_before_people(
    bank: Bank,
) -> None:
    await bank.send(camt(), camt(entries=[*ENTRIES, (5, "BANK-3", "TRACE-3")]))

    assert await bank.states() == ["counts", "contradicted"]
    assert len(await bank.items()) == 2


async def test_a_statement_of_an_unknown_account_waits_until_somebody_knows_it(bank: Bank) -> None:
    await bank.send(camt(account="DE99NEW"))
    assert (await bank.states(), await bank.items()) == (["unknown_account"], [])

    async with transaction(bank.engine) as connection:
        await accounts.add_bank_account(connection, bank.account.id, "DE99NEW", "EUR", "TARGET")
        assert await statements.have_read_again(connection, bank.account.id) == 1
    read = await bank.intake.read_waiting()

    assert (read.new, await bank.states()) == (2, ["counts"])


async def test_an_account_waits_for_its_opening_and_so_do_its_statements(
    engine: AsyncEngine, bank: Bank
) -> None:
    opened = datetime(2026, 3, 1, tzinfo=UTC)
    of_its_own: Any = {"processor": "files", "bank_account": "DE77"}
    new = await new_account(engine, "globex", opened=opened, live=False, **of_its_own)
    night = OpenNight(
        at=datetime(2026, 3, 20, 2, 30, tzinfo=UTC), after=None, limit=10, request_key="night"
    )
    async with transaction(engine) as connection:
        due = await runs.open_night(connection, night)
        with pytest.raises(runs.NotLive, match="perdure accounts open globex"):
            await runs.open_run(connection, new, date(2026, 3, 2))
    await bank.send(camt(account="DE77"))
    assert (await bank.states(), await bank.items()) == (["unknown_account"], [])
    assert {days.account for days in due.ranges} == {"acme"}

    await go_live(engine, new, OpeningBalance(book="bank", currency="EUR", amount_minor=10_000))
    async with transaction(engine) as connection:
        assert await statements.have_read_again(connection, new.id) == 1
        due = await runs.open_night(connection, night)
    assert (await bank.intake.read_waiting()).new == 2
    assert {days.account for days in due.ranges} == {"acme", "globex"}


async def test_a_statement_is_of_nobody_elses_account(bank: Bank) -> None:
    await bank.send(camt(), tenant="globex")

    assert await bank.states() == ["unknown_account"]


async def test_what_one_tenant_sends_neither_moves_nor_is_told_of_anothers_statements(
    bank: Bank,
) -> None:
    await bank.send(camt(off=100))
    for content in (camt(), camt(entries=ENTRIES[:1]), MT940):
        await bank.send(content, tenant="globex")

    ours, *theirs = await rows(bank.engine, "SELECT * FROM statements ORDER BY id")
    assert (ours["state"], ours["tenant"]) == ("counts", "acme")
    assert [one["state"] for one in theirs] == ["unknown_account", "contradicted", "again"]
    assert {one["account"] for one in theirs} == {None}
    assert ours["id"] not in {one["same_as"] for one in theirs}
    async with transaction(bank.engine) as connection:
        assert not await statement_sequence.contradicted(
            connection, bank.account.id, until=date.max
        )


async def test_a_statement_that_waited_twice_counts_once(bank: Bank) -> None:
    """Somebody for all tenants sent it, and whose it is, too: nobody knew that it is the same."""
    await bank.send(camt(account="DE99NEW"))
    await bank.send(camt(account="DE99NEW") + b"\n", tenant="acme")
    assert await bank.states() == ["unknown_account", "unknown_account"]

    async with transaction(bank.engine) as connection:
        await accounts.add_bank_account(connection, bank.account.id, "DE99NEW", "EUR", "TARGET")
        assert await statements.have_read_again(connection, bank.account.id) == 2
    read = await bank.intake.read_waiting()

    assert (read.new, sorted(await bank.states())) == (2, ["again", "counts"])
    async with transaction(bank.engine) as connection:
        assert await statements.have_read_again(connection, bank.account.id) == 0


@pytest.mark.parametrize("tenant", ["acme", "globex"])
async def test_a_bank_account_in_a_currency_is_of_one_account(bank: Bank, tenant: str) -> None:
    async with transaction(bank.engine) as connection:
        asked = replace(bank.account, name="x", tenant=tenant, processor="files")
        other = await accounts.make(connection, asked)
        with pytest.raises(accounts.BankAccountTaken):
            await accounts.add_bank_account(connection, other, "DE00EXAMPLE", "EUR", "TARGET")
        await accounts.add_bank_account(connection, other, "DE00EXAMPLE", "USD", "TARGET")


@pytest.mark.parametrize("processor", ["listing", "reports"])
async def test_the_account_at_the_processor_is_of_one_account(bank: Bank, processor: str) -> None:
    asked = replace(bank.account, name="x", processor=processor)
    async with transaction(bank.engine) as connection:
        with pytest.raises(accounts.ProcessorTaken):
            await accounts.make(connection, asked)
        with pytest.raises(accounts.ProcessorTaken):
            await accounts.make(connection, replace(asked, tenant="globex"), rehearses=True)
        await accounts.make(connection, asked, rehearses=True)
        await accounts.make(connection, replace(asked, name="y", processor="files"))


async def test_statements_that_do_not_name_their_account_are_of_that_which_was_said(
    bank: Bank,
) -> None:
    columns = b"Date,Amount,Currency,Description\n2026-03-01,10.50,EUR,STRIPE\n"

    assert (await bank.send(columns, bank_account="DE00 EXAMPLE")).new == 1
    assert await bank.states() == ["counts"]


async def test_a_gap_is_noticed_by_balances_and_by_the_banks_count(bank: Bank) -> None:
    await bank.send(camt(1), camt(2, opening=10_850))
    assert await bank.gaps() == []

    await bank.send(camt(4, opening=11_000))
    assert await bank.gaps() == [("S-4", 11_000 - 11_700)]

    await bank.send(camt(3, [(-700, "BANK-9", "")], opening=11_700))
    assert await bank.gaps() == []


async def test_a_missing_statement_that_comes_to_zero_is_noticed_by_the_banks_count(
    bank: Bank,
) -> None:
    await bank.send(camt(1), camt(4, opening=10_850))

    assert await bank.gaps() == [("S-4", None)]


async def test_a_count_that_begins_anew_is_no_gap(bank: Bank) -> None:
    new_year = camt(4, opening=10_850).replace(b"<ElctrncSeqNb>4<", b"<ElctrncSeqNb>1<")
    await bank.send(camt(3), new_year)

    assert await bank.gaps() == []


async def test_a_statement_that_does_not_add_up_is_marked(bank: Bank) -> None:
    await bank.send(camt(off=7))

    [statement] = await rows(bank.engine, "SELECT proof, difference_minor FROM statements")
    assert statement == {"proof": "unproven", "difference_minor": 7}


@pytest.mark.parametrize("proven_first", [False, True])
async def test_a_statement_that_does_not_add_up_gives_way_to_one_that_does(
    bank: Bank, proven_first: bool
) -> None:
    wrong = [camt(2, off=100), camt(2, off=50)]
    right = camt(2)
    for content in [right, *wrong] if proven_first else [*wrong, right]:
        await bank.send(content)

    found = await rows(bank.engine, "SELECT id, state, proof, same_as FROM statements ORDER BY id")
    [counting] = [one for one in found if one["state"] == "counts"]
    others = [one for one in found if one != counting]
    assert counting["proof"] == "proven"
    assert [(one["state"], one["same_as"]) for one in others] == (
        [("superseded", counting["id"])] * 2
    )
    assert len(await bank.items()) == 2
    async with transaction(bank.engine) as connection:
        run = Run(account="acme", day=date(2026, 3, 3), ordinal=1)
        inputs, _ = await GatheredInputs(TERMS)(connection, bank.account, run, RULES)
    assert "statement_unproven" not in {one.lack for one in inputs.missing}


async def test_a_corrected_entry_of_a_superseded_statement_counts_once(bank: Bank) -> None:
    first, second = ENTRIES
    await bank.send(camt(2, [(1_000, *first[1:]), second], off=50))
    await bank.send(camt(2))

    amounts = await rows(
        bank.engine, "SELECT version, amount_minor FROM items ORDER BY source_id, version"
    )
    assert [tuple(one.values()) for one in amounts] == [(1, 1_000), (2, 1_050), (1, -200)]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (camt()[:-60], "not_well_formed"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + camt(), "forbidden"),
        (camt().replace(b"10.50", b"10.5x"), "bad_amount"),
        (b"PK\x03\x04", "compressed"),
        (b"\x00\x01\x02", "bad_encoding"),
    ],
)
async def test_nothing_of_a_file_counts_that_cannot_be_read(
    bank: Bank, content: bytes, error: str
) -> None:
    assert await bank.send(content, camt(2)) == FilesRead(read=1, refused=1, new=2)

    [refused] = await rows(bank.engine, "SELECT error FROM source_files WHERE state = 'refused'")
    assert refused["error"] == error


ENDLESS = b"R" * 6_000
IMPOSSIBLE = {
    "amount": camt().replace(b">10.50<", b">999999999999999999.50<"),
    "number": camt().replace(b"Nb>1<", b"Nb>" + b"9" * 19 + b"<"),
    "statement": camt().replace(b"<Id>S-1</Id>", b"<Id>" + ENDLESS + b"</Id>"),
    "reference": camt().replace(b"BANK-1", ENDLESS),
    "day": camt().replace(b"<BookgDt><Dt>2026", b"<BookgDt><Dt>0001"),
    "total": camt(1, [(10**15, f"BANK-{number}", "") for number in range(2)], off=-2 * 10**15),
}


@pytest.mark.parametrize("tenant", ["acme", "globex"])
@pytest.mark.parametrize("impossible", IMPOSSIBLE)
async def test_what_no_bank_writes_is_refused_and_holds_up_no_other_file(
    bank: Bank, impossible: str, tenant: str
) -> None:
    await bank.receive(IMPOSSIBLE[impossible], tenant=tenant)

    assert await bank.send(camt(2), tenant="acme") == FilesRead(read=1, refused=1, new=2)
    [refused] = await rows(bank.engine, "SELECT error FROM source_files WHERE state = 'refused'")
    assert refused["error"] in ("bad_amount", "bad_number", "too_long", "bad_date")


@pytest.mark.parametrize("error", [AssertionError, DataError])
async def test_a_file_that_meets_a_defect_is_told_of_and_is_read_once_that_is_mended(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    await bank.receive(camt())
    with monkeypatch.context() as mended_later:
        take_in = items.take_in
        mended_later.setattr(items, "take_in", failing_once(take_in, error("Anna Example")))
        assert await bank.send(camt(2)) == FilesRead(read=1, refused=1, new=2)
    [refused] = await rows(bank.engine, "SELECT * FROM source_files WHERE state = 'refused'")
    assert (refused["error"], "Anna" in refused["detail"]) == ("defect", False)

    assert await bank.send(camt()) == FilesRead(read=1, new=2)


@pytest.mark.parametrize("error", [DeadlockDetectedError, DatabaseDown])
async def test_what_is_no_files_fault_refuses_none(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    await bank.receive(camt())
    with monkeypatch.context() as over_soon:
        over_soon.setattr(items, "take_in", failing_once(items.take_in, error()))
        with pytest.raises(error):
            await bank.intake.read_waiting()

    assert await bank.intake.read_waiting() == FilesRead(read=1, new=2)


def failing_once(takes_in: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """Taking items in, which fails the first time."""
    errors = [error]

    async def take_in(*of: Any, **told: Any) -> Any:
        if errors:
            raise errors.pop()
        return await takes_in(*of, **told)

    return take_in


async def test_a_file_that_is_lost_holds_up_no_other_and_may_be_sent_again(bank: Bank) -> None:
    lost = await bank.receive(camt())
    bank.spool.drop(lost)
    assert await bank.send(camt(2)) == FilesRead(read=1, refused=1, new=2)
    [refused] = await rows(bank.engine, "SELECT id, error FROM source_files WHERE error <> ''")
    assert (refused["id"], refused["error"]) == (lost, "lost")

    assert await bank.send(camt()) == FilesRead(read=1, new=2)
    assert await rows(bank.engine, "SELECT FROM source_files WHERE state <> 'read'") == []


async def test_a_crash_while_a_file_is_read_leaves_it_waiting(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ConnectionResetError

    await bank.receive(camt())
    with monkeypatch.context() as crashing:
        crashing.setattr(FolderArchive, "put", crash)
        with pytest.raises(Exception):  # noqa: B017 - however it ends
            await bank.intake.read_waiting()
    assert (await bank.items(), await bank.states()) == ([], [])

    assert await bank.intake.read_waiting() == FilesRead(read=1, new=2)
