"""Decisions count only with the gateway's signature over exactly them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.process import ActorRefused, ProcessActivities
from gateway import actors
from gateway.actors import Signer
from workflows.actor import Actor, Decision
from workflows.decisions import Resolution, VerifyActor
from workflows.progress import Choice

KEY, OLD_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC_KEYS = {"new": KEY.public_key(), "old": OLD_KEY.public_key()}
OLGA = Actor(name="olga", kind="person", roles=("operator",))
PROCESS = "onboarding/acme/abc"


def activities() -> ProcessActivities:
    nothing = cast(Any, None)  # verifying needs neither database nor mail
    return ProcessActivities(nothing, nothing, public_keys=PUBLIC_KEYS, operators=None)


def resolution(by: Any, action: Choice = "retry") -> Resolution:
    return Resolution(reason="looked", by=by, step="billing.create_customer", action=action)


def signed(signer: Signer | None = None, by: Actor = OLGA) -> Resolution:
    signer = signer or Signer("new", KEY)
    return signer.sign(resolution, workflow_id=PROCESS, update="resolve", by=by)


def as_it_comes_in(decision: Resolution, **changed: Any) -> VerifyActor:
    """What a process asks its worker, after the decision has travelled as JSON."""
    arrived = Resolution.model_validate_json(decision.model_dump_json())
    asked = VerifyActor(
        workflow_id=PROCESS,
        update="resolve",
        update_id=arrived.by.update_id,
        decision=Decision(reason=arrived.reason, by=arrived.by),
        content=arrived.content_hash(),
        roles=("operator", "admin"),
    )
    return asked.model_copy(update=changed)


async def test_what_the_gateway_signed_is_let_through() -> None:
    await activities().verify_actor(as_it_comes_in(signed()))


async def test_an_older_key_counts_while_keys_are_exchanged() -> None:
    await activities().verify_actor(as_it_comes_in(signed(Signer("old", OLD_KEY))))


def _by(decision: Resolution, **changed: Any) -> Resolution:
    return decision.model_copy(update={"by": decision.by.model_copy(update=changed)})


ALTERED: dict[str, Callable[[Resolution], VerifyActor]] = {
    "another process": lambda d: as_it_comes_in(d, workflow_id="onboarding/acme/xyz"),
    "another update": lambda d: as_it_comes_in(d, update="withdraw"),
    "replayed under a new update id": lambda d: as_it_comes_in(d, update_id="another"),
    "another action": lambda d: as_it_comes_in(d.model_copy(update={"action": "abort"})),
    "another step": lambda d: as_it_comes_in(d.model_copy(update={"step": "notice.welcome"})),
    "another reason": lambda d: as_it_comes_in(d.model_copy(update={"reason": "no reason"})),
    "a corrected version slipped in": lambda d: as_it_comes_in(d.model_copy(update={"version": 2})),
    "for others than may": lambda d: as_it_comes_in(d, roles=("admin",)),
    "another name": lambda d: as_it_comes_in(_by(d, actor=OLGA.model_copy(update={"name": "ada"}))),
    "more roles": lambda d: as_it_comes_in(
        _by(d, actor=OLGA.model_copy(update={"roles": ("operator", "admin")}))
    ),
    "another kind": lambda d: as_it_comes_in(
        _by(d, actor=OLGA.model_copy(update={"kind": "service"}))
    ),
    "a longer life": lambda d: as_it_comes_in(
        _by(d, expires_at=d.by.expires_at + timedelta(days=1))
    ),
    "the name of another key": lambda d: as_it_comes_in(_by(d, signing_key="old")),
    "the name of no key": lambda d: as_it_comes_in(_by(d, signing_key="unknown")),
    "no signature": lambda d: as_it_comes_in(_by(d, signature="")),
    "no base64": lambda d: as_it_comes_in(_by(d, signature="%%%")),
    "update id changed with it": lambda d: as_it_comes_in(_by(d, update_id="x"), update_id="x"),
}


@pytest.mark.parametrize("how", ALTERED)
async def test_what_is_altered_or_replayed_is_refused(how: str) -> None:
    with pytest.raises(ActorRefused) as refused:
        await activities().verify_actor(ALTERED[how](signed()))
    assert refused.value.non_retryable


async def test_a_signature_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors, "VALID_FOR", timedelta(seconds=-1))
    decision = signed()
    assert decision.by.expires_at < datetime.now(UTC)
    with pytest.raises(ActorRefused, match="expired"):
        await activities().verify_actor(as_it_comes_in(decision))


async def test_the_role_must_be_one_that_may() -> None:
    service = Actor(name="shop", kind="service", roles=("service",))
    with pytest.raises(ActorRefused, match="role"):
        await activities().verify_actor(as_it_comes_in(signed(by=service)))


async def test_a_key_of_somebody_else_is_refused() -> None:
    forger = Signer("new", Ed25519PrivateKey.generate())
    with pytest.raises(ActorRefused, match="not ours"):
        await activities().verify_actor(as_it_comes_in(signed(forger)))
