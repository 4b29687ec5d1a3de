"""What holds of every implementation of a capability, whoever it talks to.

Another implementation is tried by one more name in the fixture of its capability.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.capabilities import Billing, Crm, Directory, Identity, Sent
from connectors.errors import Refused, Unanswered
from tests.integration.connectors.conftest import Post

WORKFLOW = "onboarding/example/abc"
NAMES = [
    "Ada Lovelace",
    "Łukasz Żółć-O'Neill",
    "山田 太郎",
    "Ольга Ёлкина",
    "محمد العربي",
    "दीपिका शर्मा",
    "Nguyễn Thị Ánh & Söhne [1] = 50% + x",
    "👩‍🚀 Astrid",
]


@pytest.fixture(params=["stripe_billing", "invoice_billing"])
def billing(request: pytest.FixtureRequest) -> Billing:
    found: Billing = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["stripe_identity", "manual_identity"])
def identity(request: pytest.FixtureRequest) -> Identity:
    found: Identity = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["scim_directory", "tenant_directory"])
def directory(request: pytest.FixtureRequest) -> Directory:
    found: Directory = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["hubspot_crm", "csv_crm"])
def crm(request: pytest.FixtureRequest) -> Crm:
    found: Crm = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["smtp_post", "outbox_post"])
def post(request: pytest.FixtureRequest) -> Post:
    found: Post = request.getfixturevalue(request.param)
    return found


async def _customer(billing: Billing, key: str = "prd_1", *, name: str = "Ada Lovelace") -> str:
    return await billing.create_customer(
        key, workflow_id=WORKFLOW, name=name, email="ada@example.com", country="DE", currency="EUR"
    )


def _sent(key: str) -> Sent:
    return Sent(key, datetime.now(UTC))


async def _at_once(make: Callable[[], Coroutine[Any, Any, str]]) -> None:
    """Several make the same at the same time: whoever hears of one hears of the same."""
    heard = await asyncio.gather(*(make() for _ in range(5)), return_exceptions=True)
    failed = [one for one in heard if isinstance(one, BaseException)]
    assert all(isinstance(one, Unanswered) for one in failed), failed
    assert {one for one in heard if isinstance(one, str)} == {await make()}


async def test_a_key_makes_one_customer(billing: Billing) -> None:
    first = await _customer(billing)
    assert await _customer(billing) == first
    assert await _customer(billing, "prd_2") != first


async def test_a_key_used_several_times_at_once_makes_one_of_each(
    billing: Billing, directory: Directory, crm: Crm
) -> None:
    await _at_once(lambda: _customer(billing))
    await _at_once(
        lambda: directory.create_user("prd_1", name="Ada Lovelace", email="ada@example.com")
    )
    await _at_once(lambda: _contact(crm))
    await _at_once(lambda: crm.create_company("prd_1", name="Example GmbH", country="DE"))


async def test_one_key_for_another_customer_is_refused(billing: Billing) -> None:
    await _customer(billing)
    with pytest.raises(Refused):
        await _customer(billing, name="Grace Hopper")


async def test_a_customer_is_found_by_its_key_at_once_and_by_no_other(billing: Billing) -> None:
    sent, never_sent = _sent("prd_1"), _sent("prd_2")
    customer = await _customer(billing)
    assert await billing.find_customer(sent) == customer
    assert await billing.find_customer(never_sent) is None


async def test_a_customer_is_deleted_once(billing: Billing) -> None:
    customer = await _customer(billing)
    assert await billing.delete_customer(customer) is True
    assert await billing.delete_customer(customer) is False
    assert await billing.find_customer(_sent("prd_1")) is None


async def test_a_customer_is_looked_at_until_it_is_gone(billing: Billing) -> None:
    customer = await _customer(billing)
    assert await billing.look_at_customer(customer) == {
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "country": "DE",
        "currency": "EUR",
    }
    await billing.delete_customer(customer)
    assert await billing.look_at_customer(customer) is None


async def test_a_customer_who_was_closed_is_kept_with_the_tax_id(billing: Billing) -> None:
    customer = await _customer(billing)
    told = {"customer_id": customer, "type_": "eu_vat", "value": "DE123456789"}
    await billing.create_tax_id("prd_2", **told)
    before = await billing.look_at_customer(customer)
    for _ in range(2):
        assert await billing.close_customer(customer) is True
    assert await billing.look_at_customer(customer) == before
    assert await billing.find_tax_id(**told) is not None
    await billing.delete_customer(customer)
    assert await billing.close_customer(customer) is False


async def test_a_session_that_never_was_is_gone(identity: Identity) -> None:
    assert await identity.close_session("vs_none") is False


@pytest.mark.parametrize("nobody", ["cus_none", "0", "999999", "9" * 40, "1; --", "1.5"])
async def test_what_never_was_is_gone(billing: Billing, nobody: str) -> None:
    assert await billing.delete_customer(nobody) is False
    assert await billing.close_customer(nobody) is False
    assert await billing.look_at_customer(nobody) is None
    assert await billing.delete_tax_id(nobody, "txi_none") is False
    assert await billing.find_tax_id(customer_id=nobody, type_="eu_vat", value="X") is None


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_may_be_in_any_script(billing: Billing, name: str) -> None:
    customer = await _customer(billing, name=name)
    assert await _customer(billing, name=name) == customer


async def test_a_tax_id_is_made_found_and_deleted_once(billing: Billing) -> None:
    customer = await _customer(billing)

    async def create() -> str:
        return await billing.create_tax_id(
            "prd_2", customer_id=customer, type_="eu_vat", value="DE123456789"
        )

    async def find(type_: str, value: str) -> str | None:
        return await billing.find_tax_id(customer_id=customer, type_=type_, value=value)

    tax_id = await create()
    assert await create() == tax_id
    assert await find("eu_vat", "DE123456789") == tax_id
    assert await find("eu_vat", "DE987654321") is None
    assert await find("eu_oss_vat", "DE123456789") is None
    assert await billing.delete_tax_id(customer, tax_id) is True
    assert await billing.delete_tax_id(customer, tax_id) is False
    assert await find("eu_vat", "DE123456789") is None


async def test_with_its_customer_a_tax_id_is_gone(billing: Billing) -> None:
    customer = await _customer(billing)
    tax_id = await billing.create_tax_id(
        "prd_2", customer_id=customer, type_="eu_vat", value="DE123456789"
    )
    await billing.delete_customer(customer)
    assert await billing.delete_tax_id(customer, tax_id) is False
    found = await billing.find_tax_id(customer_id=customer, type_="eu_vat", value="DE123456789")
    assert found is None


async def test_an_impossible_tax_id_is_refused(billing: Billing) -> None:
    customer = await _customer(billing)
    with pytest.raises(Refused):
        await billing.create_tax_id("prd_2", customer_id=customer, type_="eu_vat", value="DE-never")


async def test_a_key_opens_one_session(identity: Identity) -> None:
    sent = _sent("prd_1")
    session = await identity.open_session("prd_1", workflow_id=WORKFLOW, reference="app_1")
    assert await identity.open_session("prd_1", workflow_id=WORKFLOW, reference="app_1") == session
    assert await identity.find_session(sent) == session
    assert await identity.find_session(_sent("prd_2")) is None
    assert (await identity.read_session(session)).status == "requires_input"


async def test_a_closed_session_stays_closed(identity: Identity) -> None:
    session = await identity.open_session("prd_1", workflow_id=WORKFLOW, reference="app_1")
    assert await identity.close_session(session) is True
    await identity.close_session(session)
    assert (await identity.read_session(session)).status == "canceled"


async def test_reading_a_session_that_never_was_is_refused(identity: Identity) -> None:
    with pytest.raises(Refused):
        await identity.read_session("vs_none")


async def test_a_key_makes_one_user(directory: Directory) -> None:
    async def create(key: str, email: str) -> str:
        return await directory.create_user(key, name="Ada Lovelace", email=email)

    user = await create("prd_1", "ada@example.com")
    assert await create("prd_1", "ada@example.com") == user
    assert await create("prd_2", "grace@example.com") != user
    assert await directory.find_user(_sent("prd_1")) == user
    assert await directory.find_user(_sent("prd_3")) is None


async def test_a_user_of_somebody_elses_is_never_adopted(directory: Directory) -> None:
    await directory.create_user("prd_1", name="Ada Lovelace", email="ada@example.com")
    with pytest.raises(Refused) as refused:
        await directory.create_user("prd_2", name="Ada Lovelace", email="ADA@example.com")
    assert refused.value.type == "directory.conflict"
    assert await directory.find_user(_sent("prd_2")) is None


async def test_a_user_is_deleted_once(directory: Directory) -> None:
    user = await directory.create_user("prd_1", name="Ada Lovelace", email="ada@example.com")
    assert await directory.delete_user(user) is True
    assert await directory.delete_user(user) is False
    assert await directory.find_user(_sent("prd_1")) is None
    assert await directory.delete_user("none") is False
    again = await directory.create_user("prd_2", name="Ada Lovelace", email="ada@example.com")
    assert again != user


async def test_a_user_is_looked_at_until_it_is_gone(directory: Directory) -> None:
    user = await directory.create_user("prd_1", name="Ada Lovelace", email="ada@example.com")
    told = await directory.look_at_user(user)
    assert told is not None
    wanted = {"name": "Ada Lovelace", "email": "ada@example.com", "active": "yes"}
    assert told.items() <= wanted.items()
    assert {"name", "email"} <= told.keys()
    await directory.delete_user(user)
    assert await directory.look_at_user(user) is None
    assert await directory.look_at_user("none") is None


async def test_who_is_in_a_group_is_asked_for_one_user(directory: Directory) -> None:
    group = await directory.create_group("prd_1", name="acme")
    other = await directory.create_group("prd_2", name="other")
    user = await directory.create_user("prd_3", name="Ada Lovelace", email="ada@example.com")
    nobody = await directory.create_user("prd_4", name="Grace Hopper", email="grace@example.com")
    await directory.add_member(group_id=group, user_id=user)
    assert await directory.is_member(group_id=group, user_id=user) is True
    assert await directory.is_member(group_id=other, user_id=user) is False
    assert await directory.is_member(group_id=group, user_id=nobody) is False
    assert await directory.is_member(group_id="none", user_id=user) is False
    await directory.delete_user(user)
    assert await directory.is_member(group_id=group, user_id=user) is False


@pytest.mark.parametrize("name", NAMES)
async def test_a_user_may_be_named_in_any_script(directory: Directory, name: str) -> None:
    user = await directory.create_user("prd_1", name=name, email="ada@example.com")
    assert await directory.create_user("prd_1", name=name, email="ada@example.com") == user


async def test_a_key_makes_one_group_which_users_join_and_leave(directory: Directory) -> None:
    group = await directory.create_group("prd_1", name="acme")
    assert await directory.create_group("prd_1", name="acme") == group
    assert await directory.find_group(_sent("prd_1")) == group
    user = await directory.create_user("prd_2", name="Ada Lovelace", email="ada@example.com")
    for _ in range(2):
        await directory.add_member(group_id=group, user_id=user)
    for _ in range(2):
        assert await directory.remove_member(group_id=group, user_id=user) is True
    assert await directory.remove_member(group_id="none", user_id=user) is False
    with pytest.raises(Refused):
        await directory.add_member(group_id="none", user_id=user)
    await directory.add_member(group_id=group, user_id=user)
    assert await directory.delete_user(user) is True
    assert await directory.remove_member(group_id=group, user_id=user) is True


async def _contact(crm: Crm, key: str = "prd_1", *, email: str = "ada@example.com") -> str:
    return await crm.create_contact(
        key, email=email, country="DE", name="Ada Lovelace", company=None
    )


async def test_a_key_makes_one_contact_and_one_company(crm: Crm) -> None:
    contact = await _contact(crm)
    company = await crm.create_company("prd_1", name="Example GmbH", country="DE")
    assert await _contact(crm) == contact
    assert await crm.create_company("prd_1", name="Example GmbH", country="DE") == company
    assert await _contact(crm, "prd_2", email="grace@example.com") != contact
    assert await crm.create_company("prd_2", name="Example GmbH", country="DE") != company
    assert await crm.find_contact(_sent("prd_1")) == contact
    assert await crm.find_company(_sent("prd_1")) == company
    assert await crm.find_contact(_sent("prd_3")) is None
    assert await crm.find_company(_sent("prd_3")) is None


async def test_a_contact_of_somebody_elses_is_never_adopted(crm: Crm) -> None:
    await _contact(crm)
    with pytest.raises(Refused) as refused:
        await _contact(crm, "prd_2")
    assert refused.value.type == "crm.conflict"
    assert "example.com" not in refused.value.text
    assert await crm.find_contact(_sent("prd_2")) is None


async def test_what_was_archived_is_gone_and_its_address_free(crm: Crm) -> None:
    contact = await _contact(crm)
    company = await crm.create_company("prd_1", name="Example GmbH", country="DE")
    for _ in range(2):
        await crm.archive_contact(contact)
        await crm.archive_company(company)
    assert await crm.find_contact(_sent("prd_1")) is None
    assert await crm.find_company(_sent("prd_1")) is None
    assert await _contact(crm, "prd_2") != contact


async def test_contact_and_company_are_looked_at_until_they_are_gone(crm: Crm) -> None:
    contact = await _contact(crm)
    company = await crm.create_company("prd_1", name="Example GmbH", country="DE")
    told, of_company = await crm.look_at_contact(contact), await crm.look_at_company(company)
    assert told is not None
    assert of_company is not None
    wanted = {"email": "ada@example.com", "country": "DE", "name": "Ada Lovelace", "company": None}
    assert told.items() <= wanted.items()
    assert of_company.items() <= {"name": "Example GmbH", "country": "DE"}.items()
    await crm.archive_contact(contact)
    await crm.archive_company(company)
    assert await crm.look_at_contact(contact) is None
    assert await crm.look_at_company(company) is None
    assert await crm.look_at_contact("0") is None


async def test_to_archive_what_never_was_changes_nothing(crm: Crm) -> None:
    for nobody in ("0", "none"):
        await crm.archive_contact(nobody)
        await crm.archive_company(nobody)
    assert await _contact(crm)


@pytest.mark.parametrize("name", NAMES)
async def test_a_contact_may_be_named_in_any_script(crm: Crm, name: str) -> None:
    async def create() -> str:
        return await crm.create_contact(
            "prd_1", email="ada@example.com", country="DE", name=name, company=None
        )

    assert await create() == await create()


async def test_a_letter_arrives_as_it_was_written(post: Post) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    await post.mail.send(
        message_id="<prd_1@example.com>",
        to="ada@example.com",
        subject="Willkommen, 山田 太郎 👩‍🚀 " + "und noch mehr " * 12 + "Ende",
        text="Hallo Ольга,\n\n.\nzwei Zeilen: " + "lang " * 400 + "\n",
    )
    [letter] = await post.arrived()
    assert letter.message_id == "<prd_1@example.com>"
    assert letter.recipients == ("ada@example.com",)
    assert letter.subject == "Willkommen, 山田 太郎 👩‍🚀 " + "und noch mehr " * 12 + "Ende"
    text = letter.text.replace("\r\n", "\n")
    assert text == "Hallo Ольга,\n\n.\nzwei Zeilen: " + "lang " * 400 + "\n"
    assert letter.received_at > before


async def test_two_of_one_letter_have_one_message_id(post: Post) -> None:
    async def send() -> None:
        await post.mail.send(
            message_id="<prd_1@example.com>", to="ada@example.com", subject="Hello", text="Hello\n"
        )

    await asyncio.gather(send(), send())
    # A mail server takes both; whoever reads them sees that they are one letter.
    assert {letter.message_id for letter in await post.arrived()} == {"<prd_1@example.com>"}
