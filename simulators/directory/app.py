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

from simulators.clock import Clock
from simulators.counters import Counters
from simulators.directory.entries import Entries
from simulators.faults import Faults
from simulators.front import Front
from simulators.front import application as with_control
from simulators.storage import Storage

SYSTEM = "directory"
PATHS = ("/v2/Users", "/v2/Users/{id}", "/v2/Groups", "/v2/Groups/{id}")


def application(storage: Storage, clock: Clock, token: str) -> Starlette:
    """The directory as the storage left it; `token` is the one bearer token accepted."""
    provider = load_default_provider()
    entries = Entries(storage, clock, provider)
    front = Front(
        # The library says dict where ASGI says mapping.
        api=cast(ASGIApp, ASGIApplication(AsyncInMemoryStorage(entries), provider)),
        token=token,
        paths=PATHS,
        refusal=_refusal,
        faults=Faults(storage, SYSTEM),
        counters=Counters(storage, SYSTEM),
    )
    return with_control(front, entries.clear)


def _refusal(status: int) -> Response:
    body = Error(status=status, detail=HTTPStatus(status).phrase).model_dump_json()
    return Response(body, status, media_type="application/scim+json")
