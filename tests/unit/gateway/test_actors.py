"""What the gateway's signature says besides who decides; that it counts is in test_verify_actor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.actors import Signer
from workflows.actor import Actor
from workflows.onboarding.messages import Withdrawal

SIGNER = Signer("k1", Ed25519PrivateKey.generate())
OLGA = Actor(name="olga", kind="person", roles=("operator",))


def withdrawal() -> Withdrawal:
    return SIGNER.sign(
        lambda by: Withdrawal(reason="twice", by=by),
        workflow_id="onboarding/acme/one",
        update="withdraw",
        by=OLGA,
    )


def test_a_signature_counts_for_five_minutes() -> None:
    left = withdrawal().by.expires_at - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def test_each_decision_has_an_update_id_of_its_own() -> None:
    assert withdrawal().by.update_id != withdrawal().by.update_id
