"""Who calls: API keys, each of one person or one service, with its tenant and its roles."""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from gateway.applicants import ApplicantTokens
from gateway.problems import FieldError, Problem, not_found
from gateway.roles import in_words, takes_a_person, who_may
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
    """Everybody who may call: keys of people and services, and applicants by their tokens."""

    def __init__(self, keys: Sequence[ApiKey], applicants: ApplicantTokens | None = None) -> None:
        self._keys = tuple(keys)
        self._applicants = applicants

    def recognise(self, authorization: str | None) -> "Caller":
        """Who an `Authorization` header names. Raises Problem (401)."""
        scheme, _, given = (authorization or "").partition(" ")
        key = given.strip()
        found = self._applicant(key) or self._of_key(key)
        if found is None or scheme.lower() != "bearer":
            raise Problem(
                401,
                "not-recognised",
                "Send your API key as `Authorization: Bearer …`; nobody has the one that was sent."
                if authorization
                else "Send your API key as `Authorization: Bearer …`.",
                headers=_BEARER,
            )
        return found

    def is_person(self, name: str, tenant: str) -> bool:
        """Whether a person who may act for `tenant` has a key of this name."""
        return any(
            one.name == name and one.kind == "person" and one.tenant in (None, tenant)
            for one in self._keys
        )

    def _of_key(self, key: str) -> "Caller | None":
        digest = hashlib.sha256(key.encode()).hexdigest()
        found = None
        # Over all keys, so that the time says nothing about which are close.
        for one in self._keys:
            if hmac.compare_digest(one.sha256, digest):
                found = one
        if found is None:
            return None
        actor = Actor(name=found.name, kind=found.kind, roles=found.roles)
        return Caller(actor, found.tenant)

    def _applicant(self, token: str) -> "Caller | None":
        about = self._applicants.accept(token) if self._applicants else None
        if about is None:
            return None
        if about.until <= time.time():
            raise Problem(
                401,
                "token-expired",
                "The token has expired: have whoever gave it to you make a new one.",
                headers=_BEARER,
            )
        name = f"applicant/{about.onboarding}"
        actor = Actor(name=name, kind="person", roles=("applicant",))
        return Caller(actor, about.tenant, about.onboarding)


_BEARER = {"WWW-Authenticate": "Bearer"}


def read_callers(file: Path, applicants: ApplicantTokens | None = None) -> Callers:
    """The callers in a file, a JSON list of keys, and applicants. Raises KeysUnreadable."""
    try:
        keys = TypeAdapter(list[ApiKey]).validate_json(file.read_bytes())
        return Callers(keys, applicants)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise KeysUnreadable(f"The API keys in {file} cannot be used: {problems}") from None
    except OSError as error:
        raise KeysUnreadable(f"The API keys cannot be read: {error}") from error


@dataclass(frozen=True)
class Caller:
    """Who makes this request. An applicant sees `onboarding` alone."""

    actor: Actor
    tenant: str | None
    onboarding: str | None = None

    @property
    def name(self) -> str:
        """The name of the key: rates are kept by it."""
        return self.actor.name

    def has_any(self, *roles: Role) -> bool:
        """Whether the caller has one of these roles."""
        return not set(roles).isdisjoint(self.actor.roles)

    @property
    def hears_reasons(self) -> bool:
        """Whether our own reasons, and what waits for somebody, are for them: not for services."""
        return self.has_any("reviewer", "senior_reviewer", "operator", "admin")

    @property
    def on_behalf_of(self) -> Literal["applicant"] | None:
        """For whom the caller decides: support acts for applicants, others on their own."""
        return "applicant" if self.has_any("support") else None

    def may_see(self, tenant: str | None) -> bool:
        """Whether what belongs to `tenant` is there for this caller at all."""
        return self.tenant is None or self.tenant == tenant


def caller_of(request: Request) -> Caller:
    """The caller that the door recognised."""
    caller: Caller = request.scope["caller"]
    return caller


def allowed(request: Request) -> Caller:
    """The caller, whom the table of roles lets use this operation.

    Of onboardings an applicant sees their own alone. Raises Problem (403 or 404).
    """
    caller = caller_of(request)
    method, path = request.method, request.scope["route"].path
    roles = who_may(method, path)
    if not caller.has_any(*roles):
        raise Problem(403, "role-missing", f"This takes a key with the role {in_words(roles)}.")
    if takes_a_person(method, path) and caller.actor.kind != "person":
        raise Problem(
            403,
            "not-a-person",
            "People decide about this, and this key is a service's: send a key of your own, which "
            "the file of API keys has with the kind `person`.",
        )
    if caller.onboarding not in (None, request.path_params.get("id")):
        raise not_found("onboarding")
    return caller


Allowed = Annotated[Caller, Depends(allowed)]
"""Who makes this request, and may."""


def must_be_impartial(caller: Caller, form: Mapping[str, Any]) -> None:
    """Whoever looks after an applicant judges nothing about them. Raises Problem (403).

    Any: the application's own.
    """
    if form.get("account_manager") == caller.name:
        raise Problem(403, "excluded", "Whoever looks after an applicant does not judge them.")


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
