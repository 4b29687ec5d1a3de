"""CRM by CSV files that a CRM imports: contacts and companies, a file for each row.

    contacts/KEY.csv, companies/KEY.csv                     one row, `action` is `create`
    contacts/KEY.archived.csv, companies/KEY.archived.csv   one row, `action` is `archive`

`id` is our key. An `archive` row is final for its id, in whichever order files are read. A file is
never changed; whoever imported it may move or delete it.
"""

import csv
import hashlib
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from connectors.capabilities import Sent, Told
from connectors.drop_folder import DropFolder
from connectors.errors import Refused

NO_ANSWER = "crm.folder"
COLUMNS = {
    "contacts": ("id", "action", "at", "email", "name", "company", "country"),
    "companies": ("id", "action", "at", "name", "country"),
}
"""The header of each file. `at` is in UTC, ISO 8601; of an `archive` row the rest is empty."""

Kind = Literal["contacts", "companies"]

# What a spreadsheet takes for a formula, spaces before it or not, in ASCII or full width.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")


class CsvCrm:
    """CRM, as files in two folders of one folder; `patience` is in seconds."""

    def __init__(self, folder: Path, *, patience: float = 10.0) -> None:
        self._folders: dict[Kind, DropFolder] = {
            kind: DropFolder(folder / kind, no_answer=NO_ANSWER, patience=patience)
            for kind in ("contacts", "companies")
        }

    def prepare(self) -> None:
        """Make the folders and try them. Raises OSError."""
        for folder in self._folders.values():
            folder.prepare()

    async def create_contact(
        self, key: str, *, email: str, country: str, name: str | None, company: str | None
    ) -> str:
        """Export a contact; the answer is our key.

        Raises Refused (`crm.conflict`) where another that we exported has the address. What the CRM
        has from elsewhere is seen by its import only.
        """
        cells = {"email": email, "name": name, "company": company, "country": country}
        return await self._create("contacts", key, cells, address=email)

    async def find_contact(self, sent: Sent) -> str | None:
        """The contact that was exported under this key."""
        return await self._find("contacts", sent.key)

    async def look_at_contact(self, contact_id: str) -> Told | None:
        """Nothing of a contact that was exported, since nobody tells; None where it is put away."""
        return await self._look_at("contacts", contact_id)

    async def archive_contact(self, contact_id: str) -> None:
        """Export that a contact is put away; one that is away stays so."""
        await self._archive("contacts", contact_id)

    async def create_company(self, key: str, *, name: str, country: str) -> str:
        """Export a company; the answer is our key."""
        return await self._create("companies", key, {"name": name, "country": country})

    async def find_company(self, sent: Sent) -> str | None:
        """The company that was exported under this key."""
        return await self._find("companies", sent.key)

    async def look_at_company(self, company_id: str) -> Told | None:
        """Nothing of a company that was exported, since nobody tells; None where it is put away."""
        return await self._look_at("companies", company_id)

    async def archive_company(self, company_id: str) -> None:
        """Export that a company is put away; one that is away stays so."""
        await self._archive("companies", company_id)

    async def _create(
        self, kind: Kind, key: str, cells: dict[str, str | None], *, address: str | None = None
    ) -> str:
        if not _KEY.fullmatch(key):
            raise _refused("a key is no name for a file")
        content = _file(kind, {"id": key, "action": "create", **cells})
        folder = self._folders[kind]

        def create() -> None:
            with folder.locked():
                if folder.was_put(_archived(key)):
                    raise Refused("crm.archived", "what was exported under this key was put away")
                # Before the row: a crash in between leaves the address to whoever comes next.
                if address is not None and not folder.was_put(_row(key)):
                    _take(folder, address, key)
                folder.put(_row(key), content)

        await folder.run(create)
        return key

    async def _find(self, kind: Kind, key: str) -> str | None:
        folder = self._folders[kind]
        if not _KEY.fullmatch(key):
            return None
        return key if await folder.run(lambda: _is_there(folder, key)) else None

    async def _look_at(self, kind: Kind, key: str) -> Told | None:
        return None if await self._find(kind, key) is None else {}

    async def _archive(self, kind: Kind, key: str) -> None:
        if not _KEY.fullmatch(key):
            return
        content = _file(kind, {"id": key, "action": "archive"})
        folder = self._folders[kind]

        def archive() -> None:
            with folder.locked():
                if folder.was_put(_row(key)):
                    folder.put(_archived(key), content)

        await folder.run(archive)


def _take(folder: DropFolder, address: str, key: str) -> None:
    """Note whose an address is. Raises Refused where it is that of another who is there."""
    # A name for a file, not a secret: the row beside it has the address.
    name = "address-" + hashlib.sha256(address.strip().casefold().encode()).hexdigest()
    owner = folder.note(name)
    if owner not in (None, key) and _is_there(folder, str(owner)):
        raise Refused(
            "crm.conflict",
            "a contact that was exported under another key has the same address: correct the"
            " application, or settle it in the CRM, and try again",
        )
    folder.keep_note(name, key)


def _is_there(folder: DropFolder, key: str) -> bool:
    return folder.was_put(_row(key)) and not folder.was_put(_archived(key))


def _row(key: str) -> str:
    return f"{key}.csv"


def _archived(key: str) -> str:
    return f"{key}.archived.csv"


def _file(kind: Kind, cells: dict[str, str | None]) -> bytes:
    """The header and one row (RFC 4180, UTF-8)."""
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **cells}
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS[kind])
    writer.writerow(_harmless(told.get(column) or "") for column in COLUMNS[kind])
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise _refused("the application cannot be written as text") from None


def _harmless(cell: str) -> str:
    """The cell as text to whatever spreadsheet opens the file: an apostrophe says so (OWASP)."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _refused(text: str) -> Refused:
    return Refused("crm.invalid_request", text)
