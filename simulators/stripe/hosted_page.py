"""The page where the applicant is verified, for a person with a browser."""

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
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
GONE = """<p id="gone">This link {why}: it lasts 48 hours, and for one attempt. Ask whoever
sent you for a new one.</p>"""
WHY = {"used": "was used already", "expired": "has expired"}
NO_SUCH_LINK = "There is no such link."


def routes(simulator: Simulator) -> list[Route]:
    """The page of a session, and what it posts."""

    def page(link: verification_sessions.Link) -> Response:
        session, form, status = link.session, "", 200
        if session["status"] in ("requires_input", "processing"):
            if link.why_not:
                form, status = GONE.format(why=WHY[link.why_not]), 410
            else:
                codes = sorted(simulator.account.conformance.last_error_codes)
                options = "".join(f"<option>{escape(code)}</option>" for code in codes)
                form = FORM.format(codes=options)
        text = PAGE.format(
            session=escape(session["id"]), status=escape(session["status"]), form=form
        )
        return HTMLResponse(text, status)

    async def show(request: Request) -> Response:
        link = verification_sessions.link(simulator.account, request.path_params["token"])
        return page(link) if link else PlainTextResponse(NO_SUCH_LINK, 404)

    async def submit(request: Request) -> Response:
        token = request.path_params["token"]
        link = verification_sessions.link(simulator.account, token)
        if link is None or link.why_not:
            return await show(request)
        given = {name: values[0] for name, values in parse_qs(await _text(request)).items()}
        if given.get("outcome") != "failed":
            given.pop("code", None)
        session, submission = link.session["id"], Submission.model_validate(given)
        submitted(simulator, session, submission)
        if submission.outcome != "processing":  # the attempt goes on, and can be ended here
            verification_sessions.use_up(simulator.account, token)
        back = verification_sessions.return_url(simulator.account, session)
        return RedirectResponse(back or str(request.url), 303)

    path = f"{verification_sessions.PAGE}/{{token}}"
    return [Route(path, show, methods=["GET"]), Route(path, submit, methods=["POST"])]


async def _text(request: Request) -> str:
    return (await request.body()).decode(errors="replace")
