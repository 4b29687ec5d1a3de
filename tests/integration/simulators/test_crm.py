"""The CRM does with contacts and companies what HubSpot would."""

from typing import Any

import httpx
import pytest

from tests.simulated_api import SimulatedApi

CONTACTS = "/crm/v3/objects/contacts"
COMPANIES = "/crm/v3/objects/companies"
UNIQUE = "perdure_onboarding_id"
EVERYTHING = f"email,firstname,lastname,company,country,name,domain,{UNIQUE}"
ITS_OWN = {"createdate", "lastmodifieddate", "hs_object_id"}


def one(key: str, by: str = UNIQUE, **properties: str) -> dict[str, Any]:
    return {"id": key, "idProperty": by, "properties": properties}


async def upsert(crm: SimulatedApi, *inputs: dict[str, Any], kind: str = CONTACTS) -> Any:
    answer = await crm.request("POST", f"{kind}/batch/upsert", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def refused(crm: SimulatedApi, *inputs: dict[str, Any], kind: str = CONTACTS) -> str:
    """What the upsert of these is refused as."""
    answer = await crm.request("POST", f"{kind}/batch/upsert", json={"inputs": inputs})
    return refusal(answer)


def refusal(answer: httpx.Response) -> str:
    error = answer.json()
    assert error["status"] == "error"
    return f"{answer.status_code} {error['category']}"


async def create(crm: SimulatedApi, kind: str = CONTACTS, **properties: str) -> httpx.Response:
    body = {"properties": properties, "associations": []}
    return await crm.request("POST", kind, json=body)


async def there(crm: SimulatedApi, kind: str = CONTACTS) -> list[dict[str, str]]:
    """What whoever wrote them said about the records, oldest first."""
    answer = await crm.request("GET", kind, params={"properties": EVERYTHING, "limit": 100})
    return [
        {name: value for name, value in each["properties"].items() if name not in ITS_OWN}
        for each in answer.json()["results"]
    ]


@pytest.mark.parametrize(("kind", "field"), [(CONTACTS, "lastname"), (COMPANIES, "name")])
async def test_an_upsert_creates_and_then_changes(crm: SimulatedApi, kind: str, field: str) -> None:
    [made] = await upsert(crm, one("a", **{field: "Example", "country": "DE"}), kind=kind)
    [changed] = await upsert(crm, one("a", **{field: "Sample"}), kind=kind)
    assert (made["new"], changed["new"]) == (True, False)
    assert changed["id"] == made["id"]
    assert changed["createdAt"] == made["createdAt"]
    assert changed["updatedAt"] > made["updatedAt"]
    assert await there(crm, kind) == [{field: "Sample", "country": "DE", UNIQUE: "a"}]


async def test_the_same_key_twice_in_a_batch_is_one_record(crm: SimulatedApi) -> None:
    made, changed = await upsert(crm, one("a", lastname="Ada"), one("a", country="DE"))
    assert (made["id"], made["new"]) == (changed["id"], True)
    assert changed["new"] is False
    assert await there(crm) == [{"lastname": "Ada", "country": "DE", UNIQUE: "a"}]


async def test_a_contact_is_found_by_its_address_however_it_is_written(crm: SimulatedApi) -> None:
    [made] = await upsert(crm, one("Ada@Example.com", "email", country="DE"))
    [changed] = await upsert(crm, one("ADA@example.com ", "email", country="FR"))
    [linked] = await upsert(crm, one("a", email="b@example.com"))
    assert changed["id"] == made["id"] != linked["id"]
    assert await there(crm) == [
        {"email": "ada@example.com", "country": "FR"},
        {"email": "b@example.com", UNIQUE: "a"},
    ]


async def test_an_empty_text_unsets_and_is_nobodys(crm: SimulatedApi) -> None:
    await upsert(crm, one("a", email="ada@example.com", country="DE"))
    await upsert(crm, one("a", email="", country=""))
    for _ in range(2):
        assert (await create(crm, **{UNIQUE: "", "email": "", "country": "FR"})).status_code == 201
    assert await there(crm) == [{UNIQUE: "a"}, {"country": "FR"}, {"country": "FR"}]


async def test_two_contacts_do_not_share_an_address(crm: SimulatedApi) -> None:
    await upsert(crm, one("a", email="ada@example.com"), one("b", email="b@example.com"))
    await upsert(crm, one("a", **{UNIQUE: "a"}, email="ada@example.com"))  # its own
    before = await there(crm)
    assert await refused(crm, one("c", email="ADA@example.com")) == "409 CONFLICT"
    assert await refused(crm, one("b", email="ada@example.com")) == "409 CONFLICT"
    assert refusal(await create(crm, email="ada@example.com")) == "409 CONFLICT"
    assert refusal(await create(crm, **{UNIQUE: "a"})) == "409 CONFLICT"
    assert await there(crm) == before


async def test_contacts_and_companies_do_not_share_keys(crm: SimulatedApi) -> None:
    [contact] = await upsert(crm, one("a"))
    [company] = await upsert(crm, one("a"), kind=COMPANIES)
    assert contact["new"]
    assert company["new"]
    wrong_kind = await crm.request("GET", f"{COMPANIES}/{contact['id']}")
    assert refusal(wrong_kind) == "404 OBJECT_NOT_FOUND"


async def test_one_that_fails_fails_the_batch(crm: SimulatedApi) -> None:
    await upsert(crm, one("a", email="ada@example.com", country="DE"))
    before = await there(crm)
    batch = [one("b"), one("a", country="FR"), one("c", email="ada@example.com")]
    assert await refused(crm, *batch) == "409 CONFLICT"
    assert await there(crm) == before
    halfway = [each | {"objectWriteTraceId": "1"} for each in batch[:2]] + batch[2:]
    assert await refused(crm, *halfway) == "409 CONFLICT"
    assert await there(crm) == before


async def test_each_stands_for_itself_where_all_are_traced(crm: SimulatedApi) -> None:
    await upsert(crm, one("a", email="ada@example.com"))
    batch = [one("b"), one("c", email="ada@example.com"), one("d", moon="1")]
    traced = [each | {"objectWriteTraceId": f"trace {each['id']}"} for each in batch]
    answer = await crm.request("POST", f"{CONTACTS}/batch/upsert", json={"inputs": traced})
    assert answer.status_code == 207
    told = answer.json()
    assert [each["objectWriteTraceId"] for each in told["results"]] == ["trace b"]
    assert told["numErrors"] == 2
    assert [(each["category"], each["context"]) for each in told["errors"]] == [
        ("CONFLICT", {"objectWriteTraceId": ["trace c"]}),
        ("VALIDATION_ERROR", {"objectWriteTraceId": ["trace d"]}),
    ]
    assert [each.get(UNIQUE) for each in await there(crm)] == ["a", "b"]
    again = await crm.request("POST", f"{CONTACTS}/batch/upsert", json={"inputs": traced[:1]})
    assert again.status_code == 200
    assert "numErrors" not in again.json()


@pytest.mark.parametrize(
    "wrong",
    [
        one("a", moon="1"),
        one("a", email="nobody"),
        one("nobody", "email"),
        one("", "email"),
        one(""),
        one("Ada", "lastname"),
        {"id": "a", "properties": {}},
        {"idProperty": UNIQUE, "properties": {}},
        {"id": "a", "idProperty": UNIQUE, "properties": {"country": None}},
        {**one("a"), "moon": "1"},
    ],
)
async def test_a_wrong_input_is_refused(crm: SimulatedApi, wrong: dict[str, Any]) -> None:
    assert await refused(crm, one("right"), wrong) == "400 VALIDATION_ERROR"
    assert await there(crm) == []


async def test_a_company_has_no_address(crm: SimulatedApi) -> None:
    wrong = one("a", email="ada@example.com")
    assert await refused(crm, wrong, kind=COMPANIES) == "400 VALIDATION_ERROR"
    by_address = one("ada@example.com", "email")
    assert await refused(crm, by_address, kind=COMPANIES) == "400 VALIDATION_ERROR"


@pytest.mark.parametrize(
    "body",
    [
        {"properties": {"moon": "1"}, "associations": []},
        {"properties": {}},
        {"properties": {}, "associations": [{"to": {"id": "1"}, "types": []}]},
    ],
)
async def test_a_wrong_record_is_refused(crm: SimulatedApi, body: dict[str, Any]) -> None:
    assert refusal(await crm.request("POST", CONTACTS, json=body)) == "400 VALIDATION_ERROR"
    assert await there(crm) == []


async def test_a_batch_has_between_one_and_a_hundred(crm: SimulatedApi) -> None:
    hundred = [one(str(number)) for number in range(100)]
    assert len(await upsert(crm, *hundred)) == 100
    assert await refused(crm) == "400 VALIDATION_ERROR"
    assert await refused(crm, *hundred, one("one too many")) == "400 VALIDATION_ERROR"
    assert len(await there(crm)) == 100


async def test_a_record_is_read_by_its_number_or_by_what_is_unique(crm: SimulatedApi) -> None:
    [made] = await upsert(crm, one("a", email="ada@example.com", lastname="Ada", country="DE"))
    for path in (made["id"], f"a?idProperty={UNIQUE}", "ada@example.com?idProperty=email"):
        found = await crm.request("GET", f"{CONTACTS}/{path}")
        assert found.json()["id"] == made["id"], path
        assert "country" not in found.json()["properties"]
    told = await crm.request("GET", f"{CONTACTS}/{made['id']}?properties=country,{UNIQUE}")
    assert told.json()["properties"].items() >= {("country", "DE"), (UNIQUE, "a")}
    by_name = await crm.request("GET", f"{CONTACTS}/Ada?idProperty=lastname")
    assert refusal(by_name) == "400 VALIDATION_ERROR"
    nobody = await crm.request("GET", f"{CONTACTS}/b@example.com?idProperty=email")
    assert refusal(nobody) == "404 OBJECT_NOT_FOUND"


async def test_what_was_put_away_is_nowhere_and_what_was_unique_is_free(crm: SimulatedApi) -> None:
    [made] = await upsert(crm, one("a", email="ada@example.com"))
    for _ in range(2):
        assert (await crm.request("DELETE", f"{CONTACTS}/{made['id']}")).status_code == 204
    gone = await crm.request("GET", f"{CONTACTS}/{made['id']}")
    assert refusal(gone) == "404 OBJECT_NOT_FOUND"
    assert await there(crm) == []
    [again] = await upsert(crm, one("a", email="ada@example.com"))
    assert again["new"] is True
    assert int(again["id"]) > int(made["id"])


async def test_only_what_is_asked_for_is_put_away(crm: SimulatedApi) -> None:
    [contact] = await upsert(crm, one("a"))
    assert (await crm.request("DELETE", f"{COMPANIES}/{contact['id']}")).status_code == 204
    assert await there(crm) == [{UNIQUE: "a"}]


async def test_pages_follow_each_other(crm: SimulatedApi) -> None:
    made = await upsert(crm, *(one(str(number)) for number in range(12)))
    await crm.request("DELETE", f"{CONTACTS}/{made[3]['id']}")
    seen: list[str] = []
    after: dict[str, str] = {}
    for expected in (5, 5, 1):
        page = (await crm.request("GET", CONTACTS, params={"limit": "5", **after})).json()
        assert len(page["results"]) == expected
        seen += [each["id"] for each in page["results"]]
        after = page.get("paging", {}).get("next", {})
    assert after == {}
    assert seen == [each["id"] for each in made[:3] + made[4:]]
    usual = (await crm.request("GET", CONTACTS)).json()
    assert len(usual["results"]) == 10


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "after=x", f"after={'9' * 30}", "color=red"),
        *("archived=true", "associations=companies", "propertiesWithHistory=email"),
    ],
)
async def test_a_wrong_query_is_refused(crm: SimulatedApi, query: str) -> None:
    assert refusal(await crm.request("GET", f"{CONTACTS}?{query}")) == "400 VALIDATION_ERROR"


async def test_what_is_no_json_is_refused(crm: SimulatedApi) -> None:
    for content in (b"", b"{", b"[]", b"\xff"):
        answer = await crm.request("POST", CONTACTS, content=content)
        assert refusal(answer) == "400 VALIDATION_ERROR"
