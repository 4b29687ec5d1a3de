"""A list in a file: what is read of it, what is refused, and who is like whom."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.capabilities import Party
from connectors.errors import Unanswered
from connectors.likeness import Names, against
from connectors.local_list import ListUnreadable, LocalList
from connectors.names import comparable, words_of

HEADER = "id,schema,name,aliases,birth_date,countries\n"


def listed(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "list.csv"
    file.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Żółta Łódź", "lodz zolta"),
        ("O’Neill, Jörg", "jorg oneill"),
        ("Ольга Ёлкина", "elkina olga"),
        ("ＡＤＡ  Lovelace", "ada lovelace"),
        ("نور", "nwr"),
    ],
)
def test_a_name_is_comparable_in_whatever_script(name: str, same: str) -> None:
    assert comparable(name) == same


def test_the_legal_form_says_nothing_of_a_company() -> None:
    assert words_of("Beispiel Werke GmbH & Co. KG", company=True) == ["beispiel", "werke"]
    assert words_of("SE SA", company=True) == ["se", "sa"], "unless there is nothing else"
    assert words_of("Kim Co") == ["kim", "co"]


@given(st.text(max_size=40))
def test_every_name_is_comparable_and_like_itself(name: str) -> None:
    assert comparable(name) == comparable(name)
    words = words_of(name)
    assert Names([["somebody"], words]).alike(words, 100) == ({1: 100} if words else {})


@pytest.mark.parametrize(
    ("name", "other", "score"),
    [
        ("vasko drenov", "drenov vasko", 100),
        ("vasko drenov", "vasko petrov drenov", 95),
        ("vaskodrenov", "vasko drenov", 100),
        ("vasko", "vasko drenov", 0),
        ("vasko drenov", "vasilka drenova", 0),
        ("", "vasko drenov", 0),
    ],
)
def test_likeness_of_names(name: str, other: str, score: int) -> None:
    found = Names([["somebody", "else"], other.split()]).alike(name.split(), 85)
    assert found == ({1: score} if score else {})
    back = Names([name.split()]).alike(other.split(), 85)
    assert back == ({0: score} if score else {}), "whoever is compared with whom"


@pytest.mark.parametrize(
    ("born", "country", "points"),
    [
        (["1961-04-17"], ["BG"], 0),
        (["1961"], [], 0),
        (["1961-04"], ["BG", "CH"], 0),
        (["1960", "1961-04-17"], ["BG"], 0),
        (["1962"], ["BG"], 25),
        (["1961-05"], ["BG"], 25),
        (["1961"], ["CH"], 5),
        (["1962"], ["CH"], 30),
    ],
)
def test_what_speaks_against_it(born: list[str], country: list[str], points: int) -> None:
    day = date(1961, 4, 17)
    assert against(day, "bg", birth_dates=born, countries=country) == points
    assert against(None, None, birth_dates=born, countries=country) == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,name\n", "has no schema, aliases, birth_date, countries"),
        (HEADER, "no entries"),
        (HEADER + "1,Vessel,Star,,,\n", "no entries"),
        (HEADER + "1,Person,Ada,,,\n1,Person,Eva,,,\n", "line 3: an entry has an id of its own"),
        (HEADER + "1,Person,,,,\n", "line 2: an entry has an id of its own and a name"),
        (HEADER + '1,Person,"Ada"x,,,\n', "line 2:"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_line(
    tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(content)
    with pytest.raises(ListUnreadable, match=says):
        LocalList(file).prepare()


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = listed(tmp_path)
    file.write_bytes(HEADER.encode() + "1,Person,Jörn,,,\n".encode("latin-1"))
    with pytest.raises(ListUnreadable, match="not UTF-8"):
        LocalList(file).prepare()


async def test_an_entry_without_topics_is_there_for_a_sanction(tmp_path: Path) -> None:
    found = LocalList(listed(tmp_path, "1,Person,Ada Erfunden,,,de"))
    ((hit,),) = (await found.screen([Party("person", "ada erfunden")], threshold=85)).hits
    assert (hit.topics, hit.countries) == (("sanction",), ("DE",))


async def test_a_list_that_broke_answers_nobody_until_it_is_mended(tmp_path: Path) -> None:
    file = listed(tmp_path, "1,Person,Ada Erfunden,,,")
    found = LocalList(file)
    found.prepare()
    for break_it in (file.unlink, lambda: file.write_text("id\n")):
        break_it()
        with pytest.raises(Unanswered) as failed:
            await found.screen([Party("person", "Ada Erfunden")], threshold=85)
        assert failed.value.type == "screening.list"
    listed(tmp_path, "1,Person,Ada Erfunden,,,", "2,Person,Eva Erfunden,,,")
    ((hit,),) = (await found.screen([Party("person", "Eva Erfunden")], threshold=85)).hits
    assert hit.entry == "2"


async def test_the_version_is_of_the_content_whenever_it_was_written(tmp_path: Path) -> None:
    file = listed(tmp_path, "1,Person,Ada Erfunden,,,")
    found = LocalList(file)
    before = await found.current()
    os.utime(file, (0, 0))
    assert await found.current() == before
    assert await LocalList(file).current() == before
    listed(tmp_path, "1,Person,Eva Erfunden,,,")
    assert (await found.current()).version != before.version


async def test_many_may_ask_at_once(tmp_path: Path) -> None:
    found = LocalList(listed(tmp_path, "1,Person,Ada Erfunden,,,"))
    ada = [Party("person", "Ada Erfunden")]
    answers = await asyncio.gather(*(found.screen(ada, threshold=85) for _ in range(20)))
    assert len(set(answers)) == 1


async def test_a_list_of_tens_of_thousands_of_names_is_asked_in_no_time(tmp_path: Path) -> None:
    rows = [f"{n},Person,Invented{n % 997} Person{n},Alias{n} Of{n % 89},," for n in range(20_000)]
    found = LocalList(listed(tmp_path, *rows, "x,Person,Vasko Petrov Drenov,,,"))
    found.prepare()
    took = []
    for _ in range(3):
        began = time.monotonic()
        ((hit,),) = (await found.screen([Party("person", "Vasko Drenov")], threshold=75)).hits
        took.append(time.monotonic() - began)
        assert hit.entry == "x"
    assert min(took) < 1
