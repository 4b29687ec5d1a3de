"""What each of HubSpot's failures becomes, by status, category and limit."""

import json

import pytest

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.hubspot.crm import HubSpotCrm
from connectors.hubspot.errors import Missing
from tests.unit.connectors.canned import Answer, serving
from tests.unit.connectors.failures import LATER, SECRET, must_be

CORRELATION = "aeb5f871-7f07-4993-9211-075dc63e7cbf"


def error(status: int, category: str = "", *, policy: str = "", **headers: str) -> Answer:
    """An error as HubSpot has it, with words that may not go on."""
    body = {"status": "error", "message": SECRET, "correlationId": CORRELATION}
    if category:
        body["category"] = category
    if policy:
        body["policyName"] = policy
    return Answer(status, json.dumps(body), headers)


def some_failed(category: str) -> Answer:
    """A batch whose one record failed."""
    record = {"status": "error", "category": category, "message": SECRET, "context": {}}
    return Answer(207, json.dumps({"status": "COMPLETE", "results": [], "errors": [record]}))


TABLE = [
    (error(400, "VALIDATION_ERROR"), Refused, "crm.invalid_request", None),
    (error(401, "INVALID_AUTHENTICATION"), Refused, "crm.auth", None),
    (error(403, "MISSING_SCOPES"), Refused, "crm.auth", None),
    (error(404, "OBJECT_NOT_FOUND"), Missing, "crm.missing", None),
    (error(404), Refused, "crm.invalid_request", None),
    (Answer(404, SECRET), Refused, "crm.invalid_request", None),
    (error(409, "CONFLICT"), Refused, "crm.conflict", None),
    (error(409, "OBJECT_ALREADY_EXISTS"), Refused, "crm.conflict", None),
    (error(409), Refused, "crm.conflict", None),
    (error(414), Refused, "crm.invalid_request", None),
    (error(423), Unanswered, "crm.locked", 2),
    (error(429, "RATE_LIMITS", policy="SECONDLY"), Unanswered, "crm.rate_limit", 1),
    (error(429, "RATE_LIMITS", policy="TEN_SECONDLY_ROLLING"), Unanswered, "crm.rate_limit", 10),
    (error(429, "RATE_LIMITS", policy="DAILY"), Unanswered, "crm.rate_limit", 600),
    (error(429, "RATE_LIMITS", policy="HOURLY"), Unanswered, "crm.rate_limit", 2),
    (error(429, "RATE_LIMITS", policy="DAILY", **LATER), Unanswered, "crm.rate_limit", 7),
    (error(477), Unanswered, "crm.migrating", None),
    (error(477, **LATER), Unanswered, "crm.migrating", 7),
    (error(500), Unanswered, "crm.server", None),
    (error(502), Unanswered, "crm.server", None),
    (Answer(503, SECRET, LATER), Unanswered, "crm.server", 7),
    (Answer(524, SECRET), Unanswered, "crm.server", None),
    (Answer(302, "", {"Location": "/elsewhere"}), Refused, "crm.unknown", None),
    (some_failed("CONFLICT"), Refused, "crm.conflict", None),
    (some_failed("OBJECT_ALREADY_EXISTS"), Refused, "crm.conflict", None),
    (some_failed("VALIDATION_ERROR"), Refused, "crm.invalid_request", None),
    (some_failed("MISSING_SCOPES"), Refused, "crm.auth", None),
    (some_failed("RATE_LIMITS"), Unanswered, "crm.rate_limit", 2),
    (some_failed("INTERNAL_ERROR"), Unanswered, "crm.server", None),
    (Answer(207, '{"results": []}'), Unanswered, "crm.bad_body", None),
    (Answer(200, '{"results": []}'), Unanswered, "crm.bad_body", None),
    (Answer(200, '{"results": [{"id": 1}]}'), Unanswered, "crm.bad_body", None),
    (Answer(200, SECRET), Unanswered, "crm.bad_body", None),
    (Answer(200, "\udcff"), Unanswered, "crm.bad_body", None),
]


@pytest.mark.parametrize(("answer", "kind", "type_", "seconds"), TABLE)
async def test_a_failure_to_create(
    answer: Answer, kind: type[ConnectorError], type_: str, seconds: float | None
) -> None:
    async with serving(answer, system="crm") as http:
        with pytest.raises(ConnectorError) as failed:
            await HubSpotCrm(http).create_company("prd_1", name="Example", country="DE")
    must_be(failed.value, kind, type_, seconds)
    if type_ != "crm.bad_body":
        assert f"(status {answer.status}" in failed.value.text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            error(429, "RATE_LIMITS", policy="DAILY"),
            f"too many requests (status 429, RATE_LIMITS, DAILY, correlation {CORRELATION})",
        ),
        (
            error(409, "CONFLICT"),
            (
                "a record that we did not make has the same unique property: correct the"
                " application, or settle it in HubSpot, and try again"
                f" (status 409, CONFLICT, correlation {CORRELATION})"
            ),
        ),
        (Answer(200, SECRET), "HubSpot's answer cannot be read"),
    ],
)
async def test_people_read_what_happened_and_what_support_asks_for(
    answer: Answer, text: str
) -> None:
    async with serving(answer, system="crm") as http:
        with pytest.raises(ConnectorError) as failed:
            await HubSpotCrm(http).create_company("prd_1", name="Example", country="DE")
    assert failed.value.text == text


async def test_an_answer_that_trickles_in_is_none() -> None:
    async with serving(Answer(200, "{}" * 20, pause=0.05), system="crm", timeout=0.3) as http:
        with pytest.raises(Unanswered) as failed:
            await HubSpotCrm(http).create_company("prd_1", name="Example", country="DE")
    assert failed.value.type == "crm.connection"


async def test_a_wrong_address_does_not_look_like_gone() -> None:
    async with serving(Answer(404, ""), Answer(404, ""), system="crm") as http:
        for act in (HubSpotCrm(http).archive_contact, HubSpotCrm(http).archive_company):
            with pytest.raises(Refused):
                await act("1")
