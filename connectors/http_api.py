"""JSON over HTTP under a token: how we talk to systems that have no library of their own."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connectors.errors import Unanswered

_CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4)
"""Many servers close a connection that was idle for 5 seconds. One that is about to be closed is
not taken for another request: its answer would be lost, and what became of it be looked for."""


class HttpApi:
    """One for each event loop. `timeout` is what one request may take in all, in seconds.

    `no_answer` is the code of the error when none comes, like `crm.connection`. `token` goes by
    `scheme` into the header Authorization, and without one there is none. Nothing is tried twice
    here: whoever carries out the effect decides about that.
    """

    def __init__(
        self,
        no_answer: str,
        base_url: str,
        token: str | None,
        *,
        timeout: float = 10.0,
        scheme: str = "Bearer",
    ) -> None:
        self._no_answer = no_answer
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"{scheme} {token}"} if token else {},
            timeout=timeout,
            limits=_CONNECTIONS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The answer, whatever its status; `given` is what httpx takes. Raises Unanswered."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._http.request(method, path.lstrip("/"), **given)
        except (httpx.HTTPError, TimeoutError) as error:
            text = f"no answer ({type(error).__name__})"
            # The cause is cut off: it holds the request, and causes travel far.
            raise Unanswered(self._no_answer, text) from None


def said(response: httpx.Response) -> dict[str, Any]:
    """What an answer says, where it is a JSON object. Any: read with care by whoever asked."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def retry_after(response: httpx.Response) -> timedelta | None:
    """When to ask again, where the answer says so: in seconds, or at a time (RFC 9110 §10.2.3)."""
    told = response.headers.get("Retry-After", "").strip()
    try:
        return max(timedelta(seconds=float(told)), timedelta(0))
    except (ValueError, OverflowError):
        pass
    try:
        return max(parsedate_to_datetime(told) - datetime.now(UTC), timedelta(0))
    except (ValueError, TypeError):
        return None
