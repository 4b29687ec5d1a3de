"""Stripe's API over HTTP: every request that we make there goes through here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import httpx
import stripe
from pydantic import BaseModel, ValidationError

from connectors.errors import Refused, Unanswered
from connectors.stripe.errors import Missing, as_connector_error, bad_body, unanswered

ROWS_OF_A_PAGE = 100
FILES = "https://files.stripe.com"
_PIECE = 1024 * 1024

Shape = TypeVar("Shape", bound=BaseModel)


class Page(BaseModel):
    """A page of a list, newest first. Any: rows are read by whoever asked for them."""

    data: list[dict[str, Any]]
    has_more: bool


class Row(BaseModel):
    """What every row of a list has."""

    id: str


class StripeApi:
    """One for each event loop. `timeout` is what one request may take in all, in seconds.

    Nothing is tried twice here: whoever carries out the effect decides about that. All methods
    raise the errors of `connectors.errors` and nothing else.
    """

    def __init__(self, api_key: str, *, base_url: str | None = None, timeout: float = 10.0) -> None:
        # It would keep an id of this machine in the home directory and tell Stripe about us.
        stripe.enable_telemetry = False
        self._timeout = timeout
        self._http = stripe.HTTPXClient(timeout=timeout)
        self._files = httpx.AsyncClient(
            base_url=base_url or FILES,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
        )
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base_url, "files": base_url} if base_url else None,
            max_network_retries=0,
            http_client=self._http,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._files.aclose()
        await self._http.close_async()  # type: ignore[no-untyped-call] # the SDK's

    async def get(self, path: str, shape: type[Shape], **parameters: Any) -> Shape:
        """Read one thing."""
        return await self._request("get", path, shape, parameters)

    async def post(self, path: str, shape: type[Shape], *, key: str, **parameters: Any) -> Shape:
        """Have something done once for this key; the parameters are the same whenever it comes."""
        return await self._request("post", path, shape, parameters, key=key)

    async def post_again(self, path: str, shape: type[Shape], **parameters: Any) -> Shape:
        """Have something done that, done twice, is the same as done once.

        The SDK gives each such request a key of its own, so that no earlier answer comes back.
        """
        return await self._request("post", path, shape, parameters)

    async def delete(self, path: str, shape: type[Shape]) -> Shape:
        """Delete one thing, which by its nature happens once."""
        return await self._request("delete", path, shape, {})

    async def listed(self, path: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """All rows of a list, newest first, page by page.

        Raises Unanswered also where Stripe refuses to list, Missing apart: that says nothing
        about what there is. It happens, too, when the last row of a page was deleted before the
        next was asked for.
        """
        after: dict[str, str] = {}
        more = True
        while more:
            try:
                page = await self.get(path, Page, limit=ROWS_OF_A_PAGE, **parameters, **after)
            except Missing:
                raise
            except Refused as refused:
                raise Unanswered(refused.type, refused.text) from None
            for row in page.data:
                yield row
            more = page.has_more and bool(page.data)
            if more:
                after = {"starting_after": read(Row, page.data[-1]).id}

    async def download(self, path: str, to: BinaryIO) -> int:
        """Have the content of a file written; its size. `timeout` is for each piece of it."""
        size = 0
        try:
            async with self._files.stream("GET", path) as answer:
                if answer.status_code in (401, 403):
                    raise Refused("stripe.auth", "Stripe does not let our API key read files")
                if answer.status_code != 200:
                    text = f"Stripe did not send the file (status {answer.status_code})"
                    raise Unanswered("stripe.file", text)
                async for piece in answer.aiter_bytes(_PIECE):
                    size += len(piece)
                    await asyncio.to_thread(to.write, piece)
        except httpx.HTTPError as error:
            raise unanswered(type(error).__name__) from None
        return size

    async def _request(
        self,
        method: str,
        path: str,
        shape: type[Shape],
        parameters: Mapping[str, Any],
        *,
        key: str | None = None,
    ) -> Shape:
        # Causes are cut off (`from None`): they hold Stripe's messages, and causes travel far.
        under_key = {"idempotency_key": key} if key is not None else {}
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.raw_request_async(
                    method, path, **parameters, **under_key
                )
        except stripe.StripeError as error:
            raise as_connector_error(error, keyed=key is not None) from None
        except TimeoutError as error:
            raise unanswered(type(error).__name__) from None
        except (AttributeError, UnicodeDecodeError):
            # The SDK stumbles over bytes that are no text, and over an `error` that is mere text.
            raise bad_body() from None
        return read(shape, answer.data)


def path_of(*parts: str) -> str:
    """The path of something, whatever its ids are made of."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def read(shape: type[Shape], body: object) -> Shape:
    """An answer as we need it. Raises Unanswered where it is not of that shape."""
    try:
        return shape.model_validate(body)
    except ValidationError:
        raise bad_body() from None
