"""What each of a directory's failures becomes, by status and SCIM's own words."""

import json
from datetime import UTC, datetime

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.scim.directory import ScimDirectory
from connectors.scim.errors import ERROR_SCHEMA, Missing, Taken
from tests.unit.connectors.canned import Answer, serving
from tests.unit.connectors.failures import LATER, SECRET, must_be

LIST = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    "totalResults": 0,
    "Resources": [],
}
NOBODY = Answer(200, json.dumps(LIST))


def error(status: int, scim_type: str | None = None, **headers: str) -> Answer:
    """An error as SCIM has it, with words that may not go on."""
    body: dict[str, object] = {"schemas": [ERROR_SCHEMA], "status": str(status), "detail": SECRET}
    if scim_type:
        body["scimType"] = scim_type
    return Answer(status, json.dumps(body), headers)


TABLE = [
    (error(400, "invalidValue"), Refused, "directory.invalid_request", None),
    (error(401), Refused, "directory.auth", None),
    (error(403), Refused, "directory.auth", None),
    (error(404), Missing, "directory.missing", None),
    (Answer(404, f"<p>{SECRET}</p>"), Refused, "directory.invalid_request", None),
    (error(409, "uniqueness"), Taken, "directory.conflict", None),
    (error(409), Taken, "directory.conflict", None),
    (error(412), Unanswered, "directory.changed", 1),
    (error(413), Refused, "directory.invalid_request", None),
    (error(429), Unanswered, "directory.rate_limit", 2),
    (error(429, **LATER), Unanswered, "directory.rate_limit", 7),
    (error(500), Unanswered, "directory.server", None),
    (error(501), Refused, "directory.invalid_request", None),
    (error(503, **LATER), Unanswered, "directory.server", 7),
    (Answer(503, SECRET), Unanswered, "directory.server", None),
    (Answer(302, "", {"Location": "/elsewhere"}), Refused, "directory.unknown", None),
    (Answer(201, f'{{"schemas": ["{SECRET}"]}}'), Unanswered, "directory.bad_body", None),
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
            await ScimDirectory(http).create_user("prd_1", name="Ada", email="ada@example.com")
    must_be(failed.value, kind, type_, seconds)
    if type_ != "directory.bad_body":
        word = json.loads(answer.body).get("scimType") if answer.body.startswith("{") else None
        told = f"status {answer.status}, {word}" if word else f"status {answer.status}"
        assert failed.value.text.endswith(f" ({told})")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            error(409, "uniqueness"),
            (
                "an entry that we did not make has the same unique attribute: correct the"
                " application, or settle it in the directory, and try again"
                " (status 409, uniqueness)"
            ),
        ),
        (Answer(201, SECRET), "the directory's answer cannot be read"),
    ],
)
async def test_people_read_what_happened_and_what_to_do(answer: Answer, text: str) -> None:
    async with serving(NOBODY, answer, NOBODY, system="directory") as http:
        with pytest.raises(ConnectorError) as failed:
            await ScimDirectory(http).create_user("prd_1", name="Ada", email="ada@example.com")
    assert failed.value.text == text


@pytest.mark.parametrize(
    ("answer", "kind", "type_"),
    [
        (error(409), Unanswered, "directory.changed"),
        (error(409, "uniqueness"), Taken, "directory.conflict"),
        (error(412), Unanswered, "directory.changed"),
        (error(404), Missing, "directory.missing"),
    ],
)
async def test_a_failure_to_join(answer: Answer, kind: type[ConnectorError], type_: str) -> None:
    async with serving(answer, system="directory") as http:
        with pytest.raises(ConnectorError) as failed:
            await ScimDirectory(http).add_member(group_id="g", user_id="u")
    assert (type(failed.value), failed.value.type) == (kind, type_)
    assert f"(status {answer.status}" in failed.value.text


async def test_a_server_that_overlooks_the_filter_gives_away_nobody_elses_user() -> None:
    other = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1",
        "userName": "grace@example.com",
        "externalId": "somebody else's",
    }
    listed = {**LIST, "totalResults": 1, "Resources": [other]}
    async with serving(Answer(200, json.dumps(listed)), system="directory") as http:
        assert await ScimDirectory(http).find_user(Sent("prd_1", datetime.now(UTC))) is None
