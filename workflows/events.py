"""Events from outside: hints that something changed, and the process that they concern."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

IDENTITY_VERIFIED = "identity.verification_session.verified"
IDENTITY_CANCELED = "identity.verification_session.canceled"
IDENTITY_EVENTS = frozenset(
    {IDENTITY_VERIFIED, "identity.verification_session.requires_input", IDENTITY_CANCELED}
)
"""What an onboarding wants to hear of. The rest of Stripe's events are kept and not handed over."""

DOCUMENT_RECEIVED = "document.received"
"""The type of what the door tells of an upload."""
HIT_JUDGED = "screening.hit_judged"
"""Of our own: a reviewer judged a hit of a screening at the gateway."""
EMAIL_CONFIRMED = "email.confirmed"
"""Of our own: an applicant confirmed an address at the gateway."""

_HANDED_OVER = IDENTITY_EVENTS | {DOCUMENT_RECEIVED, HIT_JUDGED, EMAIL_CONFIRMED}


@dataclass(frozen=True)
class Event:
    """A hint that something happened outside. `workflow_id` is the process that it concerns."""

    source: str
    event_id: str
    type: str
    object_id: str
    workflow_id: str | None
    happened_at: datetime

    @property
    def nobody_waits(self) -> str | None:
        """Why it is kept and not handed over; None where somebody waits for such events."""
        return None if self.type in _HANDED_OVER else "nobody waits for events of this type"


class NotAnEvent(ValueError):
    """What came in does not have the shape of an event."""


class NotTaken(Exception):
    """Temporal, or every worker behind it, is down: what was to be handed over stays with us."""


def stripe_event(payload: Mapping[str, Any]) -> Event:
    """An event as Stripe sends it, down to what we need of it. Raises NotAnEvent."""
    try:
        subject = payload["data"]["object"]
        return Event(
            source="stripe",
            event_id=_text(payload["id"]),
            type=_text(payload["type"]),
            object_id=_text(subject["id"]),
            workflow_id=(subject.get("metadata") or {}).get("workflow_id"),
            happened_at=datetime.fromtimestamp(int(payload["created"]), UTC),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise NotAnEvent("an event has id, type, created and data.object") from error


def _text(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise NotAnEvent("id, type and the id of its object are texts, and not empty")
    return given
