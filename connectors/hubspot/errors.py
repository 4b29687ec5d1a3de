"""What HubSpot's failures mean to an effect.

Nothing of HubSpot's own sentences goes on: they may repeat what an applicant told us.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

import httpx

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import retry_after, said

NO_ANSWER = "crm.connection"
LOCKED_PAUSE = timedelta(seconds=2)
LIMIT_PAUSES: Mapping[object, timedelta] = {
    "SECONDLY": timedelta(seconds=1),
    "TEN_SECONDLY_ROLLING": timedelta(seconds=10),
    "DAILY": timedelta(minutes=10),
}
"""How long to leave HubSpot alone, by the limit that was reached, where it does not say itself."""
LIMIT_PAUSE = timedelta(seconds=2)

_CATEGORY = re.compile(r"[A-Z][A-Z_]{0,60}")
_CORRELATION = re.compile(r"[0-9a-f-]{36}")
_TAKEN = frozenset({"CONFLICT", "OBJECT_ALREADY_EXISTS"})
_DEFINITE = frozenset({"VALIDATION_ERROR", "OBJECT_NOT_FOUND", "INVALID_PARAMS"})
_NOT_ALLOWED = frozenset({"INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION", "MISSING_SCOPES"})


class Missing(Refused):
    """What the request was about is not there, or not any more."""


def as_connector_error(response: httpx.Response) -> ConnectorError:
    """The failure in our words, by status, category and the limit that was reached."""
    status, error = response.status_code, said(response)
    category = error.get("category")
    told = _told(error, status)
    match status:
        case 401 | 403:
            return _not_allowed(told)
        case 404 if category == "OBJECT_NOT_FOUND":
            # Without the category it is about the path: a wrong address must not look like "gone".
            return Missing("crm.missing", f"HubSpot has no such record{told}")
        case 409:
            return _taken(told)
        case 423:
            pause = retry_after(response) or LOCKED_PAUSE
            return Unanswered("crm.locked", f"HubSpot is busy with the account{told}", pause)
        case 429:
            pause = retry_after(response) or LIMIT_PAUSES.get(error.get("policyName"), LIMIT_PAUSE)
            return Unanswered("crm.rate_limit", f"too many requests{told}", pause)
        case 477:
            text = f"HubSpot is moving the account{told}"
            return Unanswered("crm.migrating", text, retry_after(response))
        case _ if status >= 500:
            return Unanswered("crm.server", f"HubSpot failed{told}", retry_after(response))
        case _ if status >= 400:
            return _refused(told)
        case _:
            return Refused("crm.unknown", f"an answer that HubSpot's API does not have{told}")


def of_one(error: Mapping[str, object]) -> ConnectorError:
    """The failure of one record in a batch whose answer is 207."""
    category = error.get("category")
    told = _told(error, 207)
    if category in _TAKEN:
        return _taken(told)
    if category in _NOT_ALLOWED:
        return _not_allowed(told)
    if category in _DEFINITE:
        return _refused(told)
    if category == "RATE_LIMITS":
        return Unanswered("crm.rate_limit", f"too many requests{told}", LIMIT_PAUSE)
    return Unanswered("crm.server", f"HubSpot failed for a record{told}")


def bad_body() -> Unanswered:
    """An answer came that cannot be read: what was done is as unknown as without one."""
    return Unanswered("crm.bad_body", "HubSpot's answer cannot be read")


def _taken(told: str) -> Refused:
    return Refused(
        "crm.conflict",
        "a record that we did not make has the same unique property: correct the application, or"
        f" settle it in HubSpot, and try again{told}",
    )


def _not_allowed(told: str) -> Refused:
    return Refused("crm.auth", f"HubSpot does not let our token do this{told}")


def _refused(told: str) -> Refused:
    return Refused("crm.invalid_request", f"HubSpot refused the request{told}")


def _told(error: Mapping[str, object], status: int) -> str:
    """What may be told of it: status, category, limit, and the id that HubSpot asks for."""
    facts = [f"status {status}"]
    for name, pattern in (
        ("category", _CATEGORY),
        ("policyName", _CATEGORY),
        ("correlationId", _CORRELATION),
    ):
        value = error.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            facts.append(value if name != "correlationId" else f"correlation {value}")
    return f" ({', '.join(facts)})"
