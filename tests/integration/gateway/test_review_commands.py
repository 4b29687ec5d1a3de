"""What reviewers and those who serve applicants do at the command line, over real HTTP."""

from __future__ import annotations

import json

from tests.house import API_KEYS, House
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure, refused
from tests.integration.gateway.test_reviews import queued
from workflows.client import PerdureClient

__all__ = ["perdure"]


async def test_a_reviewer_lists_takes_on_talks_and_releases(perdure: Perdure, house: House) -> None:
    id_ = await queued(house, name="Ada Example")
    assert id_ in (await perdure("review", "list")).output
    listed = out(await perdure("review", "list", "--in-time", "--owner", "reviewer", "--json"))
    assert [one["id"] for one in listed["items"]] == [id_]
    assert "test-reviewer" in (await perdure("review", "claim", id_)).output
    said = refused(await perdure("review", "claim", id_, "--as", "reviewer-two"), 1)
    assert "test-reviewer has taken this review on" in said
    assert "kept" in (await perdure("review", "comment", id_, "Who is this?")).output
    shown = (await perdure("review", "show", id_)).output
    assert "Ada Example" in shown
    assert "Who is this?" in shown
    assert "onboarding_risk/duplicate" in shown
    assert out(await perdure("review", "show", id_, "--json"))["claimed_by"] == "test-reviewer"
    assert "nobody" in (await perdure("review", "release", id_)).output
    nothing = (await perdure("review", "list", "--overdue")).output
    assert nothing == "Nothing is to be looked at.\n"


async def test_who_decides_says_why_and_about_which_version(perdure: Perdure, house: House) -> None:
    id_ = await queued(house)
    # The row has no process: what is refused at the door never comes so far.
    assert "no such process" in refused(
        await perdure("review", "approve", id_, "--reason", "ok"), 1
    )
    again = await perdure("review", "approve", id_, "--reason", "ok", "--version", "2")
    assert "changed since you looked" in refused(again, 1)
    no = ("review", "reject", id_, "--reason", "no")
    assert "no such process" in refused(await perdure(*no, "--code", "not_accepted"), 1)
    assert "codes" in refused(await perdure(*no, "--code", "sanctioned"), 1)
    assert (await perdure(*no)).exit_code == 2
    assert "role reviewer" in refused(
        await perdure(*no, "--code", "not_accepted", "--as", "admin"), 1
    )


async def test_support_sees_what_the_applicant_sees(
    perdure: Perdure, house: House, served: str
) -> None:
    id_ = await house.apply()
    assert "nothing for you to do" in (await perdure("applicant", "status", id_)).output
    token = (await perdure("applicant", "token", id_, "--days", "1")).output.strip()
    async with PerdureClient(served, token) as applicant:
        status = await applicant.status(id_)
    async with PerdureClient(served, API_KEYS["service"]) as service:
        assert await service.status(id_) == status
        assert (await service.status_token(id_)).token.startswith("apl.")
    assert json.loads(status.model_dump_json()) == out(
        await perdure("applicant", "status", id_, "--json")
    )
