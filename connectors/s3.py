"""An archive in a bucket of S3, or of whatever speaks its protocol: keys are `OWNER/SHA256`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from connectors.errors import ConnectorError, Refused, Unanswered

if TYPE_CHECKING:
    from obstore.store import S3Config

NO_ANSWER = "archive.connection"
MISSING = "archive.missing"

_TO_CONNECT = timedelta(seconds=5)


def bucket(
    name: str,
    *,
    region: str,
    endpoint: str | None,
    access_key: str | None,
    secret_key: str | None,
    patience: float,
) -> S3Store:
    """A bucket. Without an endpoint it is Amazon's; without keys the machine's own role is used.

    Nothing is tried twice: whoever carries out the effect decides about that.
    """
    config: S3Config = {
        "region": region,
        # Others than Amazon seldom have a name in DNS for each bucket.
        "virtual_hosted_style_request": endpoint is None,
    }
    if endpoint is not None:
        config["endpoint"] = endpoint
    if access_key is not None and secret_key is not None:
        config["access_key_id"], config["secret_access_key"] = access_key, secret_key
    once = timedelta(seconds=patience)
    return S3Store(
        name,
        config=config,
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "timeout": once,
            "connect_timeout": min(once, _TO_CONNECT),
        },
        retry_config={
            "max_retries": 0,
            "retry_timeout": once,
            "backoff": {"init_backoff": once, "max_backoff": once, "base": 2},
        },
    )


class S3Archive:
    """Documents as objects of one bucket; `patience` is what one call may take, in seconds."""

    def __init__(self, store: S3Store, *, patience: float) -> None:
        self._store = store
        self._patience = patience

    async def put(self, owner: str, sha256: str, file: Path, *, media_type: str) -> None:
        """Upload `file`, in parts where it is large. Raises Refused or Unanswered."""
        async with self._answer():
            attributes = {"Content-Type": media_type}
            await obstore.put_async(self._store, _key(owner, sha256), file, attributes=attributes)

    async def holds(self, owner: str, sha256: str) -> bool:
        """Whether it is there. Raises Refused or Unanswered."""
        try:
            async with self._answer():
                await obstore.head_async(self._store, _key(owner, sha256))
        except Refused as no:
            if no.type != MISSING:
                raise
            return False
        return True

    async def read(self, owner: str, sha256: str) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises Refused (`archive.missing`) or Unanswered."""
        async with self._answer():
            found = await obstore.get_async(self._store, _key(owner, sha256))
        pieces = aiter(found.stream())
        while True:
            try:
                async with self._answer():
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            yield bytes(piece)

    async def erase(self, owner: str, sha256: str) -> None:
        """Delete the object; where the bucket has versions, its rules delete the earlier ones.

        Raises Refused or Unanswered.
        """
        async with self._answer():
            await obstore.delete_async(self._store, _key(owner, sha256))

    @contextlib.asynccontextmanager
    async def _answer(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except (BaseError, FileNotFoundError, TimeoutError) as error:
            raise _as_connector_error(error) from None  # its text names addresses


def _key(owner: str, sha256: str) -> str:
    return f"{owner}/{sha256}"


def _as_connector_error(error: Exception) -> ConnectorError:
    """What the library tells apart; everything else may have been done, and is asked again."""
    match error:
        case FileNotFoundError():
            return Refused(MISSING, "the archive has no such document, or no such bucket")
        case PermissionDeniedError() | UnauthenticatedError():
            return Refused("archive.not_allowed", "the archive does not let us: look at its keys")
        case _:
            return Unanswered(NO_ANSWER, f"no answer ({type(error).__name__})")
