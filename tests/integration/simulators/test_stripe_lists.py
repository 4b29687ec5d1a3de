"""Lists are newest first and consistent; search is behind."""

from datetime import timedelta

import httpx
import pytest
import stripe

from tests.simulated import SimulatorHandle

CUSTOMERS = "/v1/customers"


async def some(client: stripe.StripeClient, number: int) -> list[str]:
    """Ids of customers made now, oldest first."""
    return [
        (await client.v1.customers.create_async({"name": str(each)})).id for each in range(number)
    ]


async def test_pages_go_through_everything_once(client: stripe.StripeClient) -> None:
    made = await some(client, 7)
    newest_first = made[::-1]
    first = await client.v1.customers.list_async({"limit": 3})
    assert [each.id for each in first.data] == newest_first[:3]
    assert first.has_more
    walked = [each.id async for each in first.auto_paging_iter()]
    assert walked == newest_first
    last = await client.v1.customers.list_async({"limit": 3, "starting_after": newest_first[5]})
    assert ([each.id for each in last.data], last.has_more) == (newest_first[6:], False)
    back = await client.v1.customers.list_async({"limit": 3, "ending_before": newest_first[5]})
    assert ([each.id for each in back.data], back.has_more) == (newest_first[2:5], True)


async def test_a_page_can_begin_at_a_customer_that_was_deleted(
    client: stripe.StripeClient,
) -> None:
    oldest, middle, newest = await some(client, 3)
    await client.v1.customers.delete_async(middle)
    rest = await client.v1.customers.list_async({"starting_after": middle})
    assert [each.id for each in rest.data] == [oldest]
    everything = await client.v1.customers.list_async()
    assert [each.id for each in everything.data] == [newest, oldest]


async def test_both_cursors_at_once_are_refused(http: httpx.AsyncClient) -> None:
    made = (await http.post(CUSTOMERS)).json()["id"]
    query = {"starting_after": made, "ending_before": made}
    assert (await http.get(CUSTOMERS, params=query)).status_code == 400


async def test_lists_see_at_once_what_was_written(client: stripe.StripeClient) -> None:
    for number in range(5):
        email = f"ada{number}@example.com"
        made = await client.v1.customers.create_async({"email": email})
        found = await client.v1.customers.list_async({"email": email})
        assert [each.id for each in found.data] == [made.id]
    assert (await client.v1.customers.list_async({"email": "ADA1@example.com"})).data == []


async def test_created_bounds_a_list(world: SimulatorHandle, client: stripe.StripeClient) -> None:
    customers = []
    for _ in range(3):
        customers.append(await client.v1.customers.create_async())
        await world.advance(timedelta(hours=1))
    first, second, third = customers
    created = second.created
    expected = {
        "gt": [third.id],
        "gte": [third.id, second.id],
        "lt": [first.id],
        "lte": [second.id, first.id],
    }
    for bound, ids in expected.items():
        found = await client.v1.customers.list_async(
            {"created": {bound: created}}  # type: ignore[arg-type] # the bound is a variable
        )
        assert [each.id for each in found.data] == ids, bound
    exact = await client.v1.customers.list_async({"created": created})
    assert [each.id for each in exact.data] == [second.id]
    between = await client.v1.customers.list_async(
        {"created": {"gt": first.created, "lt": third.created}}
    )
    assert [each.id for each in between.data] == [second.id]


async def test_events_are_found_by_type_group_and_types(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async()
    await client.v1.customers.update_async(customer.id, {"name": "A"})
    await client.v1.identity.verification_sessions.create_async({"type": "document"})
    expected = [
        ({"type": "customer.created"}, ["customer.created"]),
        ({"type": "customer.*"}, ["customer.updated", "customer.created"]),
        (
            {"types": ["customer.updated", "identity.verification_session.created"]},
            ["identity.verification_session.created", "customer.updated"],
        ),
        ({"type": "invoice.paid"}, []),
    ]
    for query, types in expected:
        found = await client.v1.events.list_async(query)  # type: ignore[arg-type]
        assert [each.type for each in found.data] == types


async def test_sessions_are_found_by_reference_customer_and_status(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    sessions = client.v1.identity.verification_sessions
    customer = await client.v1.customers.create_async()
    one = await sessions.create_async({"type": "document", "client_reference_id": "a/1"})
    two = await sessions.create_async({"type": "document", "related_customer": customer.id})
    await world.submit_identity(two.id)
    by_reference = await sessions.list_async({"client_reference_id": "a/1"})
    by_customer = await sessions.list_async({"related_customer": customer.id})
    by_status = await sessions.list_async({"status": "requires_input"})
    by_time = await sessions.list_async({"created": {"gte": one.created}})
    assert [each.id for each in by_reference.data] == [one.id]
    assert [each.id for each in by_customer.data] == [two.id]
    assert [each.id for each in by_status.data] == [one.id]
    assert [each.id for each in by_time.data] == [two.id, one.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await sessions.create_async({"type": "document", "related_customer": "cus_none"})


async def found(client: stripe.StripeClient, query: str) -> list[str | None]:
    """Names of the customers that search finds, newest first."""
    result = await client.v1.customers.search_async({"query": query})
    return [each.name for each in result.data]


async def test_search_does_not_see_what_was_just_written(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await world.search_lag(timedelta(seconds=30))
    made = await client.v1.customers.create_async({"name": "A", "metadata": {"request_key": "k"}})
    query = "metadata['request_key']:'k'"
    assert await found(client, query) == []
    await world.advance(timedelta(seconds=31))
    assert await found(client, query) == ["A"]
    await client.v1.customers.update_async(made.id, {"name": "B"})
    assert await found(client, query) == ["A"]
    await world.advance(timedelta(seconds=31))
    assert await found(client, query) == ["B"]
    await client.v1.customers.delete_async(made.id)
    assert await found(client, query) == ["B"]
    await world.advance(timedelta(seconds=31))
    assert await found(client, query) == []


async def test_search_understands_its_language(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await world.search_lag(timedelta(0))
    create = client.v1.customers.create_async
    await create({"name": "Ada", "email": "ada@example.com", "metadata": {"tier": "gold"}})
    await world.advance(timedelta(hours=1))
    late = await create({"name": "Grace", "email": "grace@example.org"})
    expected = {
        "email:'ada@example.com'": ["Ada"],
        'name~"RAC"': ["Grace"],
        "metadata['tier']:'gold' AND name:'Ada'": ["Ada"],
        "name:'Ada' OR name:'Grace'": ["Grace", "Ada"],
        "-metadata['tier']:'gold'": ["Grace"],
        "metadata['tier']:null": ["Grace"],
        f"created>={late.created}": ["Grace"],
        f"created<{late.created}": ["Ada"],
        "name:'Ada' name:'Grace'": [],
    }
    for query, names in expected.items():
        assert await found(client, query) == names, query
    for unreadable in ("ada", "name:'A' AND", "name:'A' AND name:'B' OR name:'C'", "shoe:'4'"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be read"):
            await found(client, unreadable)


async def test_search_has_pages(world: SimulatorHandle, client: stripe.StripeClient) -> None:
    await world.search_lag(timedelta(0))
    made = await some(client, 5)
    first = await client.v1.customers.search_async({"query": "created>0", "limit": 2})
    walked = [each.id async for each in first.auto_paging_iter()]
    assert walked == made[::-1]


async def test_a_million_would_be_paged_as_a_thousand_are(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    await world.seed_customers(2_500)
    after: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        page = (await http.get(CUSTOMERS, params={"limit": "100", **after})).json()
        seen.update(customer["id"] for customer in page["data"])
        if not page["has_more"]:
            break
        after = {"starting_after": page["data"][-1]["id"]}
    assert len(seen) == 2_500
