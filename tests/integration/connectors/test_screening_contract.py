"""What holds of every implementation of screening, whoever keeps the list."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from connectors.capabilities import Hit, Party, Screening
from connectors.local_list import LocalList
from connectors.yente.screening import YenteScreening
from tests.integration.connectors.conftest import connection
from tests.integration.connectors.test_contract import NAMES
from tests.simulated import INVENTED_LIST, SimulatorHandle

VASKO = Party("person", "Vasko Drenov", "BG", date(1961, 4, 17))
NOBODY = Party("person", "Ada Lovelace", "GB", date(1815, 12, 10))

Put = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True)
class Lists:
    """A screening, and how its list gets an entry of a person: id, name, birth date."""

    screening: Screening
    put: Put

    async def of(self, party: Party, threshold: int = 85) -> tuple[Hit, ...]:
        return (await self.screening.screen([party], threshold=threshold)).hits[0]


@pytest.fixture
async def yente(world: SimulatorHandle) -> AsyncIterator[Lists]:
    async def put(id_: str, name: str, born: str) -> None:
        entity = {
            "id": id_,
            "schema": "Person",
            "caption": name,
            "properties": {"name": [name], "birthDate": [born], "topics": ["sanction"]},
        }
        await world.yente.control("entities", entity)

    async with connection(world.yente) as http:
        yield Lists(YenteScreening(http, "default"), put)


@pytest.fixture
def local_list(tmp_path: Path) -> Lists:
    file = tmp_path / "sanctions.csv"
    file.write_bytes(INVENTED_LIST.read_bytes())

    async def put(id_: str, name: str, born: str) -> None:
        with file.open(newline="", encoding="utf-8") as text:
            rows = {row["id"]: row for row in csv.DictReader(text)}
        columns = list(next(iter(rows.values())))
        told = {"id": id_, "schema": "Person", "name": name, "birth_date": born}
        rows[id_] = dict.fromkeys(columns, "") | told
        new = file.with_suffix(".new")
        with new.open("w", newline="", encoding="utf-8") as text:
            writer = csv.DictWriter(text, columns)
            writer.writeheader()
            writer.writerows(rows.values())
        new.replace(file)

    return Lists(LocalList(file), put)


@pytest.fixture(params=["local_list", "yente"])
def lists(request: pytest.FixtureRequest) -> Lists:
    found: Lists = request.getfixturevalue(request.param)
    return found


async def test_who_is_listed_is_found_with_what_the_list_says(lists: Lists) -> None:
    (hit,) = await lists.of(VASKO)
    assert (hit.entry, hit.score, hit.name) == ("inv-001", 100, "Vasko Drenov")
    assert hit.birth_dates == ("1961-04-17",)
    assert hit.countries == ("BG",)
    assert hit.topics == ("sanction",)
    assert hit.list == (await lists.screening.current()).list


async def test_nobody_else_is_found(lists: Lists) -> None:
    assert await lists.of(NOBODY) == ()


@pytest.mark.parametrize(
    "name",
    ["DRENOV, Vasko", "vasko   drenov", "Васко Дренов", "Vaskó Drěnov", "Vasko Drenow"],
)
async def test_a_name_may_be_written_otherwise(lists: Lists, name: str) -> None:
    (hit,) = await lists.of(Party("person", name, "BG"))
    assert hit.entry == "inv-001"


async def test_another_date_of_birth_is_somebody_else(lists: Lists) -> None:
    assert await lists.of(Party("person", "Vasko Drenov", "BG", date(1990, 1, 1))) == ()
    korpelainen = "Ilmari Korpelainen-Vuo"
    assert await lists.of(Party("person", korpelainen, born=date(1958, 5, 5))), "a year of its own"
    assert await lists.of(Party("person", korpelainen, born=date(1959, 5, 5))) == ()


async def test_another_country_speaks_against_it_but_does_not_clear(lists: Lists) -> None:
    (hit,) = await lists.of(Party("person", "Vasko Drenov", "CH"))
    assert hit.score == 95
    assert await lists.of(Party("person", "Vasko Drenow", "CH"), threshold=95) == ()


async def test_a_company_is_no_person_and_a_ship_is_neither(lists: Lists) -> None:
    (hit,) = await lists.of(Party("company", "Quellmark Handels GmbH", "AT"))
    assert hit.entry == "inv-004"
    assert await lists.of(Party("person", "Quellmark Handels GmbH", "AT")) == ()
    assert await lists.of(Party("company", "Vasko Drenov", "BG")) == ()
    assert await lists.of(Party("company", "Norrsund Star", "SE")) == ()


async def test_a_public_office_is_told_apart(lists: Lists) -> None:
    (hit,) = await lists.of(Party("person", "Oksana Brevnenko", "UA"))
    assert set(hit.topics) == {"role.pep", "role.rca"}


async def test_each_party_has_the_hits_of_its_own(lists: Lists) -> None:
    company = Party("company", "Norrsund Bulk Carriers AB", "SE")
    parties = [NOBODY, VASKO, NOBODY, company, VASKO]
    screened = await lists.screening.screen(parties, threshold=85)
    found = [[hit.entry for hit in hits] for hits in screened.hits]
    assert found == [[], ["inv-001"], [], ["inv-005"], ["inv-001"]]


async def test_a_list_that_changed_has_another_version_and_so_has_the_entry(lists: Lists) -> None:
    (before,) = await lists.of(VASKO)
    version = (await lists.screening.current()).version
    assert (await lists.screening.screen([VASKO], threshold=85)).list_version == version

    await lists.put("inv-900", "Tomislav Erfunden", "1970-01-01")
    assert (await lists.screening.current()).version != version
    assert (await lists.of(VASKO)) == (before,), "the entry says what it said"
    (new,) = await lists.of(Party("person", "Tomislav Erfunden"))
    assert new.entry == "inv-900"

    await lists.put("inv-900", "Tomislav Erfunden", "1971-01-01")
    (changed,) = await lists.of(Party("person", "Tomislav Erfunden"))
    assert changed.entry == "inv-900"
    assert changed.entry_version != new.entry_version


@pytest.mark.parametrize("name", [*NAMES, "👩‍🚀", "'", "; DROP TABLE"])
async def test_a_name_may_be_in_any_script(lists: Lists, name: str) -> None:
    assert await lists.of(Party("person", name, "DE")) == ()
    await lists.put("inv-901", name + " Erfunden", "1970-01-01")
    assert [hit.entry for hit in await lists.of(Party("person", name + " Erfunden"))] == ["inv-901"]
