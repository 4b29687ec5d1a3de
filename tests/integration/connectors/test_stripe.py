"""Stripe's ways to fail, and how what is ours is told from what is not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.capabilities import Billing, EventFeed, Identity, Sent
from connectors.errors import ConnectorError, OutcomeLost, Refused, Unanswered
from connectors.stripe.api import StripeApi
from connectors.stripe.billing import StripeBilling
from connectors.stripe.events import StripeEvents
from connectors.stripe.identity import StripeIdentity
from simulators.stripe.faults import FaultKind
from tests.simulated import SimulatorHandle

WORKFLOW = "onboarding/example/abc"
CUSTOMERS = "/v1/customers"
TAX_IDS = "/v1/customers/{customer}/tax_ids"
SESSIONS = "/v1/identity/verification_sessions"


@dataclass(frozen=True)
class Effect:
    """One of our effects, as the tests of faults need it."""

    path: str
    glob: str
    do: Callable[[StripeApi, str], Awaitable[str]]
    find: Callable[[StripeApi, Sent], Awaitable[str | None]]


async def _create(
    api: StripeApi, key: str, *, name: str = "Ada Lovelace", email: str = "ada@example.com"
) -> str:
    return await StripeBilling(api).create_customer(
        key, workflow_id=WORKFLOW, name=name, email=email, country="DE", currency="EUR"
    )


async def _open(api: StripeApi, key: str) -> str:
    return await StripeIdentity(api).open_session(key, workflow_id=WORKFLOW, reference="app_1")


@pytest.fixture(params=["customer", "tax_id", "session"])
async def effect(request: pytest.FixtureRequest, api: StripeApi) -> Effect:
    if request.param == "customer":
        return Effect(
            CUSTOMERS, CUSTOMERS, _create, lambda api, sent: StripeBilling(api).find_customer(sent)
        )
    if request.param == "session":
        return Effect(
            SESSIONS, SESSIONS, _open, lambda api, sent: StripeIdentity(api).find_session(sent)
        )
    customer = await _create(api, "prd_owner")
    tax_id = {"customer_id": customer, "type_": "eu_vat", "value": "DE123456789"}
    return Effect(
        TAX_IDS,
        f"/v1/customers/{customer}/tax_ids",
        lambda api, key: StripeBilling(api).create_tax_id(key, **tax_id),
        lambda api, _: StripeBilling(api).find_tax_id(**tax_id),
    )


def test_each_class_is_what_its_protocol_wants(api: StripeApi) -> None:
    billing: Billing = StripeBilling(api)
    identity: Identity = StripeIdentity(api)
    events: EventFeed = StripeEvents(api)
    assert billing.keys_live == identity.keys_live == timedelta(hours=23)
    assert events is not None


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_an_answer_that_got_lost_is_had_by_the_same_key(
    world: SimulatorHandle,
    api: StripeApi,
    impatient_api: StripeApi,
    effect: Effect,
    kind: FaultKind,
) -> None:
    sent = Sent("prd_1", datetime.now(UTC))
    await world.fault(kind, method="POST", path=effect.glob, seconds=5)
    failure = await _failure(effect.do(impatient_api, "prd_1"))
    assert (type(failure), failure.type) == (Unanswered, "stripe.connection")
    made = await effect.find(api, sent)
    assert await effect.do(api, "prd_1") == made
    counters = await world.counters()
    assert counters.replayed("POST", effect.path) == 1


async def test_a_kept_failure_loses_the_outcome_which_listing_finds(
    world: SimulatorHandle, api: StripeApi, effect: Effect
) -> None:
    sent = Sent("prd_1", datetime.now(UTC))
    await world.fault("error_500_after_commit", method="POST", path=effect.glob)
    first = await _failure(effect.do(api, "prd_1"))
    again = await _failure(effect.do(api, "prd_1"))
    assert (type(first), first.type) == (Unanswered, "stripe.server")
    assert (type(again), again.type) == (OutcomeLost, "stripe.server_replayed")
    assert await effect.find(api, sent) is not None


@pytest.mark.parametrize(
    ("kind", "type_", "pause"),
    [
        ("drop_before", "stripe.connection", None),
        ("error_500_before", "stripe.server", None),
        ("error_503", "stripe.server", None),
        ("rate_limit_429", "stripe.rate_limit", 2),
        ("lock_timeout_429", "stripe.lock_timeout", 1),
    ],
)
async def test_what_was_never_begun_is_done_by_asking_again(
    world: SimulatorHandle,
    api: StripeApi,
    effect: Effect,
    kind: FaultKind,
    type_: str,
    pause: int | None,
) -> None:
    sent = Sent("prd_1", datetime.now(UTC))
    await world.fault(kind, method="POST", path=effect.glob)
    failure = await _failure(effect.do(api, "prd_1"))
    assert isinstance(failure, Unanswered)
    assert failure.type == type_
    assert failure.retry_after == (None if pause is None else timedelta(seconds=pause))
    assert await effect.find(api, sent) is None
    assert await effect.do(api, "prd_1") == await effect.find(api, sent)


async def test_two_at_once_with_one_key_do_it_once(
    world: SimulatorHandle, api: StripeApi, effect: Effect
) -> None:
    await world.fault("slow_before_commit", method="POST", path=effect.glob, seconds=1)
    answers = await asyncio.gather(
        effect.do(api, "prd_1"), effect.do(api, "prd_1"), return_exceptions=True
    )
    [made] = [answer for answer in answers if isinstance(answer, str)]
    [failure] = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(failure, Unanswered)
    assert (failure.type, failure.retry_after) == ("stripe.key_in_use", timedelta(seconds=2))
    assert await effect.do(api, "prd_1") == made


async def test_an_outage_answers_nothing_and_does_nothing(
    world: SimulatorHandle, api: StripeApi
) -> None:
    at = datetime.now(UTC)
    await world.outage()
    billing, identity = StripeBilling(api), StripeIdentity(api)
    for call in (
        _create(api, "prd_1"),
        billing.find_customer(Sent("prd_1", at)),
        billing.delete_customer("cus_1"),
        billing.create_tax_id("prd_2", customer_id="cus_1", type_="eu_vat", value="DE123456789"),
        billing.find_tax_id(customer_id="cus_1", type_="eu_vat", value="DE123456789"),
        billing.delete_tax_id("cus_1", "txi_1"),
        _open(api, "prd_3"),
        identity.find_session(Sent("prd_3", at)),
        identity.read_session("vs_1"),
        identity.close_session("vs_1"),
        anext(StripeEvents(api).since(at)),
    ):
        failure = await _failure(call)
        assert (type(failure), failure.type) == (Unanswered, "stripe.server")


async def test_a_wrong_api_key_is_refused_but_finds_are_not_answered(
    world: SimulatorHandle,
) -> None:
    api = StripeApi("sk_test_wrong", base_url=world.stripe_url)
    created = await _failure(_create(api, "prd_1"))
    found = await _failure(StripeBilling(api).find_customer(Sent("prd_1", datetime.now(UTC))))
    await api.close()
    assert (type(created), created.type) == (Refused, "stripe.auth")
    assert (type(found), found.type) == (Unanswered, "stripe.auth")


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_a_deletion_whose_answer_got_lost_finds_it_gone(
    world: SimulatorHandle, api: StripeApi, impatient_api: StripeApi, kind: FaultKind
) -> None:
    hurried, billing = StripeBilling(impatient_api), StripeBilling(api)
    customer = await _create(api, "prd_1")
    tax_id = await billing.create_tax_id(
        "prd_2", customer_id=customer, type_="eu_vat", value="DE123456789"
    )
    await world.fault(kind, method="DELETE", times=1, seconds=5)
    assert type(await _failure(hurried.delete_tax_id(customer, tax_id))) is Unanswered
    assert await billing.delete_tax_id(customer, tax_id) is False
    await world.fault(kind, method="DELETE", times=1, seconds=5)
    assert type(await _failure(hurried.delete_customer(customer))) is Unanswered
    assert await billing.delete_customer(customer) is False


async def test_a_deletion_has_no_outcome_to_lose(world: SimulatorHandle, api: StripeApi) -> None:
    customer = await _create(api, "prd_1")
    await world.fault("error_500_after_commit", method="DELETE")
    assert type(await _failure(StripeBilling(api).delete_customer(customer))) is Unanswered
    assert await StripeBilling(api).delete_customer(customer) is False


async def test_a_customer_without_our_key_is_somebody_elses(
    world: SimulatorHandle, api: StripeApi
) -> None:
    at = datetime.now(UTC)
    for metadata in ({}, {"request_key": "prd_12"}, {"request": "prd_1"}):
        await _stripe(world, "POST", CUSTOMERS, _form("ada@example.com", metadata))
    billing = StripeBilling(api)
    assert await billing.find_customer(Sent("prd_1", at)) is None
    ours = await _create(api, "prd_1")
    await _stripe(world, "POST", CUSTOMERS, _form("ada@example.com", {}))
    assert await billing.find_customer(Sent("prd_1", at)) == ours


async def test_a_customer_is_found_behind_many_others(
    world: SimulatorHandle, api: StripeApi
) -> None:
    at = await world.now()
    ours = await _create(api, "prd_1")
    await world.advance(timedelta(minutes=10))
    await world.seed_customers(250)
    assert await StripeBilling(api).find_customer(Sent("prd_1", at)) == ours
    assert (await world.counters()).of("GET", CUSTOMERS) == 3


async def test_clocks_may_differ_but_old_customers_are_not_gone_through(
    world: SimulatorHandle, api: StripeApi
) -> None:
    ours = await _create(api, "prd_1")
    now = await world.now()
    billing = StripeBilling(api)
    assert await billing.find_customer(Sent("prd_1", now + timedelta(minutes=4))) == ours
    assert await billing.find_customer(Sent("prd_1", now + timedelta(minutes=10))) is None


async def test_a_search_that_lags_misleads_nobody(world: SimulatorHandle, api: StripeApi) -> None:
    await world.search_lag(timedelta(hours=1))
    at = datetime.now(UTC)
    customer = await _create(api, "prd_1")
    assert await StripeBilling(api).find_customer(Sent("prd_1", at)) == customer


async def test_a_customer_holds_what_we_were_told_and_who_made_it(
    world: SimulatorHandle, api: StripeApi
) -> None:
    customer = await _create(api, "prd_1", name="山田 太郎 & Söhne [1]", email="yamada@example.com")
    kept = await _stripe(world, "GET", f"{CUSTOMERS}/{customer}")
    assert (kept["name"], kept["email"]) == ("山田 太郎 & Söhne [1]", "yamada@example.com")
    assert kept["address"]["country"] == "DE"
    assert kept["metadata"] == {
        "request_key": "prd_1",
        "workflow_id": WORKFLOW,
        "currency": "EUR",
    }


async def test_a_refusal_names_the_parameter_and_not_its_value(api: StripeApi) -> None:
    failure = await _failure(_create(api, "prd_1", email="not an address"))
    assert (type(failure), failure.type) == (Refused, "stripe.invalid_request")
    assert "parameter email" in failure.text
    assert "code email_invalid" in failure.text
    assert "request req_" in failure.text
    assert "not an address" not in failure.text


async def test_a_session_tells_of_each_attempt(world: SimulatorHandle, api: StripeApi) -> None:
    identity = StripeIdentity(api)
    session = await _open(api, "prd_1")
    kept = await _stripe(world, "GET", f"{SESSIONS}/{session}")
    assert (kept["type"], kept["client_reference_id"]) == ("document", "app_1")
    assert kept["metadata"] == {"request_key": "prd_1", "workflow_id": WORKFLOW}

    await world.submit_identity(session, "failed", code="document_expired")
    failed = await identity.read_session(session)
    assert (failed.status, failed.error) == ("requires_input", "document_expired")
    assert await identity.read_session(session) == failed

    await world.submit_identity(session, "failed", code="selfie_face_mismatch")
    failed_again = await identity.read_session(session)
    assert failed_again.report_id not in (None, failed.report_id)

    await world.submit_identity(session, "verified")
    verified = await identity.read_session(session)
    assert (verified.status, verified.error) == ("verified", None)
    assert verified.report_id != failed_again.report_id


async def test_a_session_is_closed_in_every_status_but_while_it_is_checked(
    world: SimulatorHandle, api: StripeApi
) -> None:
    identity = StripeIdentity(api)
    session = await _open(api, "prd_1")
    await world.submit_identity(session, "processing")
    failure = await _failure(identity.close_session(session))
    assert isinstance(failure, Unanswered)
    assert failure.type == "stripe.session_processing"
    assert failure.retry_after is not None
    await world.submit_identity(session, "verified")
    assert await identity.close_session(session) is True
    kept = await _stripe(world, "GET", f"{SESSIONS}/{session}")
    assert kept["redaction"] == {"status": "redacted"}
    assert kept["metadata"] == {}

    canceled = await _open(api, "prd_2")
    await _stripe(world, "POST", f"{SESSIONS}/{canceled}/cancel")
    assert await identity.close_session(canceled) is True


@pytest.mark.parametrize(
    "kind", ["drop_after_commit", "timeout_after_commit", "error_500_after_commit"]
)
async def test_a_closing_whose_answer_got_lost_is_asked_again(
    world: SimulatorHandle, api: StripeApi, impatient_api: StripeApi, kind: FaultKind
) -> None:
    hurried, identity = StripeIdentity(impatient_api), StripeIdentity(api)
    session = await _open(api, "prd_1")
    await world.fault(kind, method="POST", path=f"{SESSIONS}/{session}/redact", seconds=5)
    assert type(await _failure(hurried.close_session(session))) is Unanswered
    assert await identity.close_session(session) is True
    assert (await identity.read_session(session)).status == "canceled"


async def test_the_feed_tells_newest_first_of_what_somebody_waits_for(
    world: SimulatorHandle, api: StripeApi
) -> None:
    feed = StripeEvents(api)
    at = await world.now()
    await _create(api, "prd_1")  # its event concerns nobody
    session = await _open(api, "prd_2")
    await world.submit_identity(session, "failed")
    await world.advance(timedelta(minutes=10))
    between = await world.now()
    await world.submit_identity(session, "verified")

    told = [event async for event in feed.since(at)]
    prefix = "identity.verification_session."
    assert [event.type for event in told] == [prefix + "verified", prefix + "requires_input"]
    assert {event.workflow_id for event in told} == {WORKFLOW}
    assert {event.object_id for event in told} == {session}
    assert told[0].happened_at >= between.replace(microsecond=0)
    assert [event async for event in feed.since(between)] == told[:1]
    assert [event async for event in feed.since(between + timedelta(days=1))] == []


async def test_the_feed_goes_on_behind_the_first_page(
    world: SimulatorHandle, api: StripeApi
) -> None:
    at = await world.now()
    session = await _open(api, "prd_1")
    for _ in range(101):
        await world.submit_identity(session, "failed")
    told = [event.event_id async for event in StripeEvents(api).since(at)]
    assert len(set(told)) == len(told) == 101


async def _failure(call: Awaitable[object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await call
    assert raised.value.__cause__ is None
    return raised.value


def _form(email: str, metadata: dict[str, str]) -> dict[str, str]:
    return {"email": email} | {f"metadata[{name}]": value for name, value in metadata.items()}


async def _stripe(
    world: SimulatorHandle, method: str, path: str, form: dict[str, str] | None = None
) -> dict[str, Any]:
    """A request to Stripe that is none of ours. Any: JSON."""
    async with httpx.AsyncClient(auth=(world.api_key, "")) as somebody:
        answer = await somebody.request(method, world.stripe_url + path, data=form)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body
