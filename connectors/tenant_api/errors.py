"""What a tenant API's failures mean to an effect.

Nothing of its own sentences goes on: they may repeat what an applicant told us. Its codes do:
`{"error": {"code": "email_taken"}}`.
"""

import re
from datetime import timedelta

import httpx

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import retry_after, said

NO_ANSWER = "directory.connection"
RATE_LIMIT_PAUSE = timedelta(seconds=2)

_CODE = re.compile(r"[a-z_]{1,40}")


class Missing(Refused):
    """What the request was about is not there, or not any more."""


class Taken(Refused):
    """Something is there that must be unique, and what was asked for would be the same again."""


def as_connector_error(response: httpx.Response) -> ConnectorError:
    """The failure in our words, by status and code."""
    status, code = response.status_code, _code(response)
    told = f" (status {status}, {code})" if code else f" (status {status})"
    match status:
        case 401 | 403:
            return Refused("directory.auth", f"the directory does not let our token do this{told}")
        case 404 if code == "not_found":
            # Without the code it is about the path: a wrong address must not look like "gone".
            return Missing("directory.missing", f"the directory has no such entry{told}")
        case 409:
            text = (
                "an entry that we did not make has the same address or key: correct the"
                f" application, or settle it in the directory, and try again{told}"
            )
            return Taken("directory.conflict", text)
        case 429:
            pause = retry_after(response) or RATE_LIMIT_PAUSE
            return Unanswered("directory.rate_limit", f"too many requests{told}", pause)
        case _ if status >= 500:
            text = f"the directory failed{told}"
            return Unanswered("directory.server", text, retry_after(response))
        case _ if status >= 400:
            return Refused("directory.invalid_request", f"the directory refused the request{told}")
        case _:
            return Refused("directory.unknown", f"an answer that the API does not know{told}")


def bad_body() -> Unanswered:
    """An answer came that cannot be read: what was done is as unknown as without one."""
    return Unanswered("directory.bad_body", "the directory's answer cannot be read")


def _code(response: httpx.Response) -> str | None:
    error = said(response).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
