"""The directory over HTTP: SCIM under `/v2`, and the control API."""

from http import HTTPStatus
from typing import cast

from scim2_models import Error
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.utils import load_default_provider
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp

from simulators import front
from simulators.clock import Clock
from simulators.directory.entries import Entries
from simulators.storage import Storage

PATHS = ("/v2/Users", "/v2/Users/{id}", "/v2/Groups", "/v2/Groups/{id}")


def application(storage: Storage, clock: Clock, token: str) -> Starlette:
    """The directory as the storage left it; `token` is the one bearer token accepted."""
    provider = load_default_provider()
    entries = Entries(storage, clock, provider)
    return front.application(
        "directory",
        # The library says dict where ASGI says mapping.
        cast(ASGIApp, ASGIApplication(AsyncInMemoryStorage(entries), provider)),
        paths=PATHS,
        token=token,
        refusal=_refusal,
        storage=storage,
        forget=entries.clear,
    )


def _refusal(status: int) -> Response:
    body = Error(status=status, detail=HTTPStatus(status).phrase).model_dump_json()
    return Response(body, status, media_type="application/scim+json")
