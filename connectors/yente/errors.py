"""What yente's failures mean to a screening.

Nothing of its own sentences goes on: they may repeat whom we asked about.
"""

from datetime import timedelta

import httpx

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import retry_after

NO_ANSWER = "screening.connection"
RATE_LIMIT_PAUSE = timedelta(seconds=2)


def as_connector_error(response: httpx.Response) -> ConnectorError:
    """The failure in our words, by its status."""
    told = f" (status {response.status_code})"
    match response.status_code:
        case 401 | 403:
            return Refused("screening.auth", f"yente does not let our key do this{told}")
        case 404:
            return Refused("screening.dataset", f"yente has no such list, or is elsewhere{told}")
        case 429:
            pause = retry_after(response) or RATE_LIMIT_PAUSE
            return Unanswered("screening.rate_limit", f"too many requests{told}", pause)
        case status if status >= 500:
            return Unanswered("screening.server", f"yente failed{told}", retry_after(response))
        case status if status >= 400:
            return Refused("screening.invalid_request", f"yente refused the request{told}")
        case _:
            return Refused("screening.unknown", f"an answer that yente's API does not have{told}")


def bad_body() -> Unanswered:
    """An answer came that cannot be read."""
    return Unanswered("screening.bad_body", "yente's answer cannot be read")
