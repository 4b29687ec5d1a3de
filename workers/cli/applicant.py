"""`perdure applicant`: what an applicant may know, and the token by which they see it."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="See what an applicant sees, and let them see it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The onboarding's id.")]


@app.command()
def status(id: Id, role: AsRole = Role.support, as_json: AsJson = False) -> None:
    """Show how an onboarding stands, in words for the applicant: what to do, and until when.

    Example: `perdure applicant status aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json

    answer = call("GET", f"{_path(id)}/status", role=role)
    if as_json:
        show_json(answer)
        return
    say(answer["text"])
    if (asked := answer["asked"]) and asked["until"]:
        say(f"until {clock(asked['until'])}")
    for code in answer["adverse_actions"]:
        say(f"  {code}")
    if answer["appeal_until"]:
        say(f"appeal until {clock(answer['appeal_until'])}")


@app.command()
def token(
    id: Id,
    days: Annotated[int, typer.Option(min=1, max=30, help="How long it holds.")] = 7,
    role: AsRole = Role.support,
    as_json: AsJson = False,
) -> None:
    """Make a token with which an applicant sees how their onboarding stands, and nothing else.

    Example: `perdure applicant token aaaaaaaaaaaaaaaaaaaaaaaaaa --days 3`

    Exit codes: 0 made · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("POST", f"{_path(id)}/status-token", role=role, body={"days": days})
    if as_json:
        show_json(answer)
    else:
        say(answer["token"])


def _path(id: str) -> str:
    from urllib.parse import quote

    return f"/v1/onboardings/{quote(id, safe='')}"
