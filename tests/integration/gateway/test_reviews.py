"""Reviewers find what is due, take it on, talk about it, and decide; each within what they may."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database import reviews
from database.connection import transaction
from tests.house import TENANT, House
from tests.integration.gateway.conftest import (
    Door,
    Gateway,
    problem,
    prove_identity,
    stage_is,
    until,
)
from workflows.onboarding.messages import workflow_id
from workflows.onboarding.review import OpenedReview, OpenReview, Reviewer, ReviewTerms, Verdict

MATCH = {"If-Match": '"1"'}
YES = {"reason": "the register confirms the directors"}
NO = {"reason": "the directors are invented", "codes": ["details_not_confirmed"]}


async def queued(
    house: House,
    *,
    owner: Reviewer = "reviewer",
    due: timedelta = timedelta(hours=40),
    escalates: timedelta = timedelta(hours=16),
    excluded: tuple[str, ...] = (),
    **form: Any,
) -> str:
    """An open review that no process has; the answer is its id."""
    application = await house.apply(**form)
    terms = ReviewTerms(
        approvers=2,
        owner=owner,
        remind_after=8,
        escalate_after=16,
        decide_within=40,
        by_default="reject",
        reasons=("onboarding_risk/duplicate",),
    )
    now = datetime.now(UTC)
    async with transaction(house.engine) as connection:
        await reviews.open_(
            connection,
            OpenReview(application_id=application, number=1, terms=terms, excluded=excluded),
            tenant=TENANT,
            workflow_id=workflow_id(TENANT, application),
            opened_at=now,
            opened=OpenedReview(remind_at=now, escalate_at=now + escalates, due_at=now + due),
        )
    return f"{application}-1"


async def close(house: House, id_: str) -> None:
    async with transaction(house.engine) as connection:
        await reviews.close(connection, id_, Verdict(outcome="rejected", codes=("not_accepted",)))


async def ids(door: Door, **filters: Any) -> list[str]:
    answer = await door.get("/v1/reviews", **filters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


# The queue


async def test_what_is_due_first_comes_first_page_by_page(gateway: Gateway, house: House) -> None:
    made = [await queued(house, due=timedelta(hours=hours)) for hours in (30, 10, 20)]
    inorder = [made[1], made[2], made[0]]
    assert await ids(gateway.reviewer) == inorder
    seen, cursor = [], None
    while True:
        asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await gateway.reviewer.get("/v1/reviews", **asked)).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == inorder


async def test_the_queue_is_filtered(gateway: Gateway, house: House) -> None:
    theirs = await queued(house, owner="senior_reviewer")
    late = await queued(house, escalates=-timedelta(hours=1))
    done = await queued(house)
    await close(house, done)
    ask = gateway.reviewer
    assert set(await ids(ask)) == {theirs, late}
    assert await ids(ask, owner="senior_reviewer") == [theirs]
    assert await ids(ask, overdue=True) == [late]
    assert await ids(ask, overdue=False) == [theirs]
    assert await ids(ask, state="rejected") == [done]
    assert set(await ids(ask, state=["open", "rejected"])) == {theirs, late, done}
    assert await ids(ask, claimed_by="test-reviewer") == []
    await ask.post(f"/v1/reviews/{late}/claim", {})
    assert await ids(ask, claimed_by="test-reviewer") == [late]
    assert await ids(ask, tenant=TENANT, owner="reviewer") == [late]
    assert await ids(ask, tenant="other") == []
    problem(await ask.get("/v1/reviews", state="lost"), 422, "invalid")
    problem(await ask.get("/v1/reviews", cursor="e30"), 422, "invalid")


async def test_a_reviewer_sees_all_that_it_takes_to_decide(gateway: Gateway, house: House) -> None:
    id_ = await queued(house, name="Ada Example", excluded=("test-operator",))
    await gateway.reviewer_two.post(f"/v1/reviews/{id_}/comments", {"text": "Who is this?"})
    answer = await gateway.reviewer.get(f"/v1/reviews/{id_}")
    shown = answer.json()
    assert shown["application"]["name"] == "Ada Example"
    assert shown["reasons"] == ["onboarding_risk/duplicate"]
    assert shown["excluded"] == ["test-operator"]
    assert [one["text"] for one in shown["comments"]] == ["Who is this?"]
    assert shown["open_hits"] == 0
    assert answer.headers["etag"].startswith('"1-')
    again = await gateway.reviewer.send(
        "GET", f"/v1/reviews/{id_}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    problem(await gateway.reviewer.get(f"/v1/reviews/{'a' * 26}-1"), 404, "not-found")
    problem(await gateway.reviewer.get("/v1/reviews/nonsense"), 404, "not-found")


# Taking one on


async def test_one_person_takes_a_review_on_and_releases_it(gateway: Gateway, house: House) -> None:
    path = f"/v1/reviews/{await queued(house)}"
    for _ in range(2):  # asking twice is fine
        claimed = await gateway.reviewer.post(f"{path}/claim", {})
        assert claimed.json()["claimed_by"] == "test-reviewer"
    told = problem(await gateway.reviewer_two.post(f"{path}/claim", {}), 409, "claimed-already")
    assert "test-reviewer" in told["detail"]
    problem(await gateway.reviewer_two.post(f"{path}/release", {}), 409, "claimed-by-another")
    for _ in range(2):
        released = await gateway.reviewer.post(f"{path}/release", {})
        assert released.json()["claimed_by"] is None
    assert (await gateway.reviewer_two.post(f"{path}/claim", {})).status_code == 200
    assert (await gateway.senior.post(f"{path}/release", {})).json()["claimed_by"] is None
    told_of = await house.rows("SELECT event, actor FROM audit WHERE event LIKE 'review.%'")
    assert [(one["event"], one["actor"]) for one in told_of] == [
        ("review.opened", "process"),
        ("review.claimed", "test-reviewer"),
        ("review.released", "test-reviewer"),
        ("review.claimed", "test-reviewer_two"),
        ("review.released", "test-senior_reviewer"),
    ]


async def test_of_all_who_ask_at_once_one_has_it(gateway: Gateway, house: House) -> None:
    path = f"/v1/reviews/{await queued(house)}/claim"
    doors = [gateway.reviewer, gateway.reviewer_two, gateway.senior, gateway.senior_two]
    asked = await asyncio.gather(*(door.post(path, {}) for door in doors))
    assert sorted(one.status_code for one in asked) == [200, 409, 409, 409]


async def test_not_everybody_may_take_it_on(gateway: Gateway, house: House) -> None:
    senior = await queued(house, owner="senior_reviewer", excluded=("test-senior_reviewer_two",))
    path = f"/v1/reviews/{senior}/claim"
    problem(await gateway.reviewer.post(path, {}), 403, "role-missing")
    problem(await gateway.senior_two.post(path, {}), 403, "excluded")
    problem(await gateway.senior.post(path, {"as": "somebody"}), 422, "invalid")
    assert (await gateway.senior.post(path, {})).status_code == 200
    await close(house, senior)
    problem(await gateway.senior.post(path, {}), 409, "review-closed")


# Talking about it


async def test_what_is_said_twice_is_there_once_and_names_may_be_in_it(
    gateway: Gateway, house: House
) -> None:
    id_ = await queued(house)
    path = f"/v1/reviews/{id_}/comments"
    said = {"text": "Ada Example <ada@example.com>\nhas moved."}
    first = await gateway.reviewer.post(path, said)
    again = await gateway.reviewer.post(path, said)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = await gateway.reviewer_two.post(path, said)
    assert other.json()["id"] != first.json()["id"]
    (audited, _) = await house.rows("SELECT details FROM audit WHERE event = 'review.commented'")
    assert "Ada" not in json.dumps(audited["details"])
    for text in ("", " \n", "a\x00b", "a" * 2001):
        problem(await gateway.reviewer.post(path, {"text": text}), 422, "invalid")


async def test_a_review_has_so_many_comments_and_no_more(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "MOST_COMMENTS", 2)
    path = f"/v1/reviews/{await queued(house)}/comments"
    answers = await asyncio.gather(
        *(gateway.reviewer.post(path, {"text": f"comment {n}"}) for n in range(4))
    )
    assert sorted(one.status_code for one in answers) == [201, 201, 409, 409]


# Deciding


async def under_review(gateway: Gateway) -> str:
    """A company whose owners nobody knows: two senior reviewers look at it. Its onboarding's id."""
    answer = await gateway.service.sign_up(kind="company")
    assert answer.status_code == 201, answer.text
    id_ = str(answer.json()["id"])
    await prove_identity(gateway, id_)
    await stage_is(gateway, id_, "reviewing")
    return id_


async def say(door: Door, id_: str, what: str, body: Any = None, match: Any = MATCH) -> Any:
    path = f"/v1/reviews/{id_}-1/{what}"
    body = body or (YES if what == "approve" else NO)
    return await door.send("POST", path, headers=match, json=body)


async def test_two_people_agree_and_it_goes_on(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await under_review(gateway)
        problem(await say(gateway.reviewer, id_, "approve"), 403, "role-missing")
        assert (await say(gateway.senior, id_, "approve")).status_code == 202
        problem(await say(gateway.senior, id_, "approve"), 409, "agreed-already")

        async def agreed() -> list[str]:
            return list((await gateway.senior.get(f"/v1/reviews/{id_}-1")).json()["agreed"])

        assert await until(agreed, bool) == ["test-senior_reviewer"]
        taken = await say(gateway.senior_two, id_, "approve")
        assert taken.status_code == 202

        async def state() -> str:
            return str((await gateway.senior.get(f"/v1/reviews/{id_}-1")).json()["state"])

        assert await until(state, lambda state: state != "open") == "approved"
        problem(await say(gateway.senior, id_, "reject"), 409, "review-closed")
    kept = await house.rows("SELECT * FROM decisions WHERE kind = 'approve' ORDER BY id")
    assert [one["actor"] for one in kept] == ["test-senior_reviewer", "test-senior_reviewer_two"]
    assert kept[0]["content"] == {"review": 1, "version": 1}
    assert kept[0]["reason"] == YES["reason"]


async def test_one_no_ends_it_and_the_applicant_hears_codes_alone(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await under_review(gateway)
        assert (await say(gateway.senior, id_, "reject")).status_code == 202
        await stage_is(gateway, id_, "rejected")
        made = await gateway.service.post(f"/v1/onboardings/{id_}/status-token", {})
        applicant = Door(gateway.http, made.json()["token"])
        told = (await applicant.get(f"/v1/onboardings/{id_}/status")).json()
    assert told["standing"] == "declined"
    assert told["adverse_actions"] == ["details_not_confirmed"]
    assert "invented" not in json.dumps(told)
    (review,) = await house.rows("SELECT state, codes FROM reviews")
    assert review == {"state": "rejected", "codes": ["details_not_confirmed"]}


async def test_what_is_withdrawn_leaves_the_queue(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await under_review(gateway)
        answer = await gateway.support.post(
            f"/v1/onboardings/{id_}/withdraw", {"reason": "asked for it"}, tenant=TENANT
        )
        assert answer.status_code == 202, answer.text
        await stage_is(gateway, id_, "withdrawn")
    assert await ids(gateway.senior, state="void") == [f"{id_}-1"]
    assert await ids(gateway.senior) == []


async def test_who_decides_says_what_they_looked_at(gateway: Gateway, house: House) -> None:
    id_ = (await queued(house)).removesuffix("-1")
    problem(await say(gateway.reviewer, id_, "approve", match=None), 428, "if-match-missing")
    problem(
        await say(gateway.reviewer, id_, "approve", match={"If-Match": '"2"'}),
        412,
        "changed-meanwhile",
    )
    problem(await say(gateway.reviewer, id_, "reject", {"reason": "no"}), 422, "invalid")
    problem(
        await say(gateway.reviewer, id_, "reject", NO | {"codes": ["sanctioned"]}), 422, "invalid"
    )
    problem(await say(gateway.reviewer, id_, "approve"), 404, "not-found")  # it has no process


@pytest.mark.parametrize(
    ("verdict", "topics", "code"),
    [
        (None, ["sanction"], "hits-open"),
        (None, ["role.pep"], "hits-open"),
        ("confirmed", ["sanction"], "hit-confirmed"),
        ("confirmed", ["sanction", "role.pep"], "hit-confirmed"),
        ("confirmed", [], "hit-confirmed"),
        ("confirmed", ["role.pep"], None),
        ("false_positive", ["sanction"], None),
    ],
)
async def test_nobody_agrees_while_the_screening_speaks_against_it(
    gateway: Gateway, house: House, verdict: str | None, topics: list[str], code: str | None
) -> None:
    id_ = (await queued(house)).removesuffix("-1")
    await house.rows(
        """INSERT INTO screening_hits (request_key, application_id, version, party, party_hash,
               list, list_version, entry, entry_version, listed, score, holds_for, verdict)
           VALUES ('k', :id, 1, 'applicant', 'h', 'l', '1', 'e', '1', CAST(:listed AS jsonb), 95,
                   interval '1 day', :verdict)""",
        id=id_,
        listed=json.dumps({"topics": topics}),
        verdict=verdict,
    )
    answer = await say(gateway.reviewer, id_, "approve")
    if code is None:
        problem(answer, 404, "not-found")  # nothing is against it, but it has no process
    else:
        problem(answer, 409, code)
    problem(await say(gateway.reviewer, id_, "reject"), 404, "not-found")
