"""What each of a tenant API's failures becomes, by status and code."""

import json
from datetime import UTC, datetime

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.tenant_api.directory import TenantDirectory
from connectors.tenant_api.errors import Missing, Taken
from tests.unit.connectors.canned import Answer, serving
from tests.unit.connectors.failures import LATER, SECRET, must_be

NOBODY = Answer(200, '{"items": []}')


def error(status: int, code: str = "whatever", **headers: str) -> Answer:
    """An error as the API has it, with words that may not go on."""
    return Answer(status, json.dumps({"error": {"code": code, "message": SECRET}}), headers)


TABLE = [
    (error(400, "invalid"), Refused, "directory.invalid_request", None),
    (error(401), Refused, "directory.auth", None),
    (error(403), Refused, "directory.auth", None),
    (error(404, "not_found"), Missing, "directory.missing", None),
    (error(404), Refused, "directory.invalid_request", None),
    (Answer(404, f"<p>{SECRET}</p>"), Refused, "directory.invalid_request", None),
    (error(409, "email_taken"), Taken, "directory.conflict", None),
    (error(422, SECRET), Refused, "directory.invalid_request", None),
    (error(429), Unanswered, "directory.rate_limit", 2),
    (error(429, **LATER), Unanswered, "directory.rate_limit", 7),
    (error(500), Unanswered, "directory.server", None),
    (error(503, **LATER), Unanswered, "directory.server", 7),
    (Answer(503, SECRET), Unanswered, "directory.server", None),
    (Answer(302, "", {"Location": "/elsewhere"}), Refused, "directory.unknown", None),
    (Answer(201, f'{{"name": "{SECRET}"}}'), Unanswered, "directory.bad_body", None),
    (Answer(201, '{"id": ""}'), Unanswered, "directory.bad_body", None),
    (Answer(201, f'["{SECRET}"]'), Unanswered, "directory.bad_body", None),
    (Answer(201, SECRET), Unanswered, "directory.bad_body", None),
    (Answer(201, ""), Unanswered, "directory.bad_body", None),
]


@pytest.mark.parametrize(("answer", "kind", "type_", "seconds"), TABLE)
async def test_a_failure_to_create(
    answer: Answer, kind: type[ConnectorError], type_: str, seconds: float | None
) -> None:
    # A conflict is looked into: perhaps it was our own request, come late.
    answers = [NOBODY, answer] + [NOBODY] * (kind is Taken)
    async with serving(*answers, system="directory") as http:
        with pytest.raises(ConnectorError) as failed:
            await TenantDirectory(http).create_user("prd_1", name="Ada", email="ada@example.com")
    must_be(failed.value, kind, type_, seconds)
    if type_ != "directory.bad_body":
        assert f"(status {answer.status}" in failed.value.text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            error(409, "email_taken"),
            (
                "an entry that we did not make has the same address or key: correct the"
                " application, or settle it in the directory, and try again"
                " (status 409, email_taken)"
            ),
        ),
        (error(422, SECRET), "the directory refused the request (status 422)"),
        (Answer(201, SECRET), "the directory's answer cannot be read"),
    ],
)
async def test_people_read_what_happened_and_what_to_do(answer: Answer, text: str) -> None:
    async with serving(NOBODY, answer, NOBODY, system="directory") as http:
        with pytest.raises(ConnectorError) as failed:
            await TenantDirectory(http).create_user("prd_1", name="Ada", email="ada@example.com")
    assert failed.value.text == text


async def test_a_server_that_overlooks_the_parameter_gives_away_nobody_elses_user() -> None:
    listed = {"items": [{"id": "u_1", "external_id": "somebody else's"}, {"id": "u_2"}]}
    async with serving(Answer(200, json.dumps(listed)), system="directory") as http:
        assert await TenantDirectory(http).find_user(Sent("prd_1", datetime.now(UTC))) is None


async def test_a_wrong_address_does_not_look_like_gone() -> None:
    for answer in (Answer(404, "Not Found"), error(405)):
        async with serving(answer, answer, system="directory") as http:
            with pytest.raises(Refused):
                await TenantDirectory(http).delete_user("u_1")
            with pytest.raises(Refused):
                await TenantDirectory(http).remove_member(group_id="g_1", user_id="u_1")
