"""The inbox over HTTP: for programs as JSON, for people as a page."""

from html import escape

from pydantic import Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulators.controls import Control, FaultPlan, fault_routes, refuse
from simulators.faults import Faults
from simulators.mail.faults import MailFaultKind
from simulators.mail.inbox import Inbox, Order, Wanted

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Inbox (simulated)</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif }}
  body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
  details {{ border-top: 1px solid #ddd; padding: .5rem 0 }}
  summary {{ cursor: pointer }}
  pre {{ white-space: pre-wrap; background: #f6f6f8; padding: 1rem }}
</style>
<h1>Inbox</h1>
<p>{count} newest messages; <a href="/messages">as JSON</a>.</p>
{messages}
</html>
"""
MESSAGE = """<details>
  <summary><strong>{subject}</strong> to {recipients}</summary>
  <p>From {sender}, Message-ID {message_id}</p>
  <pre>{text}</pre>
</details>"""
ON_THE_PAGE = 50


class Query(Control):
    """Which messages, in which order, and from where on (`after` is a message's number)."""

    to: str | None = None
    subject: str | None = None
    message_id: str | None = None
    limit: int = Field(default=50, ge=1, le=100)
    after: int | None = None
    order: Order = "newest_first"


class MessageMatch(Control):
    """Which messages: a glob over the recipients."""

    to: str | None = None


class MailFaultPlan(FaultPlan[MailFaultKind, MessageMatch]):
    """A fault of the mail server's."""

    match: MessageMatch = MessageMatch()


def application(inbox: Inbox, faults: Faults) -> Starlette:
    """The application."""

    async def page(_: Request) -> Response:
        messages, _more = inbox.page(Wanted(), ON_THE_PAGE, None, "newest_first")
        shown = "\n".join(
            MESSAGE.format(
                **{
                    name: escape(str(message[name]))
                    for name in ("subject", "sender", "message_id", "text")
                },
                recipients=escape(", ".join(message["recipients"])),
            )
            for message in messages
        )
        return HTMLResponse(PAGE.format(count=len(messages), messages=shown))

    async def listed(request: Request) -> Response:
        query = Query.model_validate(dict(request.query_params))
        wanted = Wanted(query.to, query.subject, query.message_id)
        messages, more = inbox.page(wanted, query.limit, query.after, query.order)
        return JSONResponse({"messages": messages, "has_more": more})

    async def one(request: Request) -> Response:
        message = inbox.get(request.path_params["number"])
        if message is None:
            return JSONResponse({"error": "There is no message of this number."}, 404)
        return JSONResponse(message)

    async def clear(_: Request) -> Response:
        return JSONResponse({"deleted": inbox.clear()})

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            Route("/messages", listed, methods=["GET"]),
            Route("/messages", clear, methods=["DELETE"]),
            Route("/messages/{number:int}", one, methods=["GET"]),
            Route("/_simulator/health", health, methods=["GET"]),
            *fault_routes(faults, MailFaultPlan),
        ],
        exception_handlers={ValidationError: refuse},
    )
