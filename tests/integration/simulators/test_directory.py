"""The directory does with users and groups what SCIM says."""

from typing import Any

import httpx
import pytest

from tests.simulated_api import SimulatedApi

USERS = "/v2/Users"
GROUPS = "/v2/Groups"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"


def user(name: str, **fields: Any) -> dict[str, Any]:
    return {"schemas": [f"{CORE}:User"], "userName": name, **fields}


def group(name: str, **fields: Any) -> dict[str, Any]:
    return {"schemas": [f"{CORE}:Group"], "displayName": name, **fields}


def joining(*users: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": each} for each in users]}


def leaving(user_id: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{user_id}"]'}


async def made(directory: SimulatedApi, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await directory.request("POST", path, json=body)
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def create(directory: SimulatedApi, path: str, body: dict[str, Any]) -> str:
    return str((await made(directory, path, body))["id"])


async def patch(
    directory: SimulatedApi, path: str, *operations: dict[str, Any], **given: Any
) -> httpx.Response:
    body = {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": operations}
    return await directory.request("PATCH", path, json=body, **given)


async def members(directory: SimulatedApi, group_id: str) -> list[str]:
    found = (await directory.request("GET", f"{GROUPS}/{group_id}")).json()
    return [member["value"] for member in found.get("members", ())]


async def listed(directory: SimulatedApi, path: str, **query: str | int) -> dict[str, Any]:
    answer = await directory.request("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_what_is_created_is_answered_and_there(directory: SimulatedApi) -> None:
    for path, body in (
        (USERS, user("ada@example.com", externalId="k", active=True)),
        (GROUPS, group("acme", externalId="k")),
    ):
        made = await directory.request("POST", path, json=body)
        assert made.status_code == 201
        assert made.headers["Content-Type"] == "application/scim+json"
        assert made.json().items() >= body.items()
        location = made.json()["meta"]["location"]
        assert made.headers["Location"] == location == f"{directory.url}{path}/{made.json()['id']}"
        found = await directory.request("GET", location.removeprefix(directory.url))
        assert found.json() == made.json()


async def test_two_users_do_not_share_a_name(directory: SimulatedApi) -> None:
    await create(directory, USERS, user("ada@example.com"))
    other = await create(directory, USERS, user("b@example.com"))
    rename = {"op": "replace", "path": "userName", "value": "ada@example.com"}
    for answer in (
        await directory.request("POST", USERS, json=user("ADA@example.com")),
        await patch(directory, f"{USERS}/{other}", rename),
    ):
        assert answer.status_code == 409
        assert answer.json()["scimType"] == "uniqueness"
    names = [each["userName"] for each in (await listed(directory, USERS))["Resources"]]
    assert sorted(names) == ["ada@example.com", "b@example.com"]


async def test_the_name_of_a_deleted_user_is_free(directory: SimulatedApi) -> None:
    first = await create(directory, USERS, user("ada@example.com"))
    assert (await directory.request("DELETE", f"{USERS}/{first}")).status_code == 204
    assert await create(directory, USERS, user("ada@example.com")) != first


@pytest.mark.parametrize(
    "body",
    [
        {"schemas": [f"{CORE}:User"]},
        user("ada@example.com", active="perhaps"),
        user("ada@example.com", emails="ada@example.com"),
    ],
)
async def test_a_wrong_user_is_refused(directory: SimulatedApi, body: dict[str, Any]) -> None:
    answer = await directory.request("POST", USERS, json=body)
    assert answer.status_code == 400
    assert answer.json()["schemas"] == [f"{MESSAGES}:Error"]
    assert (await listed(directory, USERS))["totalResults"] == 0


async def test_entries_are_found_by_the_key_of_whoever_made_them(directory: SimulatedApi) -> None:
    for name in ("a", "b"):
        await create(directory, USERS, user(f"{name}@example.com", externalId=name))
        await create(directory, GROUPS, group(name, externalId=name))
    found = await listed(directory, USERS, filter='externalId eq "b"')
    assert [each["userName"] for each in found["Resources"]] == ["b@example.com"]
    found = await listed(directory, GROUPS, filter='externalId eq "a"')
    assert [each["displayName"] for each in found["Resources"]] == ["a"]
    for nobody in ("B", "c"):  # keys are kept exactly as they were written
        found = await listed(directory, USERS, filter=f'externalId eq "{nobody}"')
        assert found["totalResults"] == 0
    wrong = await directory.request("GET", USERS, params={"filter": "externalId eq"})
    assert wrong.status_code == 400
    assert wrong.json()["scimType"] == "invalidFilter"


async def test_members_join_and_leave_once(directory: SimulatedApi) -> None:
    ada = await create(directory, USERS, user("ada@example.com"))
    bob = await create(directory, USERS, user("bob@example.com"))
    acme = await create(directory, GROUPS, group("acme"))
    tags: list[str] = []
    for operation, expected in (
        (joining(ada), [ada]),
        (joining(ada), [ada]),
        (joining(ada, bob), [ada, bob]),
        (leaving(ada), [bob]),
        (leaving(ada), [bob]),
        (joining(ada), [bob, ada]),
    ):
        answer = await patch(directory, f"{GROUPS}/{acme}", operation)
        assert answer.status_code == 204, answer.text
        assert await members(directory, acme) == expected
        tags.append(answer.headers["ETag"])
    # What changed nothing made no version.
    assert [tags.index(tag) for tag in tags] == [0, 0, 2, 3, 3, 5]


async def test_a_patch_does_all_or_nothing(directory: SimulatedApi) -> None:
    ada = await create(directory, USERS, user("ada@example.com"))
    acme = await create(directory, GROUPS, group("acme"))
    wrong = {"op": "replace", "path": "moon", "value": "1"}
    answer = await patch(directory, f"{GROUPS}/{acme}", joining(ada), wrong)
    assert answer.status_code == 400
    assert await members(directory, acme) == []


async def test_who_is_deleted_leaves_all_groups(directory: SimulatedApi) -> None:
    ada = await create(directory, USERS, user("ada@example.com"))
    bob = await create(directory, USERS, user("bob@example.com"))
    both = await create(directory, GROUPS, group("both", members=[{"value": ada}, {"value": bob}]))
    alone = await create(directory, GROUPS, group("alone", members=[{"value": ada}]))
    other = await create(directory, GROUPS, group("other", members=[{"value": bob}]))
    paths = [f"{GROUPS}/{each}" for each in (both, alone, other)]
    before = [(await directory.request("GET", path)).headers["ETag"] for path in paths]

    assert (await directory.request("DELETE", f"{USERS}/{ada}")).status_code == 204

    assert [await members(directory, each) for each in (both, alone, other)] == [[bob], [], [bob]]
    after = [(await directory.request("GET", path)).headers["ETag"] for path in paths]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]
    gone = await directory.request("DELETE", f"{USERS}/{ada}")
    assert (gone.status_code, gone.json()["status"]) == (404, "404")


async def test_every_change_makes_a_new_version(directory: SimulatedApi) -> None:
    made = await directory.request("POST", USERS, json=user("ada@example.com"))
    path = f"{USERS}/{made.json()['id']}"
    first = made.headers["ETag"]
    assert first == made.json()["meta"]["version"]
    rename = {"op": "replace", "path": "displayName", "value": "Ada"}
    second = (await patch(directory, path, rename)).headers["ETag"]
    assert second != first
    found = await directory.request("GET", path, headers={"If-None-Match": second})
    assert (found.status_code, found.content) == (304, b"")
    found = await directory.request("GET", path, headers={"If-None-Match": first})
    assert (found.status_code, found.json()["displayName"]) == (200, "Ada")
    assert found.json()["meta"]["version"] == second


async def test_nothing_is_done_to_a_version_that_is_gone(directory: SimulatedApi) -> None:
    made = await directory.request("POST", USERS, json=user("ada@example.com"))
    path, old = f"{USERS}/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
    ada, bob = ({"op": "replace", "path": "displayName", "value": name} for name in ("Ada", "Bob"))
    now = {"If-Match": (await patch(directory, path, ada, headers=old)).headers["ETag"]}
    late = await patch(directory, path, bob, headers=old)
    assert late.status_code == 412
    assert (await directory.request("DELETE", path, headers=old)).status_code == 412
    assert (await directory.request("GET", path)).json()["displayName"] == "Ada"
    assert (await directory.request("DELETE", path, headers=now)).status_code == 204


async def test_pages_follow_each_other(directory: SimulatedApi) -> None:
    made = {await create(directory, USERS, user(f"{number}@example.com")) for number in range(5)}
    seen: list[str] = []
    for start, expected in ((1, 2), (3, 2), (5, 1), (6, 0)):
        page = await listed(directory, USERS, startIndex=start, count=2)
        assert (page["totalResults"], page["startIndex"]) == (5, start)
        assert page["itemsPerPage"] == len(page["Resources"]) == expected
        seen += [each["id"] for each in page["Resources"]]
    assert len(seen) == 5
    assert set(seen) == made
