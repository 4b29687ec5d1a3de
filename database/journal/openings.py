"""Go-live: what an account begins with, proposed by one person and approved by another."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Literal, get_args

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from database import audit
from database.journal.book import post
from database.journal.entry import Code, NewEntry, NewLine
from database.reconciliation import items
from database.reconciliation.accounts import Account
from database.reconciliation.item import NewItem
from workflows.reconciliation.opening import Opening
from workflows.request_key import content_hash

SOURCE = "opening"
"""What the intake of open items is called."""

_HOLD = text("SELECT 1 FROM reconciliation_accounts WHERE id = :account FOR UPDATE")
# Nobody books meanwhile: what is being booked was asked whether it is before the first day.
_BOOK_ALONE = text("SELECT pg_advisory_xact_lock(74201611, CAST(:account AS int))")
_PROPOSE = text("""
    INSERT INTO openings (account, content, content_hash, proposed_by, reason)
    SELECT :account, CAST(:content AS jsonb), :hash, :by, :reason
    WHERE NOT EXISTS (
        SELECT FROM (
            SELECT * FROM openings WHERE account = :account ORDER BY id DESC LIMIT 1
        ) latest LEFT JOIN opening_decisions decision ON decision.opening = latest.id
        WHERE decision.opening IS NULL AND latest.content_hash = :hash
        AND latest.proposed_by = :by
    )
""")
_DECIDE = text("""
    INSERT INTO opening_decisions (opening, content_hash, verdict, decided_by, reason)
    VALUES (:opening, :hash, :verdict, :by, :reason)
""")
_LATEST = text("""
    SELECT opening.*, decision.verdict, decision.decided_by, decision.decided_at,
           decision.reason AS decision_reason
    FROM openings opening LEFT JOIN opening_decisions decision ON decision.opening = opening.id
    WHERE opening.account = :account
    AND (NOT :approved OR decision.verdict = 'approved')
    ORDER BY opening.id DESC LIMIT 1
""")
_MOVED_BEFORE = text("""
    SELECT EXISTS (SELECT FROM journal_entries
                   WHERE account = :account AND kind <> 'opening' AND effective_on < :opened_on)
        OR EXISTS (SELECT FROM intakes WHERE account = :account AND new > 0)
        OR EXISTS (SELECT FROM certificates WHERE account = :account)
""")
_OPEN = text("UPDATE reconciliation_accounts SET opened_on = :opened_on WHERE id = :account")


class NotOpened(ValueError):
    """The account cannot be opened so. `why` is a code.

    opened-already  an approved opening is there
    moved-already   items came in, or something was booked on a day before the first
    own-proposal    whoever proposed it is whoever would approve
    decided-already, changed-meanwhile
                    it was decided about, or there is a newer proposal
    """

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


async def propose(
    connection: AsyncConnection, account: Account, opening: Opening, *, by: str, reason: str
) -> RowMapping:
    """Keep a proposal in place of the one before; the same again is the same. Raises NotOpened."""
    await connection.execute(_HOLD, {"account": account.id})
    await _must_not_be_open(connection, account, opening)
    hash_ = content_hash(opening)
    told = {
        "account": account.id,
        "content": opening.model_dump_json(),
        "hash": hash_,
        "by": by,
        "reason": reason,
    }
    if (await connection.execute(_PROPOSE, told)).rowcount:
        details = {"account": account.name, "content": hash_, "why": reason}
        await audit.record(connection, "opening.proposed", by, details=details)
    row = await latest(connection, account)
    assert row is not None, "it is there now"
    return row


async def latest(connection: AsyncConnection, account: Account) -> RowMapping | None:
    """The latest proposal, and what was decided about it."""
    asked = {"account": account.id, "approved": False}
    return (await connection.execute(_LATEST, asked)).mappings().first()


async def approved(connection: AsyncConnection, account: Account) -> Opening | None:
    """What the account began with, once two people have said so."""
    asked = {"account": account.id, "approved": True}
    row = (await connection.execute(_LATEST, asked)).mappings().first()
    return None if row is None else Opening.model_validate_json(json.dumps(row["content"]))


async def decide(
    connection: AsyncConnection,
    account: Account,
    number: int,
    verdict: Literal["approved", "refused"],
    *,
    by: str,
    reason: str,
) -> RowMapping:
    """Approve of the latest proposal or refuse it; what is approved is loaded at once.

    `number` is that of the proposal that was looked at. Raises LookupError where there is none, and
    NotOpened.
    """
    await connection.execute(_HOLD, {"account": account.id})
    row = await latest(connection, account)
    if row is None:
        raise LookupError(account.name)
    if row["id"] != number:
        raise NotOpened("changed-meanwhile", "there is a newer proposal")
    if row["verdict"] is not None:
        if (row["verdict"], row["decided_by"]) == (verdict, by):
            return row
        raise NotOpened("decided-already", f"it was {row['verdict']} by {row['decided_by']}")
    decision = {
        "opening": number,
        "hash": row["content_hash"],
        "verdict": verdict,
        "by": by,
        "reason": reason,
    }
    try:
        await connection.execute(_DECIDE, decision)
    except IntegrityError:
        raise NotOpened("own-proposal", "nobody approves of what they proposed") from None
    details = {"account": account.name, "content": row["content_hash"], "why": reason}
    await audit.record(connection, f"opening.{verdict}", by, details=details)
    if verdict == "approved":
        opening = Opening.model_validate_json(json.dumps(row["content"]))
        await _load(connection, account, opening)
    decided = await latest(connection, account)
    assert decided is not None, "it was there"
    return decided


async def _load(connection: AsyncConnection, account: Account, opening: Opening) -> None:
    """Book the balances, take in what is open, and begin with the day. Raises NotOpened."""
    await connection.execute(_BOOK_ALONE, {"account": account.id})
    await _must_not_be_open(connection, account, opening, loading=True)
    before = opening.opened_on - timedelta(days=1)
    at = datetime.combine(before, time(), account.zone)
    lines = list(_lines(opening))
    if lines:
        entry = NewEntry(f"opening/{account.id}", "opening", at, lines)
        await post(connection, account.id, [entry])
    if opening.items:
        await items.take_in(connection, account.id, _items(account, opening), source=SOURCE)
    asked = {"account": account.id, "opened_on": opening.opened_on}
    await connection.execute(_OPEN, asked)


async def _must_not_be_open(
    connection: AsyncConnection, account: Account, opening: Opening, *, loading: bool = False
) -> None:
    if not loading and await approved(connection, account) is not None:
        raise NotOpened("opened-already", f"{account.name} was opened before")
    asked = {"account": account.id, "opened_on": opening.opened_on}
    if await connection.scalar(_MOVED_BEFORE, asked):
        raise NotOpened(
            "moved-already",
            f"{account.name} has items already, or entries of days before {opening.opened_on}",
        )


def _lines(opening: Opening) -> Iterator[NewLine]:
    """The balances of our own books, each against what an account begins with."""
    for one in opening.balances:
        if one.book in get_args(Code) and one.amount_minor:
            yield NewLine(one.book, one.currency, one.amount_minor, "opening")  # type: ignore[arg-type]  # it is one of them
            yield NewLine("opening", one.currency, -one.amount_minor, "opening")


def _items(account: Account, opening: Opening) -> Iterator[NewItem]:
    for one in opening.items:
        yield NewItem(
            book=one.book,
            source_id=one.source_id,
            component="gross" if one.book == "processor" else "",
            kind=one.kind,
            currency=one.currency,
            amount_minor=one.amount_minor,
            occurred_at=datetime.combine(one.effective_on, time(), account.zone).astimezone(UTC),
            effective_on=one.effective_on,
            reference=one.reference,
            payout=one.payout,
            arrival_on=one.arrival_on,
            trace_id=one.trace_id,
            descriptor=one.descriptor,
        )
