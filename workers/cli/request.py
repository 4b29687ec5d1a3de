"""`perdure request`: the request ledger, for operators."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="See what was done once, and have it done again.", no_args_is_help=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A request key, or the workflow id of a process.")],
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Show one request, or all of a process.

    Example: `perdure request show onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    if name.count("/") > _SLASHES_OF_A_PROCESS:
        answer = call("GET", "/v1/requests/show", role=role, params={"key": name})
        entries = [answer]
    else:
        entries, cursor = [], None
        while True:
            asked = {"workflow_id": name, "cursor": cursor, "limit": 100}
            page = call("GET", "/v1/requests", role=role, params=asked)
            entries += page["items"]
            if (cursor := page["next"]) is None:
                break
        answer = {"items": entries, "next": None}
    if as_json:
        show_json(answer)
    elif entries:
        _show(entries)
    else:
        say("No requests.")


@app.command()
def reopen(
    key: Annotated[str, typer.Argument(help="The request key.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    generation: Annotated[
        int | None,
        typer.Option(
            min=1, help="The one that you looked at; refused if another came since. Default: now's."
        ),
    ] = None,
    role: AsRole = Role.admin,
    as_json: AsJson = False,
) -> None:
    """Have a request carried out again on purpose, once its process asks for it; audited.

    Example: `perdure request reopen onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa/notice.welcome
    --reason "lost at the provider"`

    Exit codes: 0 reopened · 1 there is none, it is pending, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    if generation is None:
        shown = call("GET", "/v1/requests/show", role=role, params={"key": key})
        generation = shown["generation"]
    body = {"key": key, "reason": reason}
    seen = {"If-Match": f'"{generation}"'}
    answer = call("POST", "/v1/requests/reopen", role=role, body=body, headers=seen)
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['key']}  generation {answer['generation']}")


_SLASHES_OF_A_PROCESS = 2


def _show(entries: list[dict[str, Any]]) -> None:
    from workers.cli.gateway_call import clock, show_table

    rows = [
        (
            one["key"].removeprefix(one["workflow_id"] + "/"),
            one["state"],
            one["generation"],
            _short(one["result"]) or _short(one["refusal"]),
            clock(one["first_sent_at"]),
            clock(one["settled_at"]),
        )
        for one in entries
    ]
    say(f"{entries[0]['workflow_id']}\n")
    show_table(("request", "state", "generation", "what came of it", "sent", "settled"), rows)


def _short(what: dict[str, Any] | None) -> str:
    """The plain values of a result or refusal: ids, mostly."""
    plain = {name: value for name, value in (what or {}).items() if not isinstance(value, dict)}
    return ", ".join(f"{name}={value}" for name, value in plain.items())
