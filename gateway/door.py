"""What every request passes before anything looks at it, and every answer on its way out."""

import logging
import os
import re
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.bodies import (
    JSON,
    OPENING,
    OPENINGS,
    STATEMENTS,
    UPLOADS,
    Body,
    Incoming,
    document,
    statement,
)
from gateway.callers import Callers
from gateway.methods import allowed
from gateway.problems import Problem, as_problem, response_of
from gateway.rates import Rates
from workflows.defects import without_texts

API = "/v1/"
WEBHOOK_LIMIT = 1024 * 1024
"""Bytes that a webhook may have."""

_ALWAYS = (
    (b"cache-control", b"private, no-cache"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Told with every answer that says nothing else: it is for whoever asked, and no page to embed."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WITH_A_BODY = ("POST", "PUT", "PATCH")

log = structlog.stdlib.get_logger(__name__)
_stdlib_log = logging.getLogger(__name__)


class Door:
    """The outermost layer: a request id, the caller and their rate, the body's type and limit.

    A defect is answered as a problem, and logged without what it says: that may be personal.
    """

    def __init__(
        self, app: ASGIApp, callers: Callers, rates: Rates, upload_limit: int, statement_limit: int
    ) -> None:
        self._app = app
        self._callers = callers
        self._rates = rates
        self._document = document(upload_limit)
        self._statement = statement(statement_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope["request_id"] = request_id
        begun = time.perf_counter()
        status = 0
        rate: list[tuple[bytes, bytes]] = []
        incoming: Incoming | None = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                ours = [(b"x-request-id", request_id.encode()), *rate, *_ALWAYS]
                if said := message["headers"]:
                    told = {name for name, _ in said}
                    ours = [*said, *(one for one in ours if one[0] not in told)]
                message["headers"] = ours
                if incoming is not None:
                    await incoming.hear_out()
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if scope["path"].startswith(API):
                    caller = self._callers.recognise(headers.get("authorization"))
                    scope["caller"] = caller
                    rate = _raw(self._rates.take(caller.name))
                    body = self._body_at(scope["path"])
                    incoming = Incoming(headers, receive, body.limit, is_json=body.is_json)
                    _refuse_other_types(scope, headers, body)
                else:
                    incoming = Incoming(headers, receive, WEBHOOK_LIMIT)
                incoming.refuse_if_announced_too_large()
                await self._app(scope, incoming, answer)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
                problem = as_problem(error)
                if problem.status_code == 500:
                    log.error("defect", error=type(error).__name__, at=without_texts(error))  # noqa: TRY400
                if not status:
                    await response_of(problem, request_id)(scope, receive, answer)
            finally:
                _log_line(scope, status, begun)

    def _body_at(self, path: str) -> Body:
        """What the body of a request to a path may be."""
        if path == STATEMENTS:
            return self._statement
        if UPLOADS.fullmatch(path):
            return self._document
        return OPENING if OPENINGS.fullmatch(path) else JSON


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _refuse_other_types(scope: Scope, headers: Headers, body: Body) -> None:
    """Raises Problem (415) unless the body is what it may be, where there is to be one."""
    if scope["method"] not in _WITH_A_BODY:
        return
    type_ = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = headers.get("content-encoding", "identity").lower()
    fits = type_ in body.types and encoding == "identity"
    if not fits and scope["method"] in allowed(scope):
        raise Problem(415, "unsupported-media-type", body.how)


def _log_line(scope: Scope, status: int, begun: float) -> None:
    # The route, not the path: what callers put into paths is theirs.
    route = getattr(scope.get("route"), "path", None)
    of_the_api = route is not None and route.startswith(API)
    if not of_the_api and not _stdlib_log.isEnabledFor(logging.DEBUG):
        return  # structlog takes its time to find out
    caller = scope.get("caller")
    write = log.info if of_the_api else log.debug
    write(
        "answered",
        method=scope["method"],
        route=route,
        status=status,
        caller_key=caller.name if caller else None,
        ms=round((time.perf_counter() - begun) * 1000, 1),
    )
