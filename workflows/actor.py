"""Who acts: a decision is taken only with the gateway's signature over exactly that decision."""

import base64
import json
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from workflows.request_key import Message, content_hash

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_E_MAIL = re.compile(r"\S@\S")
_LONG_NUMBER = re.compile(r"(?:\d[ -]?){7,}")
_NO_CONTROLS = r"(?![\s\S]*[\x00-\x1f\x7f-\x9f\u2028\u2029])"
_NO_NAME = rf"^{_NO_CONTROLS}(?![\s\S]*{_E_MAIL.pattern})(?![\s\S]*{_LONG_NUMBER.pattern})"

Role = Literal[
    "service",
    "applicant",
    "support",
    "reviewer",
    "senior_reviewer",
    "finance_operator",
    "finance_approver",
    "operator",
    "admin",
]


class Actor(Message):
    """Somebody who was recognised at the door. `name` is a name of an API key, not of a person."""

    name: str
    kind: Literal["person", "service"]
    roles: tuple[Role, ...]


class SignedActor(Message):
    """An actor bound to one decision: what the gateway vouches for, and until when.

    `signature` is Ed25519 over `signing_bytes`, in base64; `signing_key` names the key it was made
    with, so that keys can be rotated.
    """

    actor: Actor
    update_id: str
    expires_at: datetime
    signing_key: str
    signature: str


def _names_nobody(reason: str) -> str:
    if _UNFIT.search(reason):
        raise ValueError("a reason is one line of text, without control characters")
    if _E_MAIL.search(reason) or _LONG_NUMBER.search(reason):
        raise ValueError(
            "a reason is kept for good: leave e-mail addresses and long numbers out of it"
        )
    return reason


Why = Annotated[
    str,
    Field(min_length=1, max_length=500, json_schema_extra={"pattern": _NO_NAME}),
    AfterValidator(_names_nobody),
]
"""The reason of a decision, 1 to 500 characters. Histories keep it: it says why, names nobody."""


class Decision(Message):
    """What somebody decided, why, and that it was them. The content is all but `by`."""

    reason: Why
    by: SignedActor

    def content_hash(self) -> str:
        """What the signature covers of the decision itself."""
        return content_hash(self, without=frozenset({"by"}))


def signing_bytes(
    *, workflow_id: str, update: str, content: str, by: Actor, update_id: str, expires_at: datetime
) -> bytes:
    """The bytes under an actor's signature: nothing of a decision can be moved to another."""
    bound = {
        "workflow_id": workflow_id,
        "update": update,
        "content": content,
        "actor": by.name,
        "kind": by.kind,
        "roles": list(by.roles),
        "update_id": update_id,
        "expires_at": expires_at.isoformat(),
    }
    return json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()


def signature_bytes(by: SignedActor) -> bytes:
    """The raw signature. Raises ValueError where it is not base64."""
    return base64.b64decode(by.signature, validate=True)
