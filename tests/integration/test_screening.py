"""What is kept of screenings, and what is remembered of judgements."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.onboarding.screening import ScreeningActivities, parties_of
from connectors.capabilities import Hit, ListVersion, Party, Screened
from connectors.errors import Unanswered
from database import onboardings, screening
from database.connection import transaction
from tests.house import TENANT, House
from workflows.onboarding.messages import (
    workflow_id,
)
from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.screening import Screen
from workflows.onboarding.screening import Screened as Came
from workflows.request_key import request_key

POLICY = ScreeningPolicy(threshold=85, false_positives_hold=timedelta(days=365))
VASKO = Hit("list", "inv-001", "v1", 95, "Vasko Drenov", ("1961",), ("BG",), ("sanction",))
PEP = Hit("list", "inv-002", "v1", 90, "Vasko Drenov", (), (), ("role.pep",))


@dataclass
class Scripted:
    """A list that says what the test says, by name."""

    hits: dict[str, tuple[Hit, ...]] = field(default_factory=dict)
    asked: list[Sequence[Party]] = field(default_factory=list)
    version: str = "1"
    down: bool = False

    async def screen(self, parties: Sequence[Party], *, threshold: int) -> Screened:
        if self.down:
            raise Unanswered("screening.connection", "no answer")
        self.asked.append(parties)
        return Screened(self.version, tuple(self.hits.get(one.name, ()) for one in parties))

    async def current(self) -> ListVersion:
        return ListVersion("list", self.version, None)


class Desk:
    """Where applications are screened and hits are judged."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.list = Scripted()
        self._activities = ScreeningActivities(house.engine, self.list, party_key="k")

    async def screen(self, application: str, *, part: str = "", version: int = 1) -> Came:
        key = request_key(workflow_id(TENANT, application), "screening.screen", part)
        request = Screen(
            request_key=key, application_id=application, version=version, policy=POLICY
        )
        return await self._activities.screen(request)

    async def applied(self, name: str = "Vasko Drenov", **form: Any) -> tuple[str, Came]:
        """A person who applied, and what came of the screening."""
        told = {"date_of_birth": "1961-04-17", **form}
        application = await self.house.apply(kind="person", name=name, **told)
        return application, await self.screen(application)

    async def hits(self, application: str) -> list[dict[str, Any]]:
        async with transaction(self.house.engine) as connection:
            return [dict(row) for row in await screening.hits(connection, application)]

    async def left(self, application: str) -> int:
        async with transaction(self.house.engine) as connection:
            return await screening.open_hits(connection, application)

    async def judge(self, application: str, verdict: screening.Verdict, **given: Any) -> int:
        (hit, *_) = await self.hits(application)
        told: dict[str, Any] = {"by": "rita", "reason": "another birth date", "until": None}
        async with transaction(self.house.engine) as connection:
            return await screening.judge(
                connection,
                application_id=application,
                hit=hit["id"],
                verdict=verdict,
                looked_at=None,
                **told | given,
            )


@pytest.fixture
async def desk(house: House) -> Desk:
    return Desk(house)


async def test_whoever_is_on_no_list_is_clear(desk: Desk) -> None:
    application, came = await desk.applied()
    assert came == Came(status="clear", politically_exposed=False, hits=0, list_version="1")
    assert await desk.hits(application) == []


async def test_everybody_whom_a_form_names_is_screened(desk: Desk) -> None:
    owner = {"name": "Ona Owner", "country": "LT", "date_of_birth": "1970-01-02"}
    application = await desk.house.apply(
        kind="company",
        name="Example GmbH",
        owners=[owner, {"name": "Second Owner", "country": "DE", "share_percent": 40}],
        signatory={"name": "Vasko Drenov", "country": "BG", "date_of_birth": None},
    )
    desk.list.hits = {"Vasko Drenov": (VASKO,), "Second Owner": (PEP,)}
    came = await desk.screen(application)
    assert came == Came(status="possible", politically_exposed=True, hits=2, list_version="1")
    ((company, first, second, signatory),) = desk.list.asked
    assert (company.kind, company.born) == ("company", None)
    assert str(first.born) == "1970-01-02"
    assert [one.kind for one in (first, second, signatory)] == ["person"] * 3
    assert {(one["party"], one["entry"]) for one in await desk.hits(application)} == {
        ("signatory", "inv-001"),
        ("owner-2", "inv-002"),
    }


async def test_a_public_office_alone_leaves_the_status_clear(desk: Desk) -> None:
    desk.list.hits = {"Vasko Drenov": (PEP,)}
    application, came = await desk.applied()
    assert (came.status, came.politically_exposed, came.hits) == ("clear", True, 1)
    await desk.judge(application, "false_positive")
    _, again = await desk.applied()
    assert (again.status, again.politically_exposed, again.hits) == ("clear", False, 1)


async def test_whoever_was_found_to_be_another_is_accepted_with_who_when_and_why(
    desk: Desk,
) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,), "VASKO  DRENOV": (VASKO,)}
    application, came = await desk.applied()
    assert (came.status, await desk.left(application)) == ("possible", 1)
    await desk.judge(application, "false_positive")
    assert await desk.left(application) == 0
    again, came = await desk.applied("VASKO  DRENOV")
    assert (came.status, await desk.left(again)) == ("accepted", 0)
    (hit,) = await desk.hits(again)
    assert (hit["judged_by"], hit["reason"], hit["remembered"]) == (
        "rita",
        "another birth date",
        True,
    )
    assert hit["until"] - hit["judged_at"] == pytest.approx(
        timedelta(days=365), abs=timedelta(seconds=5)
    )


@pytest.mark.parametrize(
    "otherwise",
    [
        {"entry_version": "v2"},
        {"entry": "inv-007"},
        {"list": "another"},
    ],
)
async def test_what_another_entry_says_is_judged_anew(
    desk: Desk, otherwise: dict[str, str]
) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied()
    await desk.judge(application, "false_positive")
    desk.list.hits = {"Vasko Drenov": (replace(VASKO, **otherwise),)}  # type: ignore[arg-type]
    _, came = await desk.applied()
    assert came.status == "possible"


async def test_somebody_of_the_same_name_born_on_another_day_is_judged_anew(desk: Desk) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied(date_of_birth="1990-01-01")
    await desk.judge(application, "false_positive")
    _, same = await desk.applied(date_of_birth="1990-01-01")
    _, other = await desk.applied(date_of_birth="1991-01-01")
    assert (same.status, other.status) == ("accepted", "possible")


async def test_a_judgement_is_forgotten_at_its_date(desk: Desk) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied()
    await desk.judge(application, "false_positive", until=datetime.now(UTC) + timedelta(hours=1))
    await desk.house.rows("UPDATE screening_acceptances SET until = now()")
    _, came = await desk.applied()
    assert came.status == "possible"


@pytest.mark.parametrize("days", [-1, 366])
async def test_nobody_is_believed_for_longer_than_the_policy_allows(desk: Desk, days: int) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied()
    until = datetime.now(UTC) + timedelta(days=days)
    with pytest.raises(screening.HoldsTooLong):
        await desk.judge(application, "false_positive", until=until)
    assert await desk.left(application) == 1


async def test_whoever_was_found_to_be_the_one_stays_so(desk: Desk) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO, PEP)}
    application, _ = await desk.applied()
    await desk.judge(application, "confirmed")
    again, came = await desk.applied()
    assert (came.status, came.politically_exposed) == ("confirmed", True)
    assert await desk.left(again) == 1, "the other hit is not judged by that"


async def test_a_judgement_may_be_taken_back_and_nothing_of_it_is_remembered(desk: Desk) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied()
    assert await desk.judge(application, "false_positive") == 2
    assert await desk.judge(application, "confirmed") == 3
    _, came = await desk.applied()
    assert came.status == "confirmed"
    assert await desk.judge(application, "false_positive") == 4
    _, came = await desk.applied()
    assert came.status == "accepted"
    said = await desk.house.rows(
        "SELECT actor, details FROM audit WHERE event = 'screening.judged' ORDER BY id"
    )
    assert [one["details"]["verdict"] for one in said] == [
        "false_positive",
        "confirmed",
        "false_positive",
    ]
    assert {one["actor"] for one in said} == {"rita"}


async def test_a_changed_application_is_screened_anew_and_its_old_hits_count_no_more(
    desk: Desk,
) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, _ = await desk.applied()
    (old,) = await desk.hits(application)
    async with transaction(desk.house.engine) as connection:
        await onboardings.revise(
            connection,
            id_=application,
            version=1,
            changes={"name": "Ada Lovelace"},
            created_by="test",
            event="test",
        )
    came = await desk.screen(application, part="round-2", version=2)
    assert (came.status, await desk.left(application)) == ("clear", 0)
    async with transaction(desk.house.engine) as connection:
        with pytest.raises(screening.Superseded):
            await screening.judge(
                connection,
                application_id=application,
                hit=old["id"],
                verdict="confirmed",
                by="rita",
                reason="late",
                until=None,
                looked_at=None,
            )


async def test_the_answer_of_the_first_screening_stands_whatever_the_list_says_since(
    desk: Desk,
) -> None:
    desk.list.hits = {"Vasko Drenov": (VASKO,)}
    application, came = await desk.applied()
    desk.list.hits, desk.list.version = {}, "2"
    assert await desk.screen(application) == came


async def test_while_the_list_does_not_answer_nobody_is_cleared(desk: Desk) -> None:
    desk.list.down = True
    application = await desk.house.apply(name="Vasko Drenov")
    with pytest.raises(Unanswered):
        await desk.screen(application)
    assert await desk.house.rows("SELECT * FROM requests") == []


async def test_nobody_who_applied_is_named_in_what_is_kept(desk: Desk) -> None:
    canary = f"Canary {secrets.token_hex(4)}"
    desk.list.hits = {canary: (VASKO,)}
    application, _ = await desk.applied(canary, date_of_birth="1961-04-17")
    await desk.judge(application, "false_positive")
    for table in ("screening_hits", "screening_acceptances", "requests", "audit"):
        kept = str(await desk.house.rows(f"SELECT * FROM {table}"))
        assert canary.lower() not in kept.lower(), table
        assert "1961-04-17" not in kept, table


def test_a_form_of_before_has_its_applicant_alone() -> None:
    form = {"kind": "person", "name": "Ada", "country": "GB"}
    assert [who for who, _ in parties_of(form)] == ["applicant"]
