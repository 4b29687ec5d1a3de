from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from gateway.callers import ApiKey, Caller, Callers, KeysUnreadable, read_callers, tenant_to_see
from gateway.problems import Problem


def key(name: str, secret: str, tenant: str | None = "acme") -> ApiKey:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return ApiKey(name=name, kind="person", tenant=tenant, roles=("operator",), sha256=digest)


def of_tenant(tenant: str | None) -> Caller:
    return Callers([key("ada", "one", tenant=tenant)]).recognise("Bearer one")


CALLERS = Callers([key("ada", "one"), key("olga", "two"), key("iris", "three")])


@pytest.mark.parametrize(("secret", "name"), [("one", "ada"), ("two", "olga"), ("three", "iris")])
def test_a_key_says_who_calls(secret: str, name: str) -> None:
    assert CALLERS.recognise(f"Bearer {secret}").name == name
    assert CALLERS.recognise(f"bearer  {secret} ").name == name


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer four", "Basic one", "one", "Bearer ünï"]
)
def test_nobody_else_is_let_in(header: str | None) -> None:
    with pytest.raises(Problem) as caught:
        CALLERS.recognise(header)
    assert caught.value.status_code == 401
    assert (caught.value.headers or {})["WWW-Authenticate"] == "Bearer"


def test_a_key_of_one_tenant_sees_that_tenant_only() -> None:
    caller = of_tenant("acme")
    assert caller.may_see("acme")
    assert not caller.may_see("other")
    assert not caller.may_see(None)
    assert tenant_to_see(caller, None) == tenant_to_see(caller, "acme") == "acme"
    with pytest.raises(Problem) as caught:
        tenant_to_see(caller, "other")
    assert caught.value.status_code == 403


def test_a_key_of_all_tenants_sees_every_tenant() -> None:
    caller = of_tenant(None)
    assert caller.may_see("acme")
    assert tenant_to_see(caller, None) is None
    assert tenant_to_see(caller, "other") == "other"


def test_keys_are_read_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "api_keys.json"
    file.write_text(json.dumps([key("ada", "one").model_dump()]))
    assert read_callers(file).recognise("Bearer one").name == "ada"


@pytest.mark.parametrize("change", [{"sha256": "5" * 63}, {"roles": ["boss"]}, {"tenant": "A B"}])
def test_a_file_that_cannot_be_used_says_why_and_shows_no_hash(
    tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / "api_keys.json"
    file.write_text(json.dumps([key("ada", "one").model_dump() | change]))
    with pytest.raises(KeysUnreadable) as caught:
        read_callers(file)
    assert str(file) in str(caught.value)
    assert next(iter(change)) in str(caught.value)
    assert "5555" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeysUnreadable, match="cannot be read"):
        read_callers(tmp_path / "none.json")
