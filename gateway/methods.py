"""HEAD and OPTIONS, for every path alike, and what a path says to any other method."""

from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import Problem, response_of


class Methods:
    """HEAD is GET without the body. OPTIONS says which methods a path takes, and no more.

    There is no CORS: the API is for programs, and a page of somebody else's may not use it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in ("HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _options(scope)(scope, receive, send)
        else:
            await self._head(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, without_body)
        finally:
            scope["route"] = as_get.get("route")


def allowed(scope: Scope) -> list[str]:
    """The methods that a path takes: several routes may share it, each with its own."""
    path = scope["path"]
    methods = {
        method
        for route in iter_route_contexts(scope["app"].routes)
        if (pattern := getattr(route, "path_regex", None)) and pattern.match(path)
        for method in route.methods or ()
    }
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods | {"OPTIONS"}) if methods else []


async def not_allowed(request: Request, _: Exception) -> Response:
    """What a path answers to a method that it does not take."""
    methods = allowed(request.scope)
    asked = [method for method in methods if method not in ("HEAD", "OPTIONS")]
    problem = Problem(
        405,
        "method-not-allowed",
        f"This path takes {' and '.join(asked)} only.",
        headers={"Allow": ", ".join(methods)},
    )
    return response_of(problem, request.scope.get("request_id"))


def _options(scope: Scope) -> Response:
    methods = allowed(scope)
    if not methods:
        raise Problem(404, "not-found", "There is nothing at this path; see /openapi.json.")
    return Response(status_code=204, headers={"Allow": ", ".join(methods)})
