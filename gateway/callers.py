"""Who calls: API keys, each of one person or one service, with its tenant and its roles."""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from gateway.problems import FieldError, Problem
from workflows.actor import Actor, Role

Tenant = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class ApiKey(BaseModel):
    """A key as its file knows it: whose it is, and the hash of it. `tenant` None is all tenants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: Literal["person", "service"]
    tenant: Tenant | None
    roles: tuple[Role, ...]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class KeysUnreadable(ValueError):
    """The file of API keys cannot be used. The text says why, without any hash."""


class Callers:
    """Everybody who may call."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def recognise(self, authorization: str | None) -> ApiKey:
        """The key of an `Authorization` header. Raises Problem (401)."""
        scheme, _, key = (authorization or "").partition(" ")
        digest = hashlib.sha256(key.strip().encode()).hexdigest()
        found = None
        # Over all keys, so that the time says nothing about which are close.
        for one in self._keys:
            if hmac.compare_digest(one.sha256, digest):
                found = one
        if found is None or scheme.lower() != "bearer":
            raise Problem(
                401,
                "not-recognised",
                "Send your API key as `Authorization: Bearer …`; nobody has the one that was sent."
                if authorization
                else "Send your API key as `Authorization: Bearer …`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return found

    def is_person(self, name: str, tenant: str) -> bool:
        """Whether a person who may act for `tenant` has a key of this name."""
        return any(
            one.name == name and one.kind == "person" and one.tenant in (None, tenant)
            for one in self._keys
        )


def read_callers(file: Path) -> Callers:
    """The callers in a file: a JSON list of keys. Raises KeysUnreadable."""
    try:
        return Callers(TypeAdapter(list[ApiKey]).validate_json(file.read_bytes()))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise KeysUnreadable(f"The API keys in {file} cannot be used: {problems}") from None
    except OSError as error:
        raise KeysUnreadable(f"The API keys cannot be read: {error}") from error


class Caller:
    """Who makes this request."""

    def __init__(self, key: ApiKey) -> None:
        self.name = key.name
        self.tenant = key.tenant
        self.roles = key.roles
        self.actor = Actor(name=key.name, kind=key.kind, roles=key.roles)

    @property
    def on_behalf_of(self) -> Literal["applicant"] | None:
        """For whom the caller decides: support acts for applicants, others on their own."""
        return "applicant" if "support" in self.roles else None

    def may_see(self, tenant: str | None) -> bool:
        """Whether what belongs to `tenant` is there for this caller at all."""
        return self.tenant is None or self.tenant == tenant


def caller_of(request: Request) -> Caller:
    """The caller that the door recognised."""
    caller: Caller = request.scope["caller"]
    return caller


class Needs:
    """A dependency: the caller has one of these roles. Raises Problem (403)."""

    def __init__(self, *roles: Role) -> None:
        self._roles = roles

    def __call__(self, request: Request) -> Caller:
        """The caller."""
        caller = caller_of(request)
        if not set(caller.roles) & set(self._roles):
            raise Problem(
                403,
                "role-missing",
                f"This takes a key with the role {' or '.join(self._roles)}.",
            )
        return caller


Anybody = Annotated[Caller, Depends(Needs("service", "support", "operator", "admin"))]
Operator = Annotated[Caller, Depends(Needs("operator", "admin"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]

AskedTenant = Annotated[
    Tenant | None,
    Query(description="Whose; only keys for all tenants need or may choose it.", alias="tenant"),
]


def tenant_to_see(caller: Caller, asked: str | None) -> str | None:
    """The tenant whose things are listed; None is all. Raises Problem (403)."""
    if asked is not None and not caller.may_see(asked):
        raise Problem(403, "other-tenant", "Your key is for one other tenant: leave `tenant` out.")
    return asked or caller.tenant


def tenant_to_act_for(caller: Caller, asked: str | None) -> str:
    """The one tenant that something is done for. Raises Problem (403 or 422)."""
    tenant = tenant_to_see(caller, asked)
    if tenant is None:
        raise Problem(
            422,
            "tenant-missing",
            "Your key is for all tenants: say which one with `?tenant=…`.",
            errors=[FieldError(field="tenant", message="is missing")],
        )
    return tenant
