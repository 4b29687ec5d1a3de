"""Screening by a list in a file: CSV as OpenSanctions publishes it as `targets.simple.csv`.

    id           unique in the list
    schema       Person, Company, Organization, PublicBody or LegalEntity; others are passed over
    name         the name that the entry goes by
    aliases, birth_date, countries, topics      several, apart by semicolons; may be empty
    dataset      where the entry is from

Other columns are passed over. `topics` is not in every such file: an entry without any is there for
a sanction. The file is read again once it has changed; a broken one answers nobody.
"""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.capabilities import Hit, ListVersion, Party, Screened
from connectors.errors import Unanswered
from connectors.likeness import Names, against
from connectors.names import words_of

COLUMNS = ("id", "schema", "name", "aliases", "birth_date", "countries")
"""What a list must have."""
_SCHEMAS = {
    "person": frozenset({"Person", "LegalEntity"}),
    "company": frozenset({"Company", "Organization", "PublicBody", "LegalEntity"}),
}
_VERSION_DIGITS = 12


class ListUnreadable(ValueError):
    """The file is no list. The text names the file and the line."""


@dataclass(frozen=True)
class _Entry:
    id: str
    version: str
    kinds: frozenset[str]
    name: str
    names: tuple[Sequence[str], ...]
    birth_dates: tuple[str, ...]
    countries: tuple[str, ...]
    topics: tuple[str, ...]


class _Kind:
    """The entries that may be people, or companies, to be found by name."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        named = [(entry, words) for entry in entries for words in entry.names]
        self._entries = [entry for entry, _ in named]
        self._names = Names([words for _, words in named])

    def like(self, party: Party, threshold: int) -> Iterator[tuple[_Entry, int]]:
        """Each entry that is at least so much alike by one of its names, and how much."""
        words = words_of(party.name, company=party.kind == "company")
        scores: dict[str, tuple[_Entry, int]] = {}
        for place, alike in self._names.alike(words, threshold).items():
            entry = self._entries[place]
            if alike > scores.get(entry.id, (entry, 0))[1]:
                scores[entry.id] = entry, alike
        for entry, alike in scores.values():
            score = alike - against(
                party.born,
                party.country,
                birth_dates=entry.birth_dates,
                countries=entry.countries,
            )
            if score >= threshold:
                yield entry, score


class _Read:
    """The file as it was read: `stamp` tells whether it has changed since."""

    def __init__(self, stamp: tuple[int, int, int], version: str, entries: list[_Entry]) -> None:
        self.stamp = stamp
        self.version = version
        self.entries = len(entries)
        self.kinds = {
            kind: _Kind([entry for entry in entries if kind in entry.kinds]) for kind in _SCHEMAS
        }


class LocalList:
    """Screening, in one file that every worker has."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read: _Read | None = None

    def prepare(self) -> None:
        """Read the list. Raises OSError, ListUnreadable."""
        self._newest()

    async def screen(self, parties: Sequence[Party], *, threshold: int) -> Screened:
        """The entries that are at least so much alike. Raises Unanswered (`screening.list`)."""
        return await asyncio.to_thread(self._screen, parties, threshold)

    async def current(self) -> ListVersion:
        """The list as it is now. Raises Unanswered (`screening.list`)."""
        read = await asyncio.to_thread(self._answering)
        return ListVersion(self._file.stem, read.version, read.entries)

    def _screen(self, parties: Sequence[Party], threshold: int) -> Screened:
        read = self._answering()
        return Screened(
            list_version=read.version,
            hits=tuple(tuple(self._hits(read, party, threshold)) for party in parties),
        )

    def _hits(self, read: _Read, party: Party, threshold: int) -> list[Hit]:
        found = read.kinds[party.kind].like(party, threshold)
        hits = [self._hit(entry, score) for entry, score in found]
        return sorted(hits, key=lambda hit: (-hit.score, hit.entry))

    def _hit(self, entry: _Entry, score: int) -> Hit:
        return Hit(
            list=self._file.stem,
            entry=entry.id,
            entry_version=entry.version,
            score=score,
            name=entry.name,
            birth_dates=entry.birth_dates,
            countries=entry.countries,
            topics=entry.topics,
        )

    def _answering(self) -> _Read:
        try:
            return self._newest()
        except (OSError, ListUnreadable) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise Unanswered("screening.list", f"the list cannot be read: {why}") from None

    def _newest(self) -> _Read:
        """The list as the file has it now. Raises OSError, ListUnreadable."""
        about = self._file.stat()
        stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
        if self._read is None or self._read.stamp != stamp:
            content = self._file.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]
            self._read = _Read(stamp, version, list(_entries(self._file, content)))
        return self._read


def _entries(file: Path, content: bytes) -> Iterator[_Entry]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListUnreadable(f"{file} is not UTF-8: byte {error.start}") from None
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    known: set[str] = set()
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ListUnreadable(f"{file}: the header has no {', '.join(missing)}")
        for row in rows:
            entry = _entry(row)
            if entry is None:
                continue
            if not entry.id or not entry.name or entry.id in known:
                raise ListUnreadable(
                    f"{file}, line {rows.line_num}: an entry has an id of its own and a name"
                )
            known.add(entry.id)
            yield entry
    except csv.Error as error:
        raise ListUnreadable(f"{file}, line {rows.line_num + 1}: {error}") from None
    if not known:
        raise ListUnreadable(f"{file} has no entries: an empty list would clear everybody")


def _entry(row: Mapping[str, str]) -> _Entry | None:
    """An entry; None where it is about a ship, say."""
    schema = row["schema"]
    kinds = frozenset(kind for kind, schemas in _SCHEMAS.items() if schema in schemas)
    if not kinds:
        return None
    name = (row["name"] or "").strip()
    names = (name, *_several(row["aliases"]))
    birth_dates = _several(row["birth_date"])
    countries = tuple(code.upper() for code in _several(row["countries"]))
    topics = _several(row.get("topics")) or ("sanction",)
    return _Entry(
        id=(row["id"] or "").strip(),
        version=_version(schema, names, birth_dates, countries, topics),
        kinds=kinds,
        name=name,
        names=tuple(words_of(one, company="company" in kinds) for one in names),
        birth_dates=birth_dates,
        countries=countries,
        topics=topics,
    )


def _version(*told: object) -> str:
    content = json.dumps(told, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]


def _several(cell: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (cell or "").split(";") if part.strip())
