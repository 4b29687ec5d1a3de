"""Search, which is not read-after-write: it answers from what it saw some time ago.

The query language is Stripe's as far as it goes here: clauses on `email`, `name`, `phone`,
`created` and `metadata['key']` with `:`, `~`, `<`, `>`, `<=`, `>=`, negated by `-`, all joined by
AND or all by OR.
"""

# ruff: noqa: S608 - names of tables are ours, what was asked is bound

import base64
import json
import re
from typing import Any

from simulators.clock import Clock
from simulators.storage import Storage, Value
from simulators.stripe.collection import Collection, Condition, Document, encode
from simulators.stripe.errors import ParameterError

SETTING = "stripe_search_lag_seconds"
DEFAULT_LAG_SECONDS = 60.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_behind (
    id TEXT PRIMARY KEY,
    document TEXT,
    until REAL NOT NULL
);
"""
CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?
        (?P<field>email|name|phone|created|metadata\[(?P<quote>["'])(?P<key>[^"']+)(?P=quote)\])
        \s*(?P<operator>:|~|<=|>=|<|>)\s*
        (?P<value>"[^"]*"|'[^']*'|null|-?\d+)\s*""",
    re.VERBOSE,
)
JOINT = re.compile(r"(AND|OR)\b|(?=[-a-z])", re.IGNORECASE)
COMPARISONS = {":": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class SearchLag:
    """For each object that changed a moment ago, how search still sees it."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        storage.create(SCHEMA)

    @property
    def seconds(self) -> float:
        """How far search is behind, in simulated seconds."""
        return float(self._storage.setting(SETTING, DEFAULT_LAG_SECONDS))

    def set(self, seconds: float) -> None:
        """Change how far search will be behind from now on."""
        self._storage.keep_setting(SETTING, seconds)

    def note(self, object_id: str, before: Document | None) -> None:
        """An object changes: search goes on seeing what was `before` (None: not there) a while."""
        now = self._clock.now()
        self._storage.run("DELETE FROM stripe_behind WHERE until <= ?", (now,))
        # A second change within the lag leaves what search sees, but makes it last longer.
        self._storage.run(
            "INSERT INTO stripe_behind VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET until = excluded.until",
            (object_id, None if before is None else encode(before), now + self.seconds),
        )

    def clear(self) -> None:
        """See everything as it is, and be behind by the usual time from now on."""
        self._storage.run("DELETE FROM stripe_behind")
        self.set(DEFAULT_LAG_SECONDS)

    def find(
        self, collection: Collection, query: str, limit: int, page: str | None
    ) -> tuple[list[str], str | None]:
        """Texts of the objects as search sees them, newest first, and the next page's token."""
        conditions = [parsed(query)]
        if page is not None:
            conditions.append(Condition("(created, sequence) < (?, ?)", _place(page)))
        rows = self._storage.rows(
            f"""
            SELECT seen, created, sequence FROM (
                SELECT created, sequence,
                       iif(behind.id IS NULL, now.document, behind.document) AS seen
                FROM {collection.table} AS now
                LEFT JOIN stripe_behind AS behind ON behind.id = now.id AND behind.until > ?
            )
            WHERE seen IS NOT NULL AND seen ->> '$.deleted' IS NULL
              AND {" AND ".join(f"({condition.sql})" for condition in conditions)}
            ORDER BY created DESC, sequence DESC LIMIT ?
            """,
            (
                self._clock.now(),
                *(value for condition in conditions for value in condition.values),
                limit + 1,
            ),
        )
        token = _token(*rows[limit - 1][1:]) if len(rows) > limit else None
        return [row[0] for row in rows[:limit]], token


def parsed(query: str) -> Condition:
    """The query as a condition on `seen`; raises ParameterError where it cannot be read."""
    clauses: list[Condition] = []
    joints: set[str] = set()
    rest = query.strip()
    while rest:
        matched = CLAUSE.match(rest)
        if matched is None:
            raise _unreadable()
        clauses.append(_clause(matched))
        rest = rest[matched.end() :]
        if rest:
            joint = JOINT.match(rest)
            if joint is None:
                raise _unreadable()
            joints.add((joint[1] or "AND").upper())
            rest = rest[joint.end() :].lstrip()
            if not rest:
                raise _unreadable()
    if not clauses or len(joints) > 1:
        raise _unreadable()
    joined = f" {joints.pop() if joints else 'AND'} ".join(f"({each.sql})" for each in clauses)
    return Condition(joined, tuple(value for each in clauses for value in each.values))


def _clause(matched: re.Match[str]) -> Condition:
    # The path goes in as a value, and a key cannot hold the quotes that would end its name.
    path = f'$.metadata."{matched["key"]}"' if matched["key"] else f"$.{matched['field']}"
    written = matched["value"]
    text = written[1:-1] if written[0] in "\"'" else written
    values: tuple[Value, ...]
    if written == "null":
        sql, values = "json_extract(seen, ?) IS NULL", (path,)
    elif matched["operator"] == "~":
        sql, values = "instr(lower(json_extract(seen, ?)), lower(?)) > 0", (path, text)
    else:
        wanted: Value = int(text) if matched["field"] == "created" and _is_number(text) else text
        sql = f"json_extract(seen, ?) {COMPARISONS[matched['operator']]} ?"
        values = (path, wanted)
    return Condition(f"NOT coalesce({sql}, 0)" if matched["negated"] else sql, values)


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def _unreadable() -> ParameterError:
    return ParameterError("The search query cannot be read.", param="query")


def _token(created: int, sequence: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([created, sequence]).encode()).decode()


def _place(token: str) -> tuple[int, int]:
    try:
        created, sequence = map(int, _decoded(token))
    except (ValueError, TypeError):
        raise ParameterError("Invalid page.", param="page") from None
    return created, sequence


def _decoded(token: str) -> Any:  # Any: whatever somebody made up
    return json.loads(base64.urlsafe_b64decode(token))
