"""What a directory's failures mean to an effect.

Nothing of the directory's own sentences goes on: they may repeat what an applicant told us.
"""

import re
from datetime import timedelta

import httpx

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import retry_after, said

NO_ANSWER = "directory.connection"
RATE_LIMIT_PAUSE = timedelta(seconds=2)
CHANGED_PAUSE = timedelta(seconds=1)
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

_WORD = re.compile(r"[A-Za-z]{1,40}")


class Missing(Refused):
    """What the request was about is not there, or not any more."""


class Taken(Refused):
    """Something is there that must be unique, and what was asked for would be the same again."""

    def __init__(self, told: str) -> None:
        super().__init__(
            "directory.conflict",
            "an entry that we did not make has the same unique attribute: correct the"
            f" application, or settle it in the directory, and try again{told}",
        )


def as_connector_error(response: httpx.Response) -> ConnectorError:
    """The failure in our words, by status and `scimType` (RFC 7644 §3.12)."""
    status = response.status_code
    error = said(response)
    in_scim = error.get("schemas") == [ERROR_SCHEMA]
    scim_type = error.get("scimType")
    told = _told(status, scim_type)
    match status:
        case 401 | 403:
            return Refused("directory.auth", f"the directory does not let our token do this{told}")
        case 404 if in_scim:
            return Missing("directory.missing", f"the directory has no such entry{told}")
        case 409 if scim_type == "uniqueness" or response.request.method == "POST":
            return Taken(told)
        case 409 | 412:
            text = f"something else changed the entry meanwhile{told}"
            return Unanswered("directory.changed", text, retry_after(response) or CHANGED_PAUSE)
        case 429:
            pause = retry_after(response) or RATE_LIMIT_PAUSE
            return Unanswered("directory.rate_limit", f"too many requests{told}", pause)
        case 501:
            return Refused("directory.invalid_request", f"the directory cannot do this{told}")
        case _ if status >= 500:
            return Unanswered(
                "directory.server", f"the directory failed{told}", retry_after(response)
            )
        case _ if status >= 400:
            return Refused("directory.invalid_request", f"the directory refused the request{told}")
        case _:
            return Refused("directory.unknown", f"an answer that SCIM does not know{told}")


def bad_body() -> Unanswered:
    """An answer came that cannot be read: what was done is as unknown as without one."""
    return Unanswered("directory.bad_body", "the directory's answer cannot be read")


def _told(status: int, scim_type: object) -> str:
    """What may be told of it: the status and SCIM's own word for it."""
    if isinstance(scim_type, str) and _WORD.fullmatch(scim_type):
        return f" (status {status}, {scim_type})"
    return f" (status {status})"
