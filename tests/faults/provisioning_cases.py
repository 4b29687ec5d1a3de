"""Cases of what is made for a customer in billing, in the directory and in the CRM."""

from __future__ import annotations

import secrets
from typing import Any

from tests.faults.intents import Bench, Case, Intent, into, named
from tests.house import TENANT
from workflows.onboarding.messages import (
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    JoinGroup,
    workflow_id,
)
from workflows.onboarding.steps import (
    BillingSteps,
    CrmSteps,
    DirectorySteps,
)
from workflows.step import Undo

CASES: dict[str, Case] = {}
case = into(CASES)


@case(BillingSteps.create_customer)
async def create_customer(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(BillingSteps.create_customer, process)

    async def made() -> int:
        return len(await bench.customers(process))

    return Intent(CreateCustomer(request_key=key, application_id=application), made)


@case(BillingSteps.delete_customer)
async def _(bench: Bench) -> Intent:
    made = await create_customer(bench)
    customer = await bench.act(BillingSteps.create_customer)(made.request)
    process = made.request.request_key.rsplit("/", 1)[0]

    async def gone() -> int:
        return await _events(bench, "customer.deleted", customer.customer_id)

    key = named(BillingSteps.delete_customer, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(BillingSteps.create_tax_id)
async def create_tax_id(bench: Bench) -> Intent:
    customer = await create_customer(bench)
    made = await bench.act(BillingSteps.create_customer)(customer.request)
    process = customer.request.request_key.rsplit("/", 1)[0]
    assert isinstance(customer.request, CreateCustomer)
    request = CreateTaxId(
        request_key=named(BillingSteps.create_tax_id, process),
        application_id=customer.request.application_id,
        customer_id=made.customer_id,
    )

    async def there() -> int:
        return len(await bench.tax_ids(made.customer_id))

    return Intent(request, there)


@case(BillingSteps.delete_tax_id)
async def _(bench: Bench) -> Intent:
    made = await create_tax_id(bench)
    tax_id = await bench.act(BillingSteps.create_tax_id)(made.request)
    process = made.request.request_key.rsplit("/", 1)[0]

    async def gone() -> int:
        return await _events(bench, "customer.tax_id.deleted", tax_id.tax_id)

    key = named(BillingSteps.delete_tax_id, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(DirectorySteps.create_user)
async def create_user(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(DirectorySteps.create_user, process)

    async def there() -> int:
        return len(await _users(bench, application))

    return Intent(CreateUser(request_key=key, application_id=application), there)


@case(DirectorySteps.delete_user)
async def _(bench: Bench) -> Intent:
    made = await create_user(bench)
    user = await bench.act(DirectorySteps.create_user)(made.request)
    before = await _deleted(bench, "directory", "/v2/Users/{id}")

    async def gone() -> int:
        assert not [each for each in await _users(bench) if each["id"] == user.user_id]
        return await _deleted(bench, "directory", "/v2/Users/{id}") - before

    process = made.request.request_key.rsplit("/", 1)[0]
    key = named(DirectorySteps.delete_user, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(DirectorySteps.join_group)
async def join_group(bench: Bench) -> Intent:
    made = await create_user(bench)
    user = await bench.act(DirectorySteps.create_user)(made.request)
    assert isinstance(made.request, CreateUser)
    request = JoinGroup(
        request_key=named(DirectorySteps.join_group, made.request.request_key.rsplit("/", 1)[0]),
        application_id=made.request.application_id,
        user_id=user.user_id,
    )

    async def joined() -> int:
        return len(await memberships(bench, user.user_id))

    return Intent(request, joined)


@case(DirectorySteps.leave_group)
async def _(bench: Bench) -> Intent:
    made = await join_group(bench)
    membership = await bench.act(DirectorySteps.join_group)(made.request)

    async def left() -> int:
        return 1 - len(await memberships(bench, membership.user_id))

    process = made.request.request_key.rsplit("/", 1)[0]
    key = named(DirectorySteps.leave_group, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), left)


@case(CrmSteps.create_contact)
async def create_contact(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(CrmSteps.create_contact, process)

    async def there() -> int:
        return len(await _records(bench, "contacts", "email", f"{application}@example.com"))

    return Intent(CreateContact(request_key=key, application_id=application), there)


@case(CrmSteps.archive_contact)
async def _(bench: Bench) -> Intent:
    made = await create_contact(bench)
    await bench.act(CrmSteps.create_contact)(made.request)

    async def gone() -> int:
        return 1 - await made.happened()

    process = made.request.request_key.rsplit("/", 1)[0]
    key = named(CrmSteps.archive_contact, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(CrmSteps.create_company)
async def create_company(bench: Bench) -> Intent:
    name = f"Example {secrets.token_hex(8)}"
    application = await bench.house.apply(name=name)
    key = named(CrmSteps.create_company, workflow_id(TENANT, application))

    async def there() -> int:
        return len(await _records(bench, "companies", "name", name))

    return Intent(CreateCompany(request_key=key, application_id=application), there)


@case(CrmSteps.archive_company)
async def _(bench: Bench) -> Intent:
    made = await create_company(bench)
    await bench.act(CrmSteps.create_company)(made.request)

    async def gone() -> int:
        return 1 - await made.happened()

    process = made.request.request_key.rsplit("/", 1)[0]
    key = named(CrmSteps.archive_company, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


async def groups(bench: Bench) -> list[dict[str, Any]]:
    """The groups of our tenant's customers: one, however many join it."""
    answer = await bench.house.outside.directory.request(
        "GET", f'/v2/Groups?filter=displayName eq "{TENANT}"'
    )
    found: list[dict[str, Any]] = answer.json()["Resources"]
    return found


async def memberships(bench: Bench, user: str) -> list[str]:
    """The groups that a user is in, each as often as it is in it."""
    return [
        group["id"]
        for group in await groups(bench)
        for member in group.get("members", ())
        if member["value"] == user
    ]


async def _users(bench: Bench, application: str | None = None) -> list[dict[str, Any]]:
    wanted = f'?filter=userName eq "{application}@example.com"' if application else ""
    answer = await bench.house.outside.directory.request("GET", f"/v2/Users{wanted}")
    found: list[dict[str, Any]] = answer.json()["Resources"]
    return found


async def _records(bench: Bench, kind: str, name: str, value: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = "0"
    while after:
        answer = await bench.house.outside.crm.request(
            "GET", f"/crm/v3/objects/{kind}", params={"limit": 100, "after": after}
        )
        page = answer.json()
        found += [each for each in page["results"] if each["properties"].get(name) == value]
        after = page.get("paging", {}).get("next", {}).get("after", "")
    return found


async def _deleted(bench: Bench, system: str, path: str) -> int:
    counters = await getattr(bench.house.outside, system).counters()
    return int(counters.executed("DELETE", path))


async def _events(bench: Bench, type_: str, object_id: str) -> int:
    """How often something happened at Stripe: once for each effect, and never for a replay."""
    outside = bench.house.outside
    answer = await outside._http.get(
        f"{outside.stripe_url}/v1/events",
        params={"type": type_, "limit": 100},
        auth=(outside.api_key, ""),
    )
    events = answer.json()["data"]
    return sum(1 for event in events if event["data"]["object"]["id"] == object_id)
