"""The contents of files, as Stripe's host for files hands them out."""

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from simulators.stripe import api, faults
from simulators.stripe.money import reports
from simulators.stripe.simulator import Simulator

PATH = "/v1/files/{file}/contents"


def routes(simulator: Simulator) -> list[Route]:
    """The one route, which wants the API's key."""

    async def contents(request: Request) -> Response:
        api.authenticate(request, simulator.api_key)
        file = reports.existing_file(simulator.account, request.path_params["file"])
        subject = {"method": [request.method], "path": [request.url.path]}
        fault = simulator.faults.take(faults.OF_CONTENTS, subject)
        simulator.counters.count("GET", PATH, "faulted" if fault else "executed")
        path = reports.path_of(simulator.storage, file["id"])
        if fault is None:
            return FileResponse(path, media_type="text/csv")
        if fault.kind in api.FAILURES:
            raise api.FAILURES[fault.kind]()
        if fault.kind == "drop_after_commit":
            request.state.cut()
        whole = await asyncio.to_thread(path.read_bytes)
        return Response(whole[: len(whole) // 2], media_type="text/csv")

    return [Route(PATH, contents, methods=["GET"])]
