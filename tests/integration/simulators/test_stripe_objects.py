"""What each object is and does, seen through the official SDK."""

from datetime import timedelta

import httpx
import pytest
import stripe

from tests.simulated import SimulatorHandle


async def event_types(client: stripe.StripeClient) -> list[str]:
    """The types of all events, oldest first."""
    events = await client.v1.events.list_async({"limit": 100})
    return [event.type for event in reversed(events.data)]


async def test_a_customer_is_created_changed_and_deleted(client: stripe.StripeClient) -> None:
    made = await client.v1.customers.create_async(
        {
            "email": "ada@example.com",
            "name": "Ada Example",
            "address": {"line1": "Murgasse 1", "city": "Graz", "country": "AT"},
            "preferred_locales": ["de", "en"],
            "metadata": {"request_key": "abc", "tier": "gold"},
            "shipping": {"name": "Ada", "address": {"city": "Wien"}},
        }
    )
    assert (made.email, made.name, made.preferred_locales) == (
        "ada@example.com",
        "Ada Example",
        ["de", "en"],
    )
    assert made.address is not None
    assert (made.address.city, made.address.line2) == ("Graz", None)

    changed = await client.v1.customers.update_async(
        made.id, {"name": "", "address": {"city": "Linz"}, "metadata": {"tier": "", "vip": "yes"}}
    )
    assert changed.name is None
    assert changed.address is not None
    assert (changed.address.city, changed.address.country) == ("Linz", "AT")
    assert changed.to_dict()["metadata"] == {"request_key": "abc", "vip": "yes"}

    gone = await client.v1.customers.delete_async(made.id)
    assert gone.deleted
    after = await client.v1.customers.retrieve_async(made.id)
    assert after.to_dict() == {"id": made.id, "object": "customer", "deleted": True}
    for again in (client.v1.customers.delete_async, client.v1.customers.update_async):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await again(made.id)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert await event_types(client) == [
        "customer.created",
        "customer.updated",
        "customer.deleted",
    ]


async def test_an_update_event_tells_what_was_before(client: stripe.StripeClient) -> None:
    made = await client.v1.customers.create_async({"email": "ada@example.com"})
    await client.v1.customers.update_async(
        made.id, {"email": "ada@example.org"}, {"idempotency_key": "change"}
    )
    await client.v1.customers.update_async(made.id, {"email": "ada@example.org"})  # no change
    events = (await client.v1.events.list_async({"type": "customer.updated"})).data
    assert len(events) == 1
    event = events[0].to_dict()
    assert event["data"]["previous_attributes"] == {"email": "ada@example.com"}
    assert event["data"]["object"]["email"] == "ada@example.org"
    assert event["request"]["idempotency_key"] == "change"
    assert (await client.v1.events.retrieve_async(event["id"])).id == event["id"]


async def test_all_metadata_goes_with_an_empty_string(client: stripe.StripeClient) -> None:
    made = await client.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    cleared = await client.v1.customers.update_async(made.id, {"metadata": ""})
    assert cleared.to_dict()["metadata"] == {}


async def test_tax_ids_belong_to_their_customer(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async(
        {"tax_id_data": [{"type": "gb_vat", "value": "GB123456789"}], "expand": ["tax_ids"]}
    )
    assert customer.tax_ids is not None
    assert [each.type for each in customer.tax_ids.data] == ["gb_vat"]
    added = await client.v1.customers.tax_ids.create_async(
        customer.id, {"type": "eu_vat", "value": "ATU12345678"}
    )
    assert (added.country, added.customer) == ("AT", customer.id)
    assert added.verification is not None
    assert added.verification.status == "pending"

    found = await client.v1.customers.tax_ids.retrieve_async(customer.id, added.id)
    assert found.to_dict() == added.to_dict()
    listed = await client.v1.customers.tax_ids.list_async(customer.id)
    assert [each.type for each in listed.data] == ["eu_vat", "gb_vat"]
    owned = await client.v1.tax_ids.list_async(
        {"owner": {"type": "customer", "customer": customer.id}}
    )
    assert [each.id for each in owned.data] == [each.id for each in listed.data]

    other = await client.v1.customers.create_async()
    with pytest.raises(stripe.InvalidRequestError, match="No such tax_id"):
        await client.v1.customers.tax_ids.retrieve_async(other.id, added.id)
    gone = await client.v1.customers.tax_ids.delete_async(customer.id, added.id)
    assert gone.deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such tax_id"):
        await client.v1.tax_ids.retrieve_async(added.id)
    assert "customer.tax_id.deleted" in await event_types(client)


async def test_the_accounts_own_tax_ids_are_apart(client: stripe.StripeClient) -> None:
    own = await client.v1.tax_ids.create_async({"type": "us_ein", "value": "12-3456789"})
    customer = await client.v1.customers.create_async()
    await client.v1.customers.tax_ids.create_async(
        customer.id, {"type": "no_vat", "value": "123456789MVA"}
    )
    assert own.owner is not None
    assert own.owner.type == "self"
    assert [each.id for each in (await client.v1.tax_ids.list_async()).data] == [own.id]


async def test_a_deleted_customer_takes_its_tax_ids_along(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async()
    tax_id = await client.v1.customers.tax_ids.create_async(
        customer.id, {"type": "eu_vat", "value": "DE123456789"}
    )
    await client.v1.customers.delete_async(customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such tax_id"):
        await client.v1.tax_ids.retrieve_async(tax_id.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await client.v1.customers.tax_ids.list_async(customer.id)


@pytest.mark.parametrize(
    ("tax_type", "value"),
    [("eu_vat", "DE12345678"), ("eu_vat", "US123456789"), ("gb_vat", "123456789")],
)
async def test_a_tax_id_of_a_wrong_form_is_refused(
    client: stripe.StripeClient, tax_type: str, value: str
) -> None:
    customer = await client.v1.customers.create_async()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.customers.tax_ids.create_async(
            customer.id,
            {"type": tax_type, "value": value},
        )
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")


async def test_an_applicant_is_verified(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    customer = await client.v1.customers.create_async()
    made = await client.v1.identity.verification_sessions.create_async(
        {
            "type": "document",
            "client_reference_id": "application-1",
            "related_customer": customer.id,
            "options": {"document": {"require_matching_selfie": True}},
            "provided_details": {"email": "ada@example.com"},
        }
    )
    assert (made.status, made.type) == ("requires_input", "document")
    assert made.client_secret is not None
    assert made.url is not None

    await world.submit_identity(made.id, "processing")
    waiting = await client.v1.identity.verification_sessions.retrieve_async(made.id)
    assert waiting.status == "processing"
    await world.submit_identity(made.id, "verified")
    verified = await client.v1.identity.verification_sessions.retrieve_async(
        made.id, {"expand": ["verified_outputs"]}
    )
    assert (verified.status, verified.url, verified.client_secret) == ("verified", None, None)
    assert verified.verified_outputs is not None
    assert verified.last_verification_report is not None
    plain = await client.v1.identity.verification_sessions.retrieve_async(made.id)
    assert "verified_outputs" not in plain.to_dict()
    assert (await event_types(client))[1:] == [
        "identity.verification_session.created",
        "identity.verification_session.processing",
        "identity.verification_session.verified",
    ]
    with pytest.raises(AssertionError, match="nothing can be submitted"):
        await world.submit_identity(made.id, "verified")


async def test_a_failed_check_can_be_tried_again(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    made = await sessions.create_async({"type": "document"})
    await world.submit_identity(made.id, "failed", code="document_expired")
    failed = await sessions.retrieve_async(made.id)
    assert failed.status == "requires_input"
    assert failed.last_error is not None
    assert failed.last_error.code == "document_expired"
    await world.submit_identity(made.id, "verified")
    verified = await sessions.retrieve_async(made.id)
    assert (verified.status, verified.last_error) == ("verified", None)
    with pytest.raises(AssertionError, match="no such last_error"):
        await world.submit_identity(made.id, "failed", code="too_tall")


async def test_a_session_is_changed_and_canceled_only_while_it_waits(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    made = await sessions.create_async({"type": "document", "metadata": {"a": "1"}})
    changed = await sessions.update_async(made.id, {"type": "id_number", "metadata": {"b": "2"}})
    assert (changed.type, changed.to_dict()["metadata"]) == ("id_number", {"a": "1", "b": "2"})
    canceled = await sessions.cancel_async(made.id)
    assert (canceled.status, canceled.url) == ("canceled", None)
    for late in (sessions.cancel_async(made.id), sessions.update_async(made.id, {})):
        with pytest.raises(stripe.InvalidRequestError, match="canceled cannot be"):
            await late
    other = await sessions.create_async({"type": "document"})
    await world.submit_identity(other.id, "processing")
    with pytest.raises(stripe.InvalidRequestError, match="processing cannot be canceled"):
        await sessions.cancel_async(other.id)


async def test_redaction_takes_out_what_is_personal(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    made = await sessions.create_async(
        {"type": "document", "provided_details": {"email": "ada@example.com"}}
    )
    await world.submit_identity(made.id)
    redacted = await sessions.redact_async(made.id, {"expand": ["verified_outputs"]})
    assert redacted.redaction is not None
    assert redacted.redaction.status == "redacted"
    assert redacted.provided_details is None
    assert redacted.verified_outputs is None
    assert (await sessions.redact_async(made.id)).id == made.id
    types = await event_types(client)
    assert types.count("identity.verification_session.redacted") == 1
    waiting = await sessions.create_async({"type": "document"})
    assert (await sessions.redact_async(waiting.id)).status == "canceled"


async def test_a_person_can_play_the_applicant_with_a_browser(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    made = await sessions.create_async(
        {"type": "document", "return_url": f"{world.stripe_url}/_simulator/health"}
    )
    assert made.url is not None
    page = await http.get(made.url)
    assert (page.status_code, made.id in page.text) == (200, True)
    assert '<button name="outcome" value="verified">' in page.text
    sent = await http.post(made.url, data={"outcome": "failed", "code": "selfie_face_mismatch"})
    assert sent.headers["Location"] == f"{world.stripe_url}/_simulator/health"
    failed = await sessions.retrieve_async(made.id)
    assert failed.last_error is not None
    assert failed.last_error.code == "selfie_face_mismatch"
    assert failed.url is not None
    await http.post(failed.url, data={"outcome": "verified", "code": "abandoned"})
    assert (await sessions.retrieve_async(made.id)).status == "verified"
    done = await http.get(failed.url)
    assert (done.status_code, "verified" in done.text) == (200, True)
    assert "<form" not in done.text


async def test_a_link_to_the_page_lasts_two_days_and_one_attempt(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    made = await sessions.create_async({"type": "document"})
    links = [made.url, *[(await sessions.retrieve_async(made.id)).url for _ in range(2)]]
    assert len(set(links)) == 3, "each retrieve makes a new one"
    first, second, third = (str(link) for link in links)

    await http.post(first, data={"outcome": "processing"})
    await http.post(first, data={"outcome": "failed"})
    for again in (await http.get(first), await http.post(first, data={"outcome": "verified"})):
        assert again.status_code == 410
        assert "was used already" in again.text
        assert "<form" not in again.text
    assert (await http.get(second)).status_code == 200

    await world.advance(timedelta(hours=48, seconds=-60))
    assert (await http.get(second)).status_code == 200
    await world.advance(timedelta(seconds=60))
    for late in (await http.get(third), await http.post(third, data={"outcome": "verified"})):
        assert late.status_code == 410
        assert "has expired" in late.text
    waiting = await sessions.retrieve_async(made.id)
    assert waiting.status == "requires_input"
    assert waiting.url is not None
    await http.post(waiting.url, data={"outcome": "verified"})
    assert (await sessions.retrieve_async(made.id)).status == "verified"
    assert (await http.get(third + "x")).status_code == 404


async def test_an_endpoint_shows_its_secret_once(client: stripe.StripeClient) -> None:
    endpoints = client.v1.webhook_endpoints
    made = await endpoints.create_async(
        {"url": "http://127.0.0.1:1/hooks", "enabled_events": ["customer.created"]}
    )
    assert made.to_dict()["secret"].startswith("whsec_")
    assert "secret" not in (await endpoints.retrieve_async(made.id)).to_dict()
    assert "secret" not in (await endpoints.list_async()).data[0].to_dict()
    changed = await endpoints.update_async(
        made.id, {"disabled": True, "enabled_events": ["*"], "metadata": {"a": "b"}}
    )
    assert (changed.status, changed.enabled_events) == ("disabled", ["*"])
    assert (await endpoints.delete_async(made.id)).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        await endpoints.retrieve_async(made.id)
