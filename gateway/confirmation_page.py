"""An applicant confirms their address: here for people, as a page.

It needs no script and loads nothing. Mail programs open links to look at them: only the button
confirms.
"""

import base64
import hashlib
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from database.connection import DatabaseDown
from gateway import confirmations
from gateway.options import GatewayOptions
from gateway.problems import Problem, as_problem

PATH = "/confirm/{token}"

_STYLE = """
  :root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --quiet: #5a6774;
    --go: #1f5fbf; --line: #d9e0e7 }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e8edf2; --paper: #12181f; --quiet: #a3b0bd; --go: #8db8f5; --line: #2c3946 }
  }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem;
    font: 1.0625rem/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
  main { width: 100%; max-width: 30rem; padding: 2rem; border: 1px solid var(--line);
    border-radius: .75rem }
  h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
  p { margin: 0 0 1.25rem; color: var(--quiet) }
  p:last-child { margin-bottom: 0 }
  button { width: 100%; padding: .85rem 1rem; border: 0; border-radius: .5rem; cursor: pointer;
    font: inherit; font-weight: 600; color: var(--paper); background: var(--go) }
  button:focus-visible { outline: 3px solid var(--go); outline-offset: 3px }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <link rel="icon" href="data:,">
  <style>{style}</style>
</head>
<body>
  <main>
    <h1>{title}</h1>
    <p>{text}</p>{button}
  </main>
</body>
</html>
"""
_BUTTON = """
    <form method="post"><button type="submit">Confirm</button></form>"""
_SAID = {
    "link-unknown": (
        "This link does not work",
        "It may have been cut off on its way. Open it as it stands in the mail.",
    ),
    "address-changed": (
        "This link is of an older mail",
        "The address was changed since. Use the link in the mail that went to the new one.",
    ),
    "too-late": (
        "There is nothing left to confirm",
        "The application has come to its end. If you still want to join, apply anew.",
    ),
    "link-expired": (
        "This link has expired",
        "Ask those with whom you applied to send the mail again, and use the link in the new one.",
    ),
    "too-many-requests": ("Too many requests", "Please try again in a minute."),
    "unavailable": ("Not just now", "Nothing is lost. Please try again in a minute."),
}


async def _show(request: Request) -> Response:
    """The button, or why there is none. Changes nothing."""
    try:
        options = _entered(request)
        _, asked = await confirmations.look(options, request.path_params["token"])
    except (Problem, DatabaseDown) as error:
        return _problem(error)
    if asked.confirmed_at is not None:
        return _page("Thank you", "Your e-mail address is confirmed. You can close this page.")
    return _page(
        "Confirm your e-mail address",
        "Press the button if it was you who applied. If not, close this page: nothing happens.",
        button=True,
    )


async def _press(request: Request) -> Response:
    """Confirm; then show how it stands, so that a page that is loaded again asks for nothing."""
    try:
        options = _entered(request)
        token = request.path_params["token"]
        link, asked = await confirmations.look(options, token)
        await confirmations.confirm(options, link, asked)
    except (Problem, DatabaseDown) as error:
        return _problem(error)
    return Response(status_code=303, headers={**_HEADERS, "Location": token})


def _entered(request: Request) -> GatewayOptions:
    """The options, once the address that asks has not asked too often. Raises Problem (429)."""
    options: GatewayOptions = request.app.state.options
    options.page_rates.take(request.client.host if request.client else "")
    return options


def _problem(error: Exception) -> Response:
    problem = as_problem(error)
    answer = _page(*_SAID[problem.code], status=problem.status_code)
    answer.headers.update(problem.headers or {})
    return answer


def _page(title: str, text: str, *, status: int = 200, button: bool = False) -> Response:
    content = _PAGE.format(
        title=escape(title), text=escape(text), style=_STYLE, button=_BUTTON if button else ""
    )
    return HTMLResponse(content, status, headers=_HEADERS)


ROUTES: list[BaseRoute] = [
    Route(PATH, _show, methods=["GET"]),
    Route(PATH, _press, methods=["POST"]),
]
