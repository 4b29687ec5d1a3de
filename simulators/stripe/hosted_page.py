"""The page where the applicant is verified, for a person with a browser."""

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.stripe import verification_sessions
from simulators.stripe.control import Submission, submitted
from simulators.stripe.simulator import Simulator

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Identity check (simulated)</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif }}
  body {{ max-width: 34rem; margin: 4rem auto; padding: 0 1rem }}
  code {{ background: #f2f2f5; padding: .1rem .3rem; overflow-wrap: anywhere }}
  form {{ display: grid; gap: .75rem; margin-top: 2rem }}
  button, select {{ font: inherit; padding: .6rem 1rem }}
</style>
<h1>Identity check</h1>
<p>Session <code>{session}</code> is <strong id="status">{status}</strong>.</p>
{form}
</html>
"""
FORM = """<form method="post">
  <button name="outcome" value="verified">Verify me</button>
  <button name="outcome" value="processing">Leave it in processing</button>
  <label>Reason of a failure <select name="code">{codes}</select></label>
  <button name="outcome" value="failed">Fail the check</button>
</form>"""


def routes(simulator: Simulator) -> list[Route]:
    """The page of a session, and what it posts."""

    async def show(request: Request) -> Response:
        session = verification_sessions.existing(simulator.account, request.path_params["session"])
        form = ""
        if session["status"] in ("requires_input", "processing"):
            codes = sorted(simulator.account.conformance.last_error_codes)
            form = FORM.format(codes="".join(f"<option>{escape(code)}</option>" for code in codes))
        page = PAGE.format(
            session=escape(session["id"]), status=escape(session["status"]), form=form
        )
        return HTMLResponse(page)

    async def submit(request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs(await _text(request)).items()}
        if given.get("outcome") != "failed":
            given.pop("code", None)
        session = request.path_params["session"]
        submitted(simulator, session, Submission.model_validate(given))
        back = verification_sessions.return_url(simulator.account, session)
        return RedirectResponse(back or str(request.url), 303)

    path = f"{verification_sessions.PAGE}/{{session}}"
    return [Route(path, show, methods=["GET"]), Route(path, submit, methods=["POST"])]


async def _text(request: Request) -> str:
    return (await request.body()).decode(errors="replace")
