"""`perdure screening`: who may be on a list, and what reviewers find."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="See hits of screenings, and judge them.", no_args_is_help=True)


class Verdict(StrEnum):
    """What can be found."""

    false_positive = "false_positive"
    confirmed = "confirmed"


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The onboarding.")],
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Show the hits of an onboarding's latest screening, and who judged them.

    Example: `perdure screening show aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json, show_table

    answer = call("GET", _path(id), role=role)
    if as_json:
        show_json(answer)
    elif not answer["hits"]:
        say("No hits.")
    else:
        titles = ("hit", "party", "name", "%", "list", "entry", "says", "why", "judgement")
        show_table(titles, [_row(one) for one in answer["hits"]])


@app.command()
def judge(
    id: Annotated[str, typer.Argument(help="The onboarding.")],
    hit: Annotated[int, typer.Argument(min=1, help="The hit, as `screening show` numbers it.")],
    verdict: Annotated[Verdict, typer.Argument(help="What you found.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    until: Annotated[
        str | None,
        typer.Option(help="Until when a false positive is remembered: 2026-12-31T00:00:00Z."),
    ] = None,
    revision: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The one that you looked at; refused if it was judged since. Default: now's.",
        ),
    ] = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Say that a party is the one that is listed, or that it is somebody else.

    Example: `perdure screening judge aaaaaaaaaaaaaaaaaaaaaaaaaa 7 false_positive
    --reason "born in another year, as the passport shows"`

    Exit codes: 0 kept · 1 there is no such hit, it was judged meanwhile, or refused by the gateway
    · 2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import GatewayRefused, call, show_json

    if revision is None:
        hits = call("GET", _path(id), role=role)["hits"]
        revisions = [one["revision"] for one in hits if one["id"] == hit]
        if not revisions:
            raise GatewayRefused(f"The latest screening of {id} has no hit {hit}.")
        (revision,) = revisions
    answer = call(
        "POST",
        f"{_path(id)}/hits/{hit}/judgement",
        role=role,
        body={"verdict": verdict.value, "reason": reason, "until": until},
        headers={"If-Match": f'"{revision}"'},
    )
    if as_json:
        show_json(answer)
    else:
        say(f"hit {answer['id']}  {verdict.value}  {answer['open']} left to judge")


@app.command()
def lists(as_json: AsJson = False) -> None:
    """Show the list that this installation screens against, and its version, asked of itself.

    Example: `perdure screening lists`

    Exit codes: 0 shown · 1 it does not answer · 2 wrong usage or setting
    """
    import asyncio

    from workers.cli.gateway_call import show_json, show_table

    found = asyncio.run(_current())
    if as_json:
        show_json(found)
    else:
        titles = ("system", "list", "version", "entries")
        show_table(titles, [tuple(found[title] for title in titles)])


async def _current() -> dict[str, Any]:
    """What the screening of the settings says of its list. Raises Obstacle."""
    from contextlib import AsyncExitStack

    from connectors.errors import ConnectorError
    from workers import settings as setting
    from workers.obstacle import Obstacle
    from workers.systems import SCREENING, Asking

    settings = setting.load()
    async with AsyncExitStack() as closing:
        try:
            asking = Asking(settings, _PATIENCE_SECONDS, closing)
            current = await SCREENING[settings.screening](asking).current()
        except ConnectorError as error:
            raise Obstacle(f"{settings.screening}: {error.text} ({error.type})") from error
    return {
        "system": settings.screening,
        "list": current.list,
        "version": current.version,
        "entries": current.entries,
    }


_PATIENCE_SECONDS = 20.0


def _path(id: str) -> str:
    from urllib.parse import quote

    return f"/v1/onboardings/{quote(id, safe='')}/screening"


def _row(hit: dict[str, Any]) -> tuple[Any, ...]:
    from workers.cli.gateway_call import clock

    entry, judgement = hit["entry"], hit["judgement"]
    says = ", ".join([entry["name"], *entry["birth_dates"], *entry["countries"]])
    judged = judgement and (
        f"{judgement['verdict']} by {judgement['by']} {clock(judgement['at'])}"
        + (f" until {clock(judgement['until'])}" if judgement["until"] else "")
        + (" (remembered)" if judgement["remembered"] else "")
    )
    return (
        hit["id"],
        hit["party"],
        hit["name"],
        hit["score"],
        f"{hit['list']} {hit['list_version']}",
        entry["id"],
        says,
        ", ".join(entry["topics"]),
        judged,
    )
