"""`perdure identity`: sessions in which reviewers find out who applicants are."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="See who is to be looked at, and decide.", no_args_is_help=True)


class Verdict(StrEnum):
    """What can be found out."""

    verified = "verified"
    failed = "failed"


@app.command("list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Those that do not wait for a reviewer, too.")
    ] = False,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """List those who wait for a reviewer, the longest first; with PERDURE_IDENTITY=manual.

    Example: `perdure identity list`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page

    asked = {"tenant": tenant, "limit": limit, "cursor": cursor}
    if not everything:
        asked["open"] = True
    answer = call("GET", "/v1/identity-sessions", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            one["onboarding"],
            one["applicant"]["name"],
            one["applicant"]["date_of_birth"],
            one["applicant"]["country"],
            one["state"],
            clock(one["opened_at"]),
            one["decided_by"],
        )
        for one in answer["items"]
    ]
    titles = ("session", "onboarding", "name", "born", "country", "state", "since", "by")
    show_page(titles, rows, answer, none="No sessions.")


@app.command()
def decide(
    session: Annotated[str, typer.Argument(help="The session, as `identity list` names it.")],
    verdict: Annotated[Verdict, typer.Argument(help="What you found out.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Say whether an applicant is who they say, once you know: a session is decided about once.

    Example: `perdure identity decide ids_0a1b2c3d4e5f60718293a4b5 verified
    --reason "passport seen in a video call"`

    Exit codes: 0 decided · 1 there is none, it is decided, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    from urllib.parse import quote

    from workers.cli.gateway_call import call, show_json

    path = f"/v1/identity-sessions/{quote(session, safe='')}/{verdict.value}"
    answer = call("POST", path, role=role, body={"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['state']}")
