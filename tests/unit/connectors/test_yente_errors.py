"""What each of yente's answers becomes; one that is not whole clears nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.capabilities import Party
from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.yente.screening import YenteScreening
from tests.unit.connectors.canned import Answer, serving
from tests.unit.connectors.failures import LATER, SECRET, must_be

CATALOG = Answer(200, '{"datasets": [{"name": "default", "version": "1", "index_version": "2"}]}')
ADA = Party("person", SECRET)


def detail(status: int, **headers: str) -> Answer:
    """An error as yente has it, with words that may not go on."""
    return Answer(status, json.dumps({"detail": SECRET}), headers)


def matched(**responses: Any) -> Answer:
    return Answer(200, json.dumps({"responses": responses}))


ENTITY = {"id": "Q1", "caption": SECRET, "properties": {"name": [SECRET]}, "score": 0.9}

BAD_BODY = "screening.bad_body"

TABLE = [
    (detail(400), Refused, "screening.invalid_request", None),
    (detail(401), Refused, "screening.auth", None),
    (detail(403), Refused, "screening.auth", None),
    (detail(404), Refused, "screening.dataset", None),
    (detail(422), Refused, "screening.invalid_request", None),
    (detail(429), Unanswered, "screening.rate_limit", 2),
    (detail(429, **LATER), Unanswered, "screening.rate_limit", 7),
    (detail(500), Unanswered, "screening.server", None),
    (detail(503, **LATER), Unanswered, "screening.server", 7),
    (Answer(302, "", {"Location": "/elsewhere"}), Refused, "screening.unknown", None),
    (Answer(200, SECRET), Unanswered, BAD_BODY, None),
    (Answer(200, "{}"), Unanswered, BAD_BODY, None),
    (matched(), Unanswered, BAD_BODY, None),
    (matched(one={"results": []}), Unanswered, BAD_BODY, None),
    (matched(**{"0": {}}), Unanswered, BAD_BODY, None),
    (
        matched(**{"0": {"results": [ENTITY | {"score": 7}]}}),
        Unanswered,
        BAD_BODY,
        None,
    ),
    (matched(**{"0": {"results": [ENTITY | {"id": ""}]}}), Unanswered, BAD_BODY, None),
]


@pytest.mark.parametrize(("answer", "kind", "type_", "seconds"), TABLE)
async def test_a_failure_to_screen(
    answer: Answer, kind: type[ConnectorError], type_: str, seconds: float | None
) -> None:
    async with serving(CATALOG, answer, system="screening") as http:
        with pytest.raises(ConnectorError) as failed:
            await YenteScreening(http, "default").screen([ADA], threshold=85)
    must_be(failed.value, kind, type_, seconds)


async def test_the_version_is_of_what_is_indexed() -> None:
    async with serving(
        CATALOG, matched(**{"0": {"results": [ENTITY]}}), system="screening"
    ) as http:
        screened = await YenteScreening(http, "default").screen([ADA], threshold=85)
    assert screened.list_version == "2"
    assert [hit.entry for hit in screened.hits[0]] == ["Q1"]


async def test_an_entity_below_the_threshold_is_no_hit_whatever_yente_sends() -> None:
    answer = matched(**{"0": {"results": [ENTITY | {"score": 0.84}]}})
    async with serving(CATALOG, answer, system="screening") as http:
        screened = await YenteScreening(http, "default").screen([ADA], threshold=85)
    assert screened.hits == ((),)


async def test_properties_that_are_entities_of_their_own_are_passed_over() -> None:
    properties = {"name": [SECRET], "country": ["gb"], "topics": ["sanction", {"id": "Q2"}]}
    answer = matched(**{"0": {"results": [ENTITY | {"properties": properties}]}})
    async with serving(CATALOG, answer, system="screening") as http:
        (hits,) = (await YenteScreening(http, "default").screen([ADA], threshold=85)).hits
    assert (hits[0].topics, hits[0].countries) == (("sanction",), ("GB",))
