"""The CRM over HTTP: its API and the control API."""

from starlette.applications import Starlette
from starlette.responses import Response

from simulators import front
from simulators.clock import Clock
from simulators.crm.api import ObjectsApi
from simulators.crm.conformance import Conformance
from simulators.crm.errors import MEDIA_TYPE, OUTAGES
from simulators.crm.records import KNOWN, Records
from simulators.storage import Storage


def application(storage: Storage, clock: Clock, token: str) -> Starlette:
    """The CRM as the storage left it; `token` is the one bearer token accepted."""
    records = Records(storage, clock)
    facts = Conformance.from_file()
    routes = [
        route
        for kind in KNOWN
        for route in ObjectsApi(storage, clock, records, facts, kind).routes()
    ]
    return front.application(
        "crm",
        Starlette(routes=routes),
        paths=front.templates(routes),
        token=token,
        refusal=_refusal,
        storage=storage,
        forget=records.clear,
    )


def _refusal(status: int) -> Response:
    return Response(OUTAGES[status].body, status, media_type=MEDIA_TYPE)
