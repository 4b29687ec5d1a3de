"""The CRM by CSV files: what a row is, and that there is one, whatever dies meanwhile."""

from __future__ import annotations

import contextlib
import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.capabilities import Sent
from connectors.csv_export import COLUMNS, CsvCrm
from connectors.errors import Refused
from tests.unit.connectors.crashing import died

SENT = Sent("prd_1", datetime.now(UTC))


@pytest.fixture
def crm(tmp_path: Path) -> CsvCrm:
    made = CsvCrm(tmp_path)
    made.prepare()
    return made


async def create(
    crm: CsvCrm, key: str = "prd_1", *, email: str = "ada@example.com", name: str = "Ada"
) -> str:
    return await crm.create_contact(key, email=email, country="DE", name=name, company=None)


def rows(folder: Path, kind: str = "contacts") -> list[dict[str, str]]:
    """What an import reads, in the order of the files' names."""
    found = []
    for file in sorted((folder / kind).glob("[!.]*.csv")):
        with file.open(newline="", encoding="utf-8") as text:
            found += list(csv.DictReader(text))
    return found


async def test_a_row_says_what_is_to_be_made_and_what_is_put_away(
    crm: CsvCrm, tmp_path: Path
) -> None:
    await create(crm, name="Łukasz, “Żółć”\nO'Neill")
    await crm.create_company("prd_2", name='Example "GmbH"', country="DE")
    await crm.archive_contact("prd_1")
    archived, made = rows(tmp_path)
    at = datetime.fromisoformat(made.pop("at"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert made == {
        "id": "prd_1",
        "action": "create",
        "email": "ada@example.com",
        "name": "Łukasz, “Żółć”\nO'Neill",
        "company": "",
        "country": "DE",
    }
    assert archived.pop("at")
    assert archived == dict.fromkeys(made, "") | {"id": "prd_1", "action": "archive"}
    (company,) = rows(tmp_path, "companies")
    assert (company["name"], company["action"]) == ('Example "GmbH"', "create")
    assert tuple(company) == COLUMNS["companies"]


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "=cmd|' /C calc'!A0"],
)
async def test_no_cell_is_a_formula(crm: CsvCrm, tmp_path: Path, name: str) -> None:
    await create(crm, name=name)
    (row,) = rows(tmp_path)
    assert row["name"] == f"'{name}"


async def test_a_company_is_exported_beside_those_who_work_there(
    crm: CsvCrm, tmp_path: Path
) -> None:
    await crm.create_company("prd_2", name='Example "GmbH"', country="DE")
    await crm.create_contact(
        "prd_1", email="ada@example.com", country="DE", name="Ada", company="Example GmbH"
    )
    (company,) = rows(tmp_path, "companies")
    assert company.pop("at")
    assert company == {
        "id": "prd_2",
        "action": "create",
        "name": 'Example "GmbH"',
        "country": "DE",
    }
    assert [row["company"] for row in rows(tmp_path)] == ["Example GmbH"]


async def test_what_was_exported_is_there_to_be_looked_at_until_it_is_put_away(
    crm: CsvCrm,
) -> None:
    await create(crm)
    await crm.create_company("prd_2", name="Example", country="DE")
    assert await crm.find_company(Sent("prd_2", datetime.now(UTC))) == "prd_2"
    assert await crm.find_company(SENT) is None
    assert await crm.look_at_contact("prd_1") == await crm.look_at_company("prd_2") == {}
    assert await crm.look_at_contact("prd_2") is await crm.look_at_company("prd_1") is None
    await crm.archive_contact("prd_1")
    await crm.archive_company("prd_2")
    assert await crm.look_at_contact("prd_1") is await crm.look_at_company("prd_2") is None


async def test_what_was_imported_and_taken_away_is_still_known(crm: CsvCrm, tmp_path: Path) -> None:
    await create(crm)
    (tmp_path / "contacts" / "prd_1.csv").unlink()
    assert await crm.find_contact(SENT) == "prd_1"
    with pytest.raises(Refused, match="another key"):
        await create(crm, "prd_2", email=" ADA@example.com")
    await create(crm)
    assert rows(tmp_path) == []
    await crm.archive_contact("prd_1")
    (row,) = rows(tmp_path)
    assert (row["id"], row["action"]) == ("prd_1", "archive")


async def test_what_was_put_away_is_not_made_again_by_a_late_attempt(crm: CsvCrm) -> None:
    await create(crm)
    await crm.archive_contact("prd_1")
    with pytest.raises(Refused) as refused:
        await create(crm)
    assert refused.value.type == "crm.archived"


@pytest.mark.parametrize("key", ["../prd_1", "", ".hidden", "a/b", "x" * 200])
async def test_a_key_cannot_leave_the_folder(crm: CsvCrm, key: str) -> None:
    with pytest.raises(Refused) as refused:
        await create(crm, key)
    assert refused.value.type == "crm.invalid_request"
    assert await crm.find_contact(Sent(key, datetime.now(UTC))) is None
    await crm.archive_contact(key)


async def test_what_is_no_text_is_refused(crm: CsvCrm, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        await create(crm, name="Ada \ud800")
    assert refused.value.type == "crm.invalid_request"
    assert refused.value.__cause__ is None
    assert rows(tmp_path) == []


def test_a_worker_that_dies_at_any_moment_leaves_one_row_in_the_end(tmp_path: Path) -> None:
    crashes = 0
    while True:
        path = tmp_path / str(crashes)
        crm = CsvCrm(path)
        crm.prepare()
        came_to_it = died(lambda crm=crm: create(crm), at=crashes + 1)  # type: ignore[misc]
        assert len(rows(path)) <= 1, "whole or not there"
        assert not died(lambda crm=crm: create(crm))  # type: ignore[misc]
        assert [row["id"] for row in rows(path)] == ["prd_1"]
        if not came_to_it:
            break
        crashes += 1
    assert crashes > 5, "it died between writing and answering, too"


def test_a_worker_that_dies_before_its_row_leaves_the_address_to_others(tmp_path: Path) -> None:
    for at in range(1, 30):
        path = tmp_path / str(at)
        crm = CsvCrm(path)
        crm.prepare()
        if not died(lambda crm=crm: create(crm), at=at):  # type: ignore[misc]
            break
        there = bool(rows(path))
        taken = died(lambda crm=crm: _other(crm))  # type: ignore[misc]
        assert not taken
        assert len(rows(path)) == 1, "either of them has the address, never both"
        assert rows(path)[0]["id"] == ("prd_1" if there else "prd_2")
    else:
        pytest.fail("it never came to its end")


async def _other(crm: CsvCrm) -> None:
    with contextlib.suppress(Refused):
        await create(crm, "prd_2")
