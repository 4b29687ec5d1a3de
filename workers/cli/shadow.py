"""`perdure reconcile shadow`: how a day would come out, and nothing of it stays."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer()

_LOOK_SECONDS = 0.5


@app.command()
def shadow(
    account: Annotated[str, typer.Argument(help="The account's name.")],
    day: Annotated[
        datetime, typer.Argument(help="The business date, as 2026-01-31.", formats=["%Y-%m-%d"])
    ],
    name: Annotated[
        str | None, typer.Option(help="Look at the one of this name; else begin another.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is over, and say how.")] = True,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Try out how a day of an account would come out: matches, breaks and proof, none of it kept.

    Example: `perdure reconcile shadow acme 2026-01-31`

    Exit codes: 0 BALANCED, or not over with --no-wait · 1 BREAKS · 2 wrong usage or setting, or
    refused by the gateway · 3 INCOMPLETE · 4 PROOF_FAILED · 5 taken back or waiting for somebody,
    or the gateway does not answer
    """
    from workers.cli.gateway_call import show_json
    from workers.cli.reconcile import EXIT_CODES, OVER, refusals_apart

    with refusals_apart():
        answer = _asked(account, day, name, role)
        while wait and not (answer["over"] or (answer["progress"] or {}).get("attention")):
            answer = _look(answer, role)
    if as_json:
        show_json(answer)
    else:
        _tell(answer)
    found = answer["found"] or {}
    if wait or found:
        raise typer.Exit(EXIT_CODES.get(found.get("status", ""), OVER))


def _asked(account: str, day: datetime, name: str | None, role: Role) -> dict[str, Any]:
    """The shadow that is meant. Any: the gateway's JSON."""
    from workers.cli.gateway_call import call

    at = day.date().isoformat()
    if name is None:
        body = {"account": account, "business_date": at}
        begun: dict[str, Any] = call("POST", "/v1/reconciliations/shadows", role=role, body=body)
        return begun
    path = f"/v1/reconciliations/shadows/{segment(account)}/{at}/{segment(name)}"
    found: dict[str, Any] = call("GET", path, role=role)
    return found


def _look(answer: dict[str, Any], role: Role) -> dict[str, Any]:
    """How far it is a moment later. Any: the gateway's JSON."""
    import time

    from workers.cli.gateway_call import call

    time.sleep(_LOOK_SECONDS)
    path = f"/v1/reconciliations/shadows/{answer['id'].partition('/')[2]}"
    found: dict[str, Any] = call("GET", path, role=role)
    if found["stage"] != answer["stage"]:
        say(f"  {found['stage']}", err=True)
    return found


def _tell(answer: dict[str, Any]) -> None:
    """Any: the gateway's JSON."""
    from workers.cli.gateway_call import show_table

    found = answer["found"]
    say(f"{answer['id']}: {found['status'] if found else answer['stage']}")
    if found is None:
        say(f"look again with --name {answer['name']}")
        return
    say(f"{found['matched']} items matched")
    for lack in found["missing"]:
        say(f"missing: {lack}")
    if found["breaks"]:
        show_table(("class", "breaks"), sorted(found["breaks"].items()))
