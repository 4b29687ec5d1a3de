"""`perdure account`: what is reconciled, and what it begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment

app = typer.Typer(help="Accounts that are reconciled: open them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]
Proposal = Annotated[
    int, typer.Option(min=1, help="The proposal that you looked at: `perdure account opening`.")
]


@app.command("open")
def open_(
    account: Name,
    file: Annotated[
        Path,
        typer.Argument(help="JSON: opened_on, balances, items; see docs/journal.md."),
    ],
    reason: Reason,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Propose what an account begins with: its balances, and what is open between its books.

    Somebody else approves of it. A newer proposal takes the place of an older one.

    Example: `perdure account open acme opening.json --reason "the old ledger, as audited"`

    Exit codes: 0 proposed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway
    does not answer
    """
    import json

    from workers.cli.gateway_call import call

    try:
        opening = json.loads(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from None
    if not isinstance(opening, dict):
        raise typer.BadParameter(f"{file} holds no object")
    path = f"/v1/accounts/{segment(account)}/opening"
    _show(call("POST", path, role=role, body=opening | {"reason": reason}), as_json=as_json)


@app.command()
def opening(account: Name, role: AsRole = Role.finance_approver, as_json: AsJson = False) -> None:
    """Show the latest proposal, and what was decided about it.

    Example: `perdure account opening acme`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call

    _show(call("GET", f"/v1/accounts/{segment(account)}/opening", role=role), as_json=as_json)


@app.command()
def approve(
    account: Name,
    proposal: Proposal,
    reason: Reason,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Approve of what an account begins with: it is booked, and the account is open.

    Example: `perdure account approve acme --proposal 1 --reason "compared with the statements"`

    Exit codes: 0 opened · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    _decide("approve", account, proposal, reason, role, as_json=as_json)


@app.command()
def refuse(
    account: Name,
    proposal: Proposal,
    reason: Reason,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Refuse what an account is to begin with.

    Example: `perdure account refuse acme --proposal 1 --reason "the bank's balance is another"`

    Exit codes: 0 refused · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    _decide("refuse", account, proposal, reason, role, as_json=as_json)


def _decide(
    what: str, account: str, proposal: int, reason: str, role: Role, *, as_json: bool
) -> None:
    from workers.cli.gateway_call import call

    path = f"/v1/accounts/{segment(account)}/opening/{what}"
    headers = {"If-Match": f'"{proposal}"'}
    answer = call("POST", path, role=role, body={"reason": reason}, headers=headers)
    _show(answer, as_json=as_json)


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    """Any: the gateway's JSON."""
    from workers.cli.gateway_call import clock, show_json, show_table

    if as_json:
        show_json(answer)
        return
    by = f" by {answer['decided_by']}" if answer["decided_by"] else ""
    typer.echo(
        f"{answer['account']}  proposal {answer['id']}  {answer['state']}{by}  "
        f"opens on {answer['opened_on']}  {answer['items']} open items"
    )
    typer.echo(
        f"proposed by {answer['proposed_by']}, {clock(answer['proposed_at'])}: {answer['reason']}\n"
    )
    rows = [(one["book"], one["currency"], one["amount_minor"]) for one in answer["balances"]]
    show_table(("book", "currency", "minor units"), rows)
