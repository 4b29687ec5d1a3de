"""What each of Stripe's failures becomes, by the SDK's own reading of the answer."""

import json

import pytest

from connectors.errors import ConnectorError, OutcomeLost, Refused, Unanswered
from connectors.stripe.api import Row, StripeApi, path_of
from connectors.stripe.errors import Missing
from tests.unit.connectors.canned import Answer, answering, error
from tests.unit.connectors.failures import must_be

REPLAYED = {"Idempotent-Replayed": "true"}
DO_NOT = {"Stripe-Should-Retry": "false"}
DO = {"Stripe-Should-Retry": "true"}

TABLE = [
    # 402
    (error(402, type="card_error", code="card_declined"), Refused, "stripe.card", None),
    # 400, 404
    (
        error(400, type="invalid_request_error", code="email_invalid"),
        Refused,
        "stripe.invalid_request",
        None,
    ),
    (error(404, type="invalid_request_error"), Refused, "stripe.invalid_request", None),
    (
        error(404, type="invalid_request_error", code="resource_missing"),
        Missing,
        "stripe.invalid_request",
        None,
    ),
    (
        error(400, type="invalid_request_error", code="resource_missing"),
        Refused,
        "stripe.invalid_request",
        None,
    ),
    (error(400, REPLAYED, type="invalid_request_error"), Refused, "stripe.invalid_request", None),
    # the key
    (error(400, type="idempotency_error"), Refused, "stripe.idempotency_mismatch", None),
    (
        error(409, type="idempotency_error", code="idempotency_key_in_use"),
        Unanswered,
        "stripe.key_in_use",
        2,
    ),
    (
        error(409, DO_NOT, type="idempotency_error", code="idempotency_key_in_use"),
        Unanswered,
        "stripe.key_in_use",
        2,
    ),
    (error(409, type="api_error"), Unanswered, "stripe.conflict", 2),
    (error(409, DO_NOT, type="api_error"), Refused, "stripe.do_not_retry", None),
    # 429
    (
        error(429, type="invalid_request_error", code="rate_limit"),
        Unanswered,
        "stripe.rate_limit",
        2,
    ),
    (
        error(429, DO, type="invalid_request_error", code="lock_timeout"),
        Unanswered,
        "stripe.lock_timeout",
        1,
    ),
    (
        error(400, type="invalid_request_error", code="rate_limit"),
        Unanswered,
        "stripe.rate_limit",
        2,
    ),
    (
        error(429, DO_NOT, type="invalid_request_error", code="rate_limit"),
        Refused,
        "stripe.do_not_retry",
        None,
    ),
    # 401, 403
    (error(401, type="invalid_request_error"), Refused, "stripe.auth", None),
    (error(403, type="invalid_request_error"), Refused, "stripe.auth", None),
    # 5xx
    (error(500, type="api_error"), Unanswered, "stripe.server", None),
    (error(500, DO, type="api_error"), Unanswered, "stripe.server", None),
    (error(503, type="api_error"), Unanswered, "stripe.server", None),
    (Answer(502, "<html>Bad gateway</html>"), Unanswered, "stripe.server", None),
    (error(500, REPLAYED, type="api_error"), OutcomeLost, "stripe.server_replayed", None),
    (error(500, DO_NOT, type="api_error"), OutcomeLost, "stripe.server_replayed", None),
    (error(500, REPLAYED | DO, type="api_error"), OutcomeLost, "stripe.server_replayed", None),
    # what nobody planned
    (error(424, type="api_error"), Unanswered, "stripe.external_dependency", None),
    (error(413, type="invalid_request_error"), Refused, "stripe.unknown", None),
    (error(413, DO, type="invalid_request_error"), Unanswered, "stripe.unknown", None),
    # answers that cannot be read
    (Answer(200, "<html>Welcome to the hotel</html>"), Unanswered, "stripe.bad_body", None),
    (Answer(200, ""), Unanswered, "stripe.bad_body", None),
    (Answer(200, "\udcff\udcfe"), Unanswered, "stripe.bad_body", None),
    (Answer(200, "[1]"), Unanswered, "stripe.bad_body", None),
    (Answer(200, '{"object": "customer"}'), Unanswered, "stripe.bad_body", None),
    (Answer(404, "<html>No such page</html>"), Unanswered, "stripe.bad_body", None),
    (Answer(400, '{"error": "not what it was"}'), Unanswered, "stripe.bad_body", None),
    (Answer(400, '{"error": "invalid_grant"}'), Unanswered, "stripe.bad_body", None),
    (Answer(302, "", {"Location": "https://example.com/"}), Unanswered, "stripe.bad_body", None),
]


def _name(row: object) -> str | None:
    return f"{row.status} {row.body[:60]} {dict(row.headers)}" if isinstance(row, Answer) else None


@pytest.mark.parametrize(("answer", "kind", "type_", "pause"), TABLE, ids=_name)
async def test_every_row_of_the_table_becomes_its_error(
    answer: Answer, kind: type[ConnectorError], type_: str, pause: int | None
) -> None:
    failure = await _failure(answer)
    must_be(failure, kind, type_, pause)
    assert type_ == "stripe.bad_body" or f"(status {answer.status}" in failure.text
    assert "None" not in failure.text


@pytest.mark.parametrize("headers", [REPLAYED, DO_NOT])
async def test_only_an_effect_under_a_key_can_lose_its_outcome(headers: dict[str, str]) -> None:
    answer = error(500, headers, type="api_error")
    async with answering(answer, answer, answer) as api:
        for request in (
            api.get("/v1/customers/cus_1", Row),
            api.delete("/v1/customers/cus_1", Row),
            api.post_again("/v1/identity/verification_sessions/vs_1/redact", Row),
        ):
            with pytest.raises(Unanswered) as raised:
                await request
            assert raised.value.type == "stripe.server"


async def test_the_text_names_what_helps_and_nothing_that_stripe_repeats() -> None:
    failure = await _failure(
        error(
            402,
            type="card_error",
            code="card_declined",
            decline_code="insufficient_funds",
            param="email",
            message="The customer ada@example.com has no money.",
        )
    )
    assert failure.text == (
        "the card was declined (status 402, code card_declined, decline code insufficient_funds,"
        " parameter email, request req_canned)"
    )
    assert "ada" not in str(failure)
    assert failure.__cause__ is None
    assert failure.__suppress_context__


async def test_a_field_that_is_no_word_is_not_told() -> None:
    body = {"error": {"type": "card_error", "code": "card_declined", "param": {"name": "Ada"}}}
    failure = await _failure(Answer(402, json.dumps(body)))
    assert failure.text == (
        "the card was declined (status 402, code card_declined, request req_canned)"
    )


async def test_a_connection_that_ends_leaves_it_open_what_was_done() -> None:
    async with answering(Answer(200, '{"id": "cus_1"}', {"Content-Length": "1000"})) as api:
        failure = await _failure_of(api)
    assert (type(failure), failure.type) == (Unanswered, "stripe.connection")
    assert "RemoteProtocolError" in failure.text


async def test_nobody_at_the_address_is_no_answer() -> None:
    api = StripeApi("sk_test_canned", base_url="http://127.0.0.1:9", timeout=2)
    failure = await _failure_of(api)
    await api.close()
    assert (type(failure), failure.type) == (Unanswered, "stripe.connection")


async def test_the_timeout_is_for_the_whole_request_not_for_each_byte() -> None:
    async with answering(Answer(200, '{"id": "cus_1"}' + " " * 99, pause=0.1), timeout=0.3) as api:
        failure = await _failure_of(api)
    assert (type(failure), failure.type) == (Unanswered, "stripe.connection")


async def test_what_cannot_be_listed_is_not_taken_for_an_empty_list() -> None:
    page = Answer(200, '{"object": "list", "data": [{"id": "cus_9"}], "has_more": true}')
    gone = error(400, type="invalid_request_error", code="resource_missing", param="starting_after")
    async with answering(page, gone) as api:
        rows = api.listed("/v1/customers")
        assert await anext(rows) == {"id": "cus_9"}
        with pytest.raises(Unanswered) as raised:
            await anext(rows)
    assert raised.value.type == "stripe.invalid_request"


def test_an_id_is_one_part_of_a_path_whatever_it_is_made_of() -> None:
    assert path_of("customers", "../a?b") == "/v1/customers/..%2Fa%3Fb"


async def _failure(answer: Answer) -> ConnectorError:
    async with answering(answer) as api:
        return await _failure_of(api)


async def _failure_of(api: StripeApi) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await api.post("/v1/customers", Row, key="prd_1", name="Ada")
    return raised.value
