"""The bank itself: accounts, transfers that are to come, what was booked, a statement a day.

A day is over when the clock says so, or when somebody closes it by hand; then what has arrived is
booked and the statement is made, if the bank was open. A day that is over is not opened again:
what comes late is booked on the next one.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from simulators.bank.days import ONE_DAY, is_business_day
from simulators.bank.faults import WIRE_FEE
from simulators.bank.statement import Entry, Statement
from simulators.bank.statements import FORMATS
from simulators.clock import Clock
from simulators.faults import Faults
from simulators.storage import Row, Storage

SCHEMA = """
CREATE TABLE IF NOT EXISTS bank_accounts (
    iban TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL,
    statements INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS bank_transfers (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    iban TEXT NOT NULL,
    amount INTEGER NOT NULL,
    arrival_date TEXT NOT NULL,
    descriptor TEXT NOT NULL,
    trace_id TEXT,
    state TEXT NOT NULL DEFAULT 'waiting'
);
CREATE INDEX IF NOT EXISTS bank_transfers_waiting ON bank_transfers (iban, arrival_date)
    WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS bank_entries (
    position INTEGER PRIMARY KEY,
    iban TEXT NOT NULL,
    number INTEGER NOT NULL,
    booked_on TEXT NOT NULL,
    amount INTEGER NOT NULL,
    description TEXT NOT NULL,
    trace_id TEXT
);
CREATE INDEX IF NOT EXISTS bank_entries_statement ON bank_entries (iban, number);
CREATE TABLE IF NOT EXISTS bank_statements (
    iban TEXT NOT NULL,
    number INTEGER NOT NULL,
    day TEXT NOT NULL,
    opening INTEGER NOT NULL,
    closing INTEGER NOT NULL,
    name TEXT,
    PRIMARY KEY (iban, number)
);
"""
CLOSED = "bank_closed_until"
_LOOK_SECONDS = 0.2


class Contradiction(Exception):
    """The same id came before with something else in it, or an account has another currency."""


class NoAccount(Exception):
    """The bank has no such account, or no such transfer."""


@dataclass(frozen=True)
class Transfer:
    """Money to come in to an account, or to go out where the amount is negative; minor units."""

    id: str
    iban: str
    amount: int
    currency: str
    arrival_date: date
    descriptor: str
    trace_id: str | None = None


Format = Literal["camt.053", "mt940", "bai2", "ofx", "csv"]


class Bank:
    """The bank as its storage left it; statements are written to `folder`."""

    def __init__(
        self, storage: Storage, clock: Clock, folder: Path, format_: Format = "camt.053"
    ) -> None:
        self._storage, self._clock, self._folder = storage, clock, folder
        self.format: Format = format_
        self.faults = Faults(storage, "bank")
        storage.create(SCHEMA)
        if storage.setting(CLOSED) is None:
            self._keep_closed(self._today() - ONE_DAY)

    # Accounts and what is to come

    def open_account(self, iban: str, currency: str, balance: int = 0) -> None:
        """Have an account, with what is on it; one that is there stays. Raises Contradiction."""
        self._storage.run(
            "INSERT INTO bank_accounts (iban, currency, balance) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (iban, currency, balance),
        )
        if self._currency(iban) != currency:
            raise Contradiction(f"The account {iban} is not in {currency}.")

    def take(self, transfer: Transfer) -> None:
        """Take on a transfer, once for its id. Raises Contradiction."""
        self.open_account(transfer.iban, transfer.currency)
        values = (
            transfer.id,
            transfer.iban,
            transfer.amount,
            transfer.arrival_date.isoformat(),
            transfer.descriptor,
            transfer.trace_id,
        )
        names = "id, iban, amount, arrival_date, descriptor, trace_id"
        self._storage.run(
            f"INSERT INTO bank_transfers ({names}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - ours
            " ON CONFLICT DO NOTHING",
            values,
        )
        known = self._storage.row(
            f"SELECT {names} FROM bank_transfers WHERE id = ?",  # noqa: S608 - our names
            (transfer.id,),
        )
        if known != values:
            raise Contradiction(f"The transfer {transfer.id} came before, and was another.")

    def give_back(self, transfer_id: str) -> str:
        """Give a transfer back on the next day that the bank books, once. Raises NoAccount.

        One that is not booked yet never will be.
        """
        with self._storage.transaction():
            row = self._storage.row(
                "SELECT state, iban, amount, descriptor, trace_id FROM bank_transfers WHERE id = ?",
                (transfer_id,),
            )
            if row is None:
                raise NoAccount(f"There is no transfer {transfer_id}.")
            state, iban, amount, descriptor, trace = row
            if state == "waiting":
                self._set_state(transfer_id, "recalled")
                return "recalled"
            if state == "booked":
                self._set_state(transfer_id, "given_back")
                self._coming(f"{transfer_id}/back", iban, -amount, descriptor, trace)
                return "given_back"
            return str(state)

    def add(self, iban: str, amount: int, description: str, trace_id: str | None) -> None:
        """Have the bank book something that nobody announced. Raises NoAccount."""
        self._currency(iban)
        number = self._storage.row("SELECT coalesce(max(position), 0) + 1 FROM bank_transfers")
        assert number is not None
        self._coming(f"other/{number[0]}", iban, amount, description, trace_id)

    # Days

    async def run(self, all_told: Callable[[], Awaitable[None]]) -> None:
        """Close the days that are over, as the clock goes.

        `all_told` returns when everybody has told the bank what they had to by now.
        """
        while True:
            over = self._today() - ONE_DAY
            await all_told()  # of what the days before had: the clock may be moved on meanwhile
            self.close_days(over)
            await asyncio.sleep(_LOOK_SECONDS)

    def close_days(self, until: date) -> list[str]:
        """Close every day until this one; the names of the statements that were handed over.

        All of them or none: who is killed meanwhile writes the same files again.
        """
        names: list[str] = []
        if until <= self.closed_until:
            return names
        with self._storage.transaction():
            day = self.closed_until
            while day < until:
                day += ONE_DAY
                if is_business_day(day):
                    names += self._close(day)
            self._keep_closed(until)
        return names

    @property
    def closed_until(self) -> date:
        """The last day that is over."""
        return date.fromisoformat(self._storage.setting(CLOSED))

    def release(self) -> list[str]:
        """Hand over the statements that were withheld; their names."""
        rows = self._storage.rows(
            "SELECT iban, number FROM bank_statements WHERE name IS NULL ORDER BY number, iban"
        )
        return [self._hand_over(self.statement(iban, number)) for iban, number in rows]

    # Statements

    def statement(self, iban: str, number: int) -> Statement:
        """A statement that was made. Raises NoAccount."""
        row = self._storage.row(
            "SELECT day, opening, closing FROM bank_statements WHERE iban = ? AND number = ?",
            (iban, number),
        )
        if row is None:
            raise NoAccount(f"There is no statement {number} of {iban}.")
        day, opening, closing = row
        currency = self._currency(iban)
        rows = self._storage.rows(
            "SELECT position, booked_on, amount, description, trace_id FROM bank_entries"
            " WHERE iban = ? AND number = ? ORDER BY position",
            (iban, number),
        )
        entries = tuple(_entry(row, currency) for row in rows)
        return Statement(iban, currency, number, date.fromisoformat(day), opening, closing, entries)

    def handed_over(self) -> list[dict[str, str | int]]:
        """Every statement file there is, the oldest first."""
        rows = self._storage.rows(
            "SELECT name, iban, number, day FROM bank_statements WHERE name IS NOT NULL"
            " ORDER BY day, iban"
        )
        return [dict(zip(("name", "iban", "number", "day"), row, strict=True)) for row in rows]

    def file(self, name: str) -> bytes:
        """The content of a statement file, wherever it is by now. Raises NoAccount."""
        row = self._storage.row("SELECT iban, number FROM bank_statements WHERE name = ?", (name,))
        if row is None:
            raise NoAccount(f"There is no file {name}.")
        writers = dict(FORMATS.values())
        content = io.StringIO(newline="")
        writers[name.rpartition(".")[2]](content, [self.statement(*row)], None)
        return content.getvalue().encode()

    def begin_anew(self) -> None:
        """Forget everything but the files."""
        for table in ("accounts", "transfers", "entries", "statements"):
            self._storage.run(f"DELETE FROM bank_{table}")  # noqa: S608 - our own names
        self._keep_closed(self._today() - ONE_DAY)

    # Within

    def _close(self, day: date) -> list[str]:
        names = []
        accounts = self._storage.rows(
            "SELECT iban, currency, balance, statements + 1 FROM bank_accounts ORDER BY iban"
        )
        for iban, currency, opening, number in accounts:
            moved = self._book(iban, currency, number, day)
            self._storage.run(
                "UPDATE bank_accounts SET balance = ?, statements = ? WHERE iban = ?",
                (opening + moved, number, iban),
            )
            self._storage.run(
                "INSERT INTO bank_statements VALUES (?, ?, ?, ?, ?, NULL)",
                (iban, number, day.isoformat(), opening, opening + moved),
            )
            subject = {"iban": [iban], "currency": [currency]}
            if not self.faults.take({"statement_withheld"}, subject):
                names.append(self._hand_over(self.statement(iban, number)))
        return names

    def _book(self, iban: str, currency: str, number: int, day: date) -> int:
        """Book what has arrived; what it comes to."""
        total = 0
        arrived = self._storage.rows(
            "SELECT id, amount, descriptor, trace_id FROM bank_transfers"
            " WHERE iban = ? AND state = 'waiting' AND arrival_date <= ? ORDER BY position",
            (iban, day.isoformat()),
        )
        for id_, amount, descriptor, trace in arrived:
            subject = {"transfer": [id_], "iban": [iban], "currency": [currency]}
            if self.faults.take({"deposit_lost"}, subject):
                self._set_state(id_, "lost")
                continue
            kept = WIRE_FEE if self.faults.take({"wire_fee_withheld"}, subject) else 0
            self._set_state(id_, "booked")
            self._storage.run(
                "INSERT INTO bank_entries (iban, number, booked_on, amount, description, trace_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (iban, number, day.isoformat(), amount - kept, descriptor, trace),
            )
            total += amount - kept
        return total

    def _coming(
        self, id_: str, iban: str, amount: int, description: str, trace: str | None
    ) -> None:
        self._storage.run(
            "INSERT INTO bank_transfers (id, iban, amount, arrival_date, descriptor, trace_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (id_, iban, amount, self.closed_until.isoformat(), description, trace),
        )

    def _set_state(self, id_: str, state: str) -> None:
        self._storage.run("UPDATE bank_transfers SET state = ? WHERE id = ?", (state, id_))

    def _hand_over(self, statement: Statement) -> str:
        ending, write = FORMATS[self.format]
        name = f"{statement.account}-{statement.day}-{statement.number:06d}.{ending}"
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whoever watches the folder sees whole files only.
        unfinished = self._folder / f".{name}"
        with unfinished.open("w", newline="") as file:
            write(file, [statement], None)
        unfinished.replace(self._folder / name)
        self._storage.run(
            "UPDATE bank_statements SET name = ? WHERE iban = ? AND number = ?",
            (name, statement.account, statement.number),
        )
        return name

    def _currency(self, iban: str) -> str:
        row = self._storage.row("SELECT currency FROM bank_accounts WHERE iban = ?", (iban,))
        if row is None:
            raise NoAccount(f"The bank has no account {iban}.")
        return str(row[0])

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), UTC).date()

    def _keep_closed(self, day: date) -> None:
        self._storage.keep_setting(CLOSED, day.isoformat())


def _entry(row: Row, currency: str) -> Entry:
    position, booked_on, amount, description, trace = row
    day = date.fromisoformat(booked_on)
    return Entry(f"BK{position:010d}", day, day, amount, currency, description, trace)
