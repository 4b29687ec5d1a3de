"""`perdure statements`: the banks' statement files, and which of their statements is wrong."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(
    help="Look at statements, withdraw a wrong one, or reinstate it.", no_args_is_help=True
)


@app.command("list")
def list_(
    state: Annotated[
        str | None,
        typer.Option(
            help="Only files with such a statement: counts, unknown_account, again, interim, "
            "contradicted, superseded, withdrawn."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List statement files with their statements, the latest first.

    Example: `perdure statements list --state contradicted`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json, show_next, show_table

    asked = {"state": state, "limit": limit, "cursor": cursor}
    answer = call("GET", "/v1/statements", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    for file in answer["items"]:
        say(f"{file['id']}  {file['state']}")
        if file["statements"]:
            show_table(_TITLES, [_row(one) for one in file["statements"]], indent=4)
        for one in file["statements"]:
            if one["same_as"]:
                say(f"    {one['number']} is beside {one['same_as']} of {one['same_as_file']}")
    if not answer["items"]:
        say("No statements.")
    show_next(answer)


_TITLES = ("number", "bank account", "name", "closing on", "entries", "proof", "state")


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    """A statement in a row. Any: the gateway's JSON."""
    return (
        *(one["number"], one["bank_account"], one["statement_id"], one["closing_on"]),
        *(one["entries"], one["proof"], one["state"]),
    )


File = Annotated[str, typer.Argument(help="The file, as `statements list` names it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]
Number = Annotated[int | None, typer.Option(min=1, help="Its number, where the file has several.")]


@app.command()
def withdraw(
    id: File,
    reason: Reason,
    statement: Number = None,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Withdraw a statement that is wrong: it is no evidence from the next run on.

    One that contradicts it counts in its place. It takes somebody who sent no other statement of
    its days, and sends none later. What was certified stays as it is.

    Example: `perdure statements withdraw 7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a --reason "corrected"`

    Exit codes: 0 withdrawn · 1 there is none, or refused by the gateway · 2 wrong usage or setting
    · 3 the gateway does not answer
    """
    answer = _judge("withdraw", id, reason, statement, role, as_json=as_json)
    if not as_json:
        say(f"A statement of {answer['id']} is withdrawn.")


@app.command()
def reinstate(
    id: File,
    reason: Reason,
    statement: Number = None,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Reinstate a statement that was withdrawn by mistake.

    It takes somebody who did not withdraw it, and who sent neither it nor another one of its days.
    Its file is read again by the next run, and what the statement counts for is decided anew.

    Example: `perdure statements reinstate 7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a --reason "a mistake"`

    Exit codes: 0 not withdrawn any more · 1 there is none, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    answer = _judge("reinstate", id, reason, statement, role, as_json=as_json)
    if not as_json:
        say(f"A statement of {answer['id']} is decided anew.")


def _judge(
    what: str, file: str, reason: str, statement: int | None, role: Role, *, as_json: bool
) -> dict[str, Any]:  # Any: the gateway's answer
    """Say something of a statement; the answer, which is shown if it is asked for as JSON."""
    from workers.cli.gateway_call import call, show_json

    body = {"reason": reason} | ({"statement": statement} if statement else {})
    path = f"/v1/statements/{segment(file)}/{what}"
    answer: dict[str, Any] = call("POST", path, role=role, body=body)
    if as_json:
        show_json(answer)
    return answer
