"""Who acts is vouched for here: the gateway signs each decision with the caller it recognised."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workflows.actor import Actor, Decision, SignedActor, signing_bytes

VALID_FOR = timedelta(minutes=5)
"""How long a signature counts, from the moment that the decision came in."""

Made = TypeVar("Made", bound=Decision)


class Signer:
    """Signs actors with the gateway's key, which workers know by `name`."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._name = name
        self._key = key

    def sign(
        self, make: Callable[[SignedActor], Made], *, workflow_id: str, update: str, by: Actor
    ) -> Made:
        """The decision that `make` makes, signed for this process, update and actor alone.

        Its update id is new: send the update under it.
        """
        unsigned = SignedActor(
            actor=by,
            update_id=str(uuid4()),
            expires_at=datetime.now(UTC) + VALID_FOR,
            signing_key=self._name,
            signature="",
        )
        decision = make(unsigned)
        signature = self._key.sign(
            signing_bytes(
                workflow_id=workflow_id,
                update=update,
                content=decision.content_hash(),
                by=by,
                update_id=unsigned.update_id,
                expires_at=unsigned.expires_at,
            )
        )
        signed = {"signature": base64.b64encode(signature).decode()}
        return decision.model_copy(update={"by": unsigned.model_copy(update=signed)})
