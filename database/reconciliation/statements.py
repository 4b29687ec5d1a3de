"""Statements of banks: each counts once, however often and in whatever format it was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.accounts import LIVE

RANGES = ("csv", "ofx")
"""The formats of ranges of days that somebody chose: these overlap, and share their entries."""

# Statements of one bank account are placed one after the other.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:bank_account, 7420161))")
_WHOSE = text(f"""
    SELECT DISTINCT a.id, a.tenant
    FROM reconciliation_bank_accounts b JOIN reconciliation_accounts a ON a.id = b.account
    WHERE b.identification = :bank_account AND b.currency = :currency
      AND (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant) AND {LIVE}
""")
SEEN = """
    (CAST(:seer AS text) IS NULL
     OR (s.bank_account, s.currency) IN (
         SELECT b.identification, b.currency FROM reconciliation_bank_accounts b
         JOIN reconciliation_accounts a ON a.id = b.account WHERE a.tenant = :seer)
     OR (f.tenant = :seer AND (s.bank_account, s.currency) NOT IN (
         SELECT identification, currency FROM reconciliation_bank_accounts)))
"""
"""Whether a statement `s` of a file `f` is there for the tenant `:seer`; None of whom is all.

Whose bank account it is decides, by whatever file it came; where nobody has it yet, who sent it.
"""

# Nobody is told of another tenant's statements, or moves them. What waits for an account without
# being any tenant's is compared with once the account is known.
THEIRS = """
    (tenant IS NOT DISTINCT FROM CAST(:tenant AS text)
     OR (tenant IS NULL AND CAST(:account AS bigint) IS NOT NULL))
"""
# Some banks name each day's statement alike, and many days are empty: a name takes the day, too.
NAMED = """
    bank_account = :bank_account AND currency = :currency AND statement_id = :statement_id
    AND coalesce(sequence, 0) = coalesce(CAST(:sequence AS bigint), 0)
    AND coalesce(closing_on, '-infinity') = coalesce(CAST(:closing_on AS date), '-infinity')
"""
_OF_NAME = text(f"""
    SELECT * FROM statements
    WHERE {THEIRS} AND {NAMED}
      AND state IN ('counts', 'unknown_account')
    ORDER BY state = 'counts' DESC, file = :file DESC, id LIMIT 1
""")
# A file may be read again, for another statement in it: each of its own is there already.
_OF_THIS_FILE = text(f"""
    SELECT * FROM statements
    WHERE file = :file AND {NAMED} AND content = :content
    ORDER BY id LIMIT 1
""")
SAME_DAYS = """
    ((s.bank_account, s.currency) = (:bank_account, :currency)
     AND s.first_on <= :last_on AND s.last_on >= :first_on)
"""
"""Whether a statement `s` tells of days of which another one does."""
_WITHDRAWN_BY_ITS_SENDER = text(f"""
    SELECT EXISTS (
        SELECT FROM statements s JOIN source_files f ON f.received_by = s.withdrawn_by
        WHERE f.id = :file AND s.state = 'withdrawn' AND {SAME_DAYS})
""")
_WITHDRAWN = text(f"""
    SELECT id FROM statements
    WHERE {THEIRS} AND {NAMED} AND content = :content AND state = 'withdrawn'
    ORDER BY id LIMIT 1
""")
# Two formats name statements differently; days, balances and sums are the bank's own.
_OF_CONTENT = text(f"""
    SELECT * FROM statements
    WHERE {THEIRS}
      AND bank_account = :bank_account AND currency = :currency AND closing_on = :closing_on
      AND opening_minor = :opening_minor AND closing_minor = :closing_minor
      AND entries = :entries AND total_minor = :total_minor
      AND format <> :format AND state IN ('counts', 'unknown_account')
    ORDER BY state = 'counts' DESC, id LIMIT 1
""")
_KEEP = text("""
    INSERT INTO statements (file, account, tenant, bank_account, currency, statement_id, sequence,
                            format, opening_on, opening_minor, closing_on, closing_minor, first_on,
                            last_on, entries, total_minor, content, proof, difference_minor, state,
                            same_as)
    VALUES (:file, :account, :tenant, :bank_account, :currency, :statement_id, :sequence, :format,
            :opening_on, :opening_minor, :closing_on, :closing_minor, :first_on, :last_on, :entries,
            :total_minor, :content, :proof, :difference_minor, :state, :same_as)
    RETURNING id
""")
_SUPERSEDE = text("""
    UPDATE statements SET state = 'superseded'
    WHERE id = :id OR (same_as = :id AND state = 'contradicted' AND proof <> 'proven')
""")
_SUPERSEDED_BY = text("""
    UPDATE statements SET same_as = :by, account = :account, tenant = :tenant
    WHERE state = 'superseded' AND (id = :id OR same_as = :id)
""")
_NOW_KNOWN = text("""
    UPDATE statements SET state = 'counts', account = :account, tenant = :tenant WHERE id = :id
""")
_WAITS_NO_MORE = text("""
    UPDATE statements SET state = :state, account = :account, tenant = :tenant, same_as = :same_as
    WHERE id = :id
""")
# What contradicts a statement that waited came before anybody knew whose it is.
_BESIDE_IT = text("""
    UPDATE statements SET account = :account, tenant = :tenant, same_as = :by
    WHERE same_as = :id AND account IS NULL
""")
# Files of which a statement waits for an account that is known by now are read again.
_WAITED_FOR = text(f"""
    UPDATE source_files f SET state = 'received'
    WHERE f.state = 'read' AND f.id IN (
        SELECT s.file FROM statements s
        JOIN reconciliation_bank_accounts b
          ON b.identification = s.bank_account AND b.currency = s.currency
        JOIN reconciliation_accounts a ON a.id = b.account
        WHERE s.state = 'unknown_account' AND b.account = :account
          AND (f.tenant IS NULL OR f.tenant = a.tenant) AND {LIVE}
    )
""")
_OF_FILE = text(f"""
    SELECT s.id AS number, s.bank_account, s.currency, s.statement_id, s.sequence, s.format,
           s.opening_on, s.opening_minor, s.closing_on, s.closing_minor, s.entries, s.proof,
           s.difference_minor, s.state, s.same_as, other.file AS same_as_file, s.withdrawn_by,
           s.withdrawn_at, s.withdrawn_for, a.name AS account
    FROM statements s
    JOIN source_files f ON f.id = s.file
    LEFT JOIN statements other ON other.id = s.same_as
    LEFT JOIN reconciliation_accounts a ON a.id = s.account
    WHERE s.file = :file AND {SEEN} ORDER BY s.id
""")


@dataclass(frozen=True)
class ToldStatement:
    """A statement as a file tells it: see `database.source_tables.StatementRow`."""

    format: str
    bank_account: str
    currency: str
    statement_id: str
    sequence: int | None
    opening_on: date | None
    opening_minor: int | None
    closing_on: date | None
    closing_minor: int | None
    first_on: date | None
    last_on: date | None
    entries: int
    total_minor: int
    content: str
    proof: str
    difference_minor: int | None


class OwnWithdrawal(ValueError):
    """Who sent a statement withdrew another one of its days: it takes somebody else."""


async def place(
    connection: AsyncConnection, file: str, told: ToldStatement, *, tenant: str | None
) -> int | None:
    """Keep a statement of a file; whose items it now brings, where it brings any.

    None where it was there before, or nobody knows its bank account, or the account waits for its
    opening, or it does not count. Raises OwnWithdrawal.
    """
    values = {"file": file, "tenant": tenant, "same_as": None, **asdict(told)}
    await one_at_a_time(connection, told.bank_account)
    values |= await whose(connection, values)
    account: int | None = values["account"]
    known = (await connection.execute(_OF_THIS_FILE, values)).mappings().first()
    if known is not None and (account is None or known["state"] != "unknown_account"):
        counting: int | None = known["account"] if known["state"] == "counts" else None
        return counting  # some of its items may be new by now
    if told.format == "mt942":  # its entries come again: beside a statement it says nothing
        await connection.execute(_KEEP, values | {"state": "interim"})
        return None
    known_id = known["id"] if known is not None else None
    if withdrawn := await connection.scalar(_WITHDRAWN, values):
        told_of = {"state": "withdrawn", "same_as": withdrawn}
        await _keep_beside(connection, known, values | told_of)
        return None
    if known is None and await connection.scalar(_WITHDRAWN_BY_ITS_SENDER, values):
        raise OwnWithdrawal(f"who sent {file} withdrew a statement of its days")
    before = (await connection.execute(_OF_NAME, values)).mappings().first()
    if before is not None and _gives_way(before["proof"], told.proof):
        return await _supersede(connection, known, before, values)
    if told.closing_on is not None and (before is None or before["id"] == known_id):
        twin = (await connection.execute(_OF_CONTENT, values)).mappings().first()
        before = twin or before
    if before is None:
        state = "counts" if account else "unknown_account"
        await connection.execute(_KEEP, values | {"state": state})
        return account
    if before["id"] == known_id:
        await _now_known(connection, before["id"], values)
        return account
    same = before["content"] == told.content or before["format"] != told.format
    gives_way = _gives_way(told.proof, before["proof"])
    state = "again" if same else "superseded" if gives_way else "contradicted"
    told_of = {"account": before["account"], "same_as": before["id"], "state": state}
    await _keep_beside(connection, known, values | told_of)
    return None


async def whose(connection: AsyncConnection, of: Mapping[str, Any]) -> dict[str, Any]:
    """`account` and `tenant` of a statement, where they are known by now; else its sender's."""
    accounts = (await connection.execute(_WHOSE, of)).all()
    account, tenant = accounts[0] if len(accounts) == 1 else (None, of["tenant"])
    return {"account": account, "tenant": tenant}


async def one_at_a_time(connection: AsyncConnection, bank_account: str) -> None:
    """Have the statements of a bank account to oneself until the transaction ends."""
    await connection.execute(_ONE_AT_A_TIME, {"bank_account": bank_account})


async def _keep_beside(
    connection: AsyncConnection, known: RowMapping | None, values: Mapping[str, Any]
) -> None:
    """Keep a statement that brings nothing, in place of its row if it waited for its account."""
    if known is None:
        await connection.execute(_KEEP, values)
        return
    waited = {**values, "id": known["id"], "by": values["same_as"]}
    await connection.execute(_WAITS_NO_MORE, waited)
    await connection.execute(_BESIDE_IT, waited)


async def _now_known(connection: AsyncConnection, id_: int, values: Mapping[str, Any]) -> None:
    """Have a statement count that waited for its account."""
    waited = {**values, "id": id_, "by": id_}
    await connection.execute(_NOW_KNOWN, waited)
    await connection.execute(_BESIDE_IT, waited)


def _gives_way(proof: str, to: str) -> bool:
    """Whether a statement gives way to another of its name that adds up, as it does not itself."""
    return proof != "proven" and to == "proven"


async def _supersede(
    connection: AsyncConnection,
    known: RowMapping | None,
    before: RowMapping,
    values: dict[str, Any],
) -> int | None:
    """Keep a statement in place of one that does not add up; whose items it brings."""
    account: int | None = values["account"]
    await connection.execute(_SUPERSEDE, {"id": before["id"]})
    if known is not None:
        by = known["id"]
        await _now_known(connection, by, values)
    else:
        state = "counts" if account else "unknown_account"
        by = await connection.scalar(_KEEP, values | {"state": state})
    await connection.execute(_SUPERSEDED_BY, values | {"id": before["id"], "by": by})
    return account


async def have_read_again(connection: AsyncConnection, account: int) -> int:
    """Have files read again whose statements waited for this account; how many."""
    return (await connection.execute(_WAITED_FOR, {"account": account})).rowcount


async def of_file(
    connection: AsyncConnection, file: str, *, seer: str | None
) -> Sequence[RowMapping]:
    """The statements of a file, in its order, with the name of the account that each is of.

    Those alone that the tenant `seer` may see: see `SEEN`.
    """
    found = await connection.execute(_OF_FILE, {"file": file, "seer": seer})
    return found.mappings().all()
