"""Every step of a reconciliation has one outcome, asked twice, at once, or through a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults import process_cases
from tests.faults.crashing import Died, dying
from tests.faults.reconciling import RUN, STORY, Reconciling, reconciling
from tests.house import House
from tests.postgres import fresh_database, rows
from workers.postgres import Postgres
from workflows.step import declaration_of

MOST_COMMITS = 12
AGAIN = [one for one in STORY if one != "gather.journal"]
"""Each time that the journal is asked it is sealed anew: that changes what is kept, and no hash."""
THROUGH_A_CRASH = [one for one in AGAIN if one != "shadow.compare"]
"""A shadow takes all of its work back itself: it commits nothing that a crash could tear."""


@pytest.fixture
def fresh(house: House, postgres_server: Postgres, migrated_template: str) -> Any:
    """Books in a database of their own, as often as asked for."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Reconciling]:
        async with fresh_database(postgres_server, migrated_template) as dsn:
            name = urlsplit(dsn).path.lstrip("/")
            settings = house.settings.model_copy(update={"database_name": name})
            async with reconciling(house, settings, dsn) as books:
                yield books

    return made


async def outcome(books: Reconciling) -> tuple[Any, ...]:
    """What a run that is over left, and what it answered that others build on."""
    answers = books.answers
    return (
        answers["cut.fix"].inputs_hash,
        answers["proof.prove"].result_hash,
        answers["proof.certify"].certificate_id,
        await books.left(),
    )


@pytest.fixture(scope="module")
def once_played() -> list[tuple[Any, ...]]:
    """The outcome of the first story that was played, once there is one."""
    return []


@pytest.fixture
async def unhurt(fresh: Any, once_played: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What comes of the books where nothing happens to them."""
    if not once_played:
        async with fresh() as books:
            await books.up_to(STORY[-1])
            await books.ask(STORY[-1])
            once_played.append(await outcome(books))
    return once_played[0]


async def test_every_step_of_the_worker_is_in_the_story(fresh: Any) -> None:
    async with fresh() as books:
        effects = {
            name for name, one in books.registered.items() if declaration_of(one).kind != "read"
        }
    assert effects - set(process_cases.CASES) == set(STORY)


async def test_the_story_has_something_of_everything(unhurt: tuple[Any, ...]) -> None:
    """Else nothing would be seen to be there once."""
    left = unhurt[-1]
    for table in ("matches", "open_items", "breaks", "certificates", "certificate_documents"):
        assert left[table], table
    derived = [key for key, is_derived in left["journal_entries"] if is_derived == "True"]
    assert len(derived) == 2, "the fee and the payout"


@pytest.mark.parametrize("name", AGAIN)
async def test_asked_twice_it_comes_to_the_same(
    fresh: Any, unhurt: tuple[Any, ...], name: str
) -> None:
    async with fresh() as books:
        await books.up_to(name)
        found = [await books.ask(name) for _ in range(2)]
        await goes_on(books, name, found)
        assert await outcome(books) == unhurt


@pytest.mark.parametrize("name", AGAIN)
async def test_asked_at_once_it_comes_to_the_same(
    fresh: Any, unhurt: tuple[Any, ...], name: str
) -> None:
    async with fresh() as books:
        await books.up_to(name)
        found = await asyncio.gather(*(patiently(books, name) for _ in range(4)))
        await goes_on(books, name, found)
        assert await outcome(books) == unhurt


async def goes_on(books: Reconciling, name: str, found: list[Any]) -> None:
    """Look at the answers to a step, and play what comes after it."""
    if name == "post.post":
        assert sorted(one.entries for one in found)[:-1] == [0] * (len(found) - 1)
    elif not name.startswith(("gather.", "match.")):  # which tell what this attempt did
        assert all(one == found[0] for one in found), found
    books.answers[name] = found[-1]
    await books.to_the_end(name)


async def patiently(books: Reconciling, name: str) -> Any:
    for _ in range(400):
        try:
            return await books.ask(name)
        except Exception as error:
            if type(error).__name__ not in ("InProgress", "Unanswered"):
                raise
            await asyncio.sleep(0.02)
    raise AssertionError("it never got done")


@pytest.mark.parametrize("name", THROUGH_A_CRASH)
async def test_through_a_crash_at_every_point_it_comes_to_the_same(
    fresh: Any, unhurt: tuple[Any, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = 0
    for commit in range(1, MOST_COMMITS):
        came_to_it = False
        for before in (True, False):
            async with fresh() as books:
                await books.up_to(name)
                as_it_was = await books.left()
                with dying(monkeypatch, commit=commit, before=before) as died:
                    try:
                        await books.ask(name)
                    except Died:
                        points += 1
                came_to_it = died()
                where = f"died {'before' if before else 'after'} commit {commit}"
                if came_to_it and before and commit == 1:
                    assert await books.left() == as_it_was, f"{where}: nothing is half done"
                await rows(books.engine, "UPDATE requests SET lease_until = clock_timestamp()")
                books.answers[name] = await patiently(books, name)
                await books.to_the_end(name)
                assert await outcome(books) == unhurt, where
        if not came_to_it:
            break
    else:
        raise AssertionError("there are commits after the last one looked at")
    assert points >= 2, "a crash before and after at least one commit"


async def test_finance_is_told_with_one_id(fresh: Any) -> None:
    async with fresh() as books:
        await books.up_to("post.tell")
        for _ in range(2):
            await books.ask("post.tell")
        mails = await books.outside.messages(subject=f"{RUN.account}, {RUN.day}")
        certificate = books.answers["proof.certify"].certificate_id
        mine = [mail for mail in mails if certificate in mail.text]
        assert len({mail.message_id for mail in mine}) == 1
        assert len({mail.text for mail in mine}) == 1
