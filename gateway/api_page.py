"""The API's description as a page: Swagger UI, served from here, loading nothing from elsewhere."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.problems import Problem

# What they refer to is relative, so that the page works behind a proxy's prefix, too.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Perdure: the API</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="api"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
_START = """\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""
_SHIPPED = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
"""What the package `fastapi-offline` ships of Swagger UI."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


async def _page(_: Request) -> Response:
    return Response(
        _PAGE, headers={"Content-Security-Policy": _POLICY}, media_type="text/html; charset=utf-8"
    )


async def _part(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _SHIPPED:
        raise Problem(404, "not-found", "There is nothing at this path; see /docs.")
    shipped = files("fastapi_offline") / "static" / name
    return Response(
        shipped.read_bytes(),
        headers={"Cache-Control": "public, max-age=3600"},
        media_type=_SHIPPED[name],
    )


ROUTES: list[BaseRoute] = [Route("/docs", _page), Route("/docs/{name}", _part)]
