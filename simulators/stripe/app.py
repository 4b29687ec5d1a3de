"""The ASGI application: the API, the control API and the applicant's page on one port."""

import json

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from simulators.controls import refuse
from simulators.stripe import api, hosted_page
from simulators.stripe.control import ControlApi
from simulators.stripe.errors import Refusal
from simulators.stripe.money import contents
from simulators.stripe.money.control import MoneyControl
from simulators.stripe.simulator import Simulator


def application(simulator: Simulator) -> Starlette:
    """The application; whoever serves it also runs the simulator."""
    return Starlette(
        routes=[
            *api.routes(simulator),
            *contents.routes(simulator),
            *ControlApi(simulator).routes(),
            *MoneyControl(simulator).routes(),
            *hosted_page.routes(simulator),
        ],
        exception_handlers={
            HTTPException: _unknown,
            Refusal: _refused,
            ValidationError: refuse,
        },
    )


def _unknown(request: Request, error: Exception) -> Response:
    """Stripe answers 404 to a method that it does not have, too."""
    assert isinstance(error, HTTPException)
    message = f"Unrecognized request URL ({request.method}: {request.url.path})."
    body = {"error": {"message": message, "type": "invalid_request_error"}}
    return Response(json.dumps(body), 404, media_type="application/json")


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return Response(error.body, error.status, error.headers, "application/json")
