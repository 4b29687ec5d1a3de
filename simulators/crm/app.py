"""The CRM over HTTP: its API and the control API."""

from starlette.applications import Starlette
from starlette.responses import Response

from simulators.clock import Clock
from simulators.counters import Counters
from simulators.crm.api import ObjectsApi
from simulators.crm.conformance import Conformance
from simulators.crm.errors import MEDIA_TYPE, OUTAGES
from simulators.crm.records import KNOWN, Records
from simulators.faults import Faults
from simulators.front import Front
from simulators.front import application as with_control
from simulators.storage import Storage

SYSTEM = "crm"


def application(storage: Storage, clock: Clock, token: str) -> Starlette:
    """The CRM as the storage left it; `token` is the one bearer token accepted."""
    records = Records(storage, clock)
    facts = Conformance.from_file()
    routes = [
        route
        for kind in KNOWN
        for route in ObjectsApi(storage, clock, records, facts, kind).routes()
    ]
    front = Front(
        api=Starlette(routes=routes),
        token=token,
        paths=tuple(dict.fromkeys(route.path for route in routes)),
        refusal=_refusal,
        faults=Faults(storage, SYSTEM),
        counters=Counters(storage, SYSTEM),
    )
    return with_control(front, records.clear)


def _refusal(status: int) -> Response:
    return Response(OUTAGES[status].body, status, media_type=MEDIA_TYPE)
