"""What the gateway signs is what workers accept, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.process import ActorRefused, ProcessActivities
from gateway import actors
from gateway.actors import Signer
from workflows.actor import Actor, Decision
from workflows.decisions import Resolution, VerifyActor
from workflows.onboarding.messages import Withdrawal

PROCESS = "onboarding/acme/one"
OLGA = Actor(name="olga", kind="person", roles=("operator",))
KEY = Ed25519PrivateKey.generate()


def resolution() -> Resolution:
    return Signer("k1", KEY).sign(
        lambda by: Resolution(
            reason="looked", by=by, step="billing.create_customer", action="retry"
        ),
        workflow_id=PROCESS,
        update="resolve",
        by=OLGA,
    )


def request(decision: Decision, **changed: Any) -> VerifyActor:
    """What a process asks its worker, after the decision has travelled as JSON."""
    arrived = type(decision).model_validate_json(decision.model_dump_json())
    asked: dict[str, Any] = {
        "workflow_id": PROCESS,
        "update": "resolve",
        "update_id": arrived.by.update_id,
        "decision": Decision(reason=arrived.reason, by=arrived.by),
        "content": arrived.content_hash(),
        "roles": ("operator", "admin"),
    }
    return VerifyActor(**(asked | changed))


async def verify(asked: VerifyActor, name: str = "k1", key: Ed25519PrivateKey = KEY) -> None:
    steps = ProcessActivities(
        None,  # type: ignore[arg-type]  # it needs no database
        None,  # type: ignore[arg-type]
        public_keys={name: key.public_key()},
        operators=None,
        mail_domain="example.com",
    )
    await steps.verify_actor(asked)


async def test_a_signed_decision_is_accepted() -> None:
    await verify(request(resolution()))


def altered(**by: Any) -> Callable[[Resolution], VerifyActor]:
    def alter(decision: Resolution) -> VerifyActor:
        changed = decision.by.model_copy(update=by)
        return request(decision.model_copy(update={"by": changed}))

    return alter


ADMIN = Actor(name="olga", kind="person", roles=("operator", "admin"))


@pytest.mark.parametrize(
    "alter",
    [
        lambda signed: request(signed.model_copy(update={"action": "abort"})),
        lambda signed: request(signed.model_copy(update={"reason": "another"})),
        lambda signed: request(signed.model_copy(update={"version": 2})),
        lambda signed: request(signed, workflow_id="onboarding/acme/two"),
        lambda signed: request(signed, update="withdraw"),
        lambda signed: request(signed, update_id="of another update"),
        lambda signed: request(signed, roles=("admin",)),
        altered(actor=ADMIN),
        altered(actor=OLGA.model_copy(update={"kind": "service"})),
        altered(update_id="new"),
        altered(expires_at=datetime.now(UTC) + timedelta(hours=1)),
        altered(signature=""),
        altered(signature="not base64"),
        altered(signing_key="k2"),
    ],
)
async def test_nothing_of_it_can_be_moved_or_altered(
    alter: Callable[[Resolution], VerifyActor],
) -> None:
    with pytest.raises(ActorRefused):
        await verify(alter(resolution()))


async def test_another_gateways_key_counts_for_nothing() -> None:
    with pytest.raises(ActorRefused):
        await verify(request(resolution()), key=Ed25519PrivateKey.generate())


async def test_a_signature_counts_for_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = resolution()
    left = signed.by.expires_at - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)
    monkeypatch.setattr(actors, "VALID_FOR", timedelta(seconds=-1))
    with pytest.raises(ActorRefused, match="expired"):
        await verify(request(resolution()))


def test_each_decision_has_an_update_id_of_its_own() -> None:
    signer = Signer("k1", KEY)
    ids = {
        signer.sign(
            lambda by: Withdrawal(reason="twice", by=by),
            workflow_id=PROCESS,
            update="withdraw",
            by=OLGA,
        ).by.update_id
        for _ in range(2)
    }
    assert len(ids) == 2
