"""Fixing the inputs of a run, so that the same inputs always have the same hash.

The hash goes over what the sources said by their own ids. It does not know in which order rows
came, by which numbers our tables have them, or when a run was made.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import accounts, extent
from database.reconciliation.codes import BOOKS
from database.reconciliation.extent import NEW, Cut, of_cut
from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import BookContents, CutRecord, canonical
from workflows.reconciliation.inputs import Inputs, Told

NOTHING = hashlib.sha256(b"").hexdigest()
"""The hash of no rows at all."""

ROOM = text("SELECT set_config('work_mem', '128MB', true)")

CONTENT = (
    "sha256(record_send(ROW({0}.source_id, {0}.component, {0}.version, {0}.kind, {0}.currency,"
    " {0}.amount_minor, {0}.occurred_at, {0}.effective_on, {0}.derived, {0}.reference, {0}.payout,"
    " {0}.arrival_on, {0}.descriptor, {0}.presentment_minor, {0}.presentment_currency)))"
)
"""The hash of all that a source said of an item, in the form in which Postgres sends rows."""

_RUN = text("""
    SELECT r.account, a.name, r.business_date, r.previous
    FROM runs r JOIN reconciliation_accounts a ON a.id = r.account WHERE r.id = :run
""")
_LAST = text("SELECT id, last_item FROM intakes WHERE account = :account ORDER BY id DESC LIMIT 1")
_LATER = text("""
    SELECT max(business_date) FROM certificates
    WHERE account = :account AND business_date > :business_date
""")
_MAKE = text("""
    INSERT INTO cuts (run, account, business_date, previous, last_intake, last_item,
                      processor_before, bank_before, journal_before, terms_version, inputs)
    SELECT :run, :account, :business_date, (SELECT run FROM cuts WHERE run = :previous),
           :last_intake, :last_item, :processor_before, :bank_before, :journal_before, :terms,
           CAST(:inputs AS jsonb)
    ON CONFLICT DO NOTHING RETURNING run
""")
_TELL = text("""
    INSERT INTO control_totals (cut, book, currency, kind, amount_minor, source)
    VALUES (:cut, :book, :currency, :kind, :amount_minor, :source)
""")
_CONTENTS = of_cut(f"""
    SELECT count(*) AS items, encode(sha256(string_agg(hash, ''::bytea)), 'hex') AS hash
    FROM (
        SELECT {CONTENT.format("n")} AS hash FROM ({NEW}) AS n WHERE n.book = :book ORDER BY hash
    ) AS hashed
""")
_TOLD = text("""
    SELECT book, currency, kind, amount_minor, source FROM control_totals
    WHERE cut = :run ORDER BY book, currency, kind
""")
_BY_HAND = of_cut(f"""
    SELECT encode(sha256(string_agg(said, ''::bytea ORDER BY said)), 'hex')
    FROM (
        SELECT sha256(record_send(ROW(h.leg, h.match, h.unmatched_by, h.reason, (
                   SELECT string_agg(content, ''::bytea ORDER BY content)
                   FROM (SELECT {CONTENT.format("i")} AS content FROM items i
                         WHERE i.id = ANY(h.items)) AS members)))) AS said
        FROM match_history h
        WHERE h.account = :account AND h.kept AND h.until_run >= :base_run AND h.until_run < :run
    ) AS said
""")
_TRACES = text("""
    SELECT encode(sha256(convert_to(string_agg(said, chr(30) ORDER BY said), 'UTF8')), 'hex')
    FROM (
        SELECT concat_ws(chr(31), payout, trace_id) AS said FROM payout_traces
        WHERE account = :account AND known_from > :since AND known_from <= :until
    ) AS said
""")
_SET = text("""
    UPDATE cuts SET hash = :hash, record = CAST(:record AS jsonb) WHERE run = :run
""")
_SAME = text("""
    SELECT c.run, e.id AS certificate FROM cuts c LEFT JOIN certificates e ON e.run = c.run
    WHERE c.account = :account AND c.business_date = :business_date AND c.hash = :hash
    AND c.run <> :run
""")
# It led to no certificate, so that nothing rests on it.
_GIVE_UP = text("UPDATE cuts SET hash = NULL WHERE run = :run")
_SAME_AS = text("UPDATE runs SET same_as = :same WHERE id = :run")
_UNTELL = text("DELETE FROM control_totals WHERE cut = :run")
_UNMAKE = text("DELETE FROM cuts WHERE run = :run")


class DayIsOver(ValueError):
    """A later day is certified already: what came late belongs to the next one. Names the last."""

    def __init__(self, last: date) -> None:
        super().__init__(
            f"{last.isoformat()} is certified: reconcile that day again, or a later one"
        )
        self.last = last


@dataclass(frozen=True, slots=True)
class Fixed:
    """The cut that a run works on.

    run          whose cut it is: that of an earlier run of the day where nothing changed since
    certificate  what came of it then
    """

    run: int
    hash: str
    items: Mapping[Book, int]
    certificate: str | None = None


async def fix(connection: AsyncConnection, run: int, inputs: Inputs, told: Sequence[Told]) -> Fixed:
    """Fix the cut of a run, once: asked again, it answers what it fixed.

    Whoever reads `inputs` and `told` from the account's books holds it before. Raises DayIsOver,
    and LookupError for a run that there is not.
    """
    row = (await connection.execute(_RUN, {"run": run})).mappings().first()
    if row is None:
        raise LookupError(run)
    await accounts.held(connection, row["name"])
    last = await connection.scalar(
        _LATER, {"account": row["account"], "business_date": row["business_date"]}
    )
    if last is not None:
        raise DayIsOver(last)
    if await _make(connection, run, row, inputs):
        for one in told:
            of = one.model_dump() | {"cut": run, "book": BOOKS[one.book]}
            await connection.execute(_TELL, of)
    cut = await extent.read(connection, run)
    described = await record(connection, cut)
    items = {one.book: one.items for one in described.contents}
    if same := await _same(connection, cut, described.hash):
        return same
    kept = {"run": run, "hash": described.hash, "record": described.model_dump_json()}
    await connection.execute(_SET, kept)
    return Fixed(run, described.hash, items)


async def record(connection: AsyncConnection, cut: Cut) -> CutRecord:
    """What a cut holds as a certificate tells it: read anew from what is stored."""
    await connection.execute(ROOM)
    contents = await _contents(connection, cut)
    told = (await connection.execute(_TOLD, {"run": cut.run})).all()
    by_hand = await connection.scalar(_BY_HAND, cut.values())
    since = cut.base.last_intake if cut.base else 0
    known = {"account": cut.account, "since": since, "until": cut.last_intake}
    traces = await connection.scalar(_TRACES, known)
    unhashed = CutRecord(
        hash=NOTHING,
        processor_before=cut.inputs.processor_before,
        statements=cut.inputs.statements,
        proven=cut.inputs.proven,
        contents=contents,
        controls=_hash([list(row) for row in told]),
        rules=cut.inputs.terms,
        calendars=cut.inputs.calendars,
        grace=cut.inputs.grace,
        manual_matches=by_hand or NOTHING,
        traces=traces or NOTHING,
        open_before=cut.base.certificate if cut.base else NOTHING,
    )
    # The seal's number means nothing elsewhere: the balances that it told are in the controls.
    inputs = cut.inputs.model_copy(update={"journal_seal": None})
    covered = [
        *(cut.name, cut.business_date.isoformat()),
        *(canonical(unhashed).decode(), canonical(inputs).decode()),
    ]
    return unhashed.model_copy(update={"hash": _hash(covered)})


async def _make(connection: AsyncConnection, run: int, row: RowMapping, inputs: Inputs) -> bool:
    """Whether it was not made before."""
    last = (await connection.execute(_LAST, {"account": row["account"]})).first()
    intake, item = last or (0, 0)
    made = await connection.scalar(
        _MAKE,
        {
            "run": run,
            "account": row["account"],
            "business_date": row["business_date"],
            "previous": row["previous"],
            "last_intake": intake,
            "last_item": item,
            "processor_before": inputs.processor_before,
            "bank_before": inputs.bank_before,
            "journal_before": inputs.journal_before,
            "terms": inputs.terms,
            "inputs": inputs.model_dump_json(),
        },
    )
    return made is not None


async def _contents(connection: AsyncConnection, cut: Cut) -> tuple[BookContents, ...]:
    """Book by book: so the hashes alone are sorted, which takes half the time."""
    contents = []
    for book, code in BOOKS.items():
        row = (await connection.execute(_CONTENTS, cut.values() | {"book": code})).one()
        if row.items:
            contents.append(BookContents(book=book, items=row.items, hash=row.hash))
    return tuple(contents)


async def _same(connection: AsyncConnection, cut: Cut, hash_: str) -> Fixed | None:
    """The cut of an earlier run of the day that is the same and was certified.

    One that led to no certificate gives its hash up to this one.
    """
    asked = {
        "account": cut.account,
        "business_date": cut.business_date,
        "hash": hash_,
        "run": cut.run,
    }
    same = (await connection.execute(_SAME, asked)).mappings().first()
    if same is None:
        return None
    if same["certificate"] is None:
        await connection.execute(_GIVE_UP, {"run": same["run"]})
        return None
    await connection.execute(_SAME_AS, {"run": cut.run, "same": same["run"]})
    await connection.execute(_UNTELL, {"run": cut.run})
    await connection.execute(_UNMAKE, {"run": cut.run})
    return Fixed(same["run"], hash_, {}, same["certificate"])


def _hash(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
