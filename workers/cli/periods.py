"""`perdure periods`: months of the journal, closed by one person and locked by another."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment

app = typer.Typer(help="Close and lock months of the journal.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account's name.")]
Month = Annotated[str, typer.Argument(help="The month, as 2026-01.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]


@app.command("list")
def list_(account: Account, role: AsRole = Role.finance_approver, as_json: AsJson = False) -> None:
    """List the months since an account was opened, and who closed them when.

    Example: `perdure periods list acme`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", f"/v1/accounts/{segment(account)}/periods", role=role)
    if as_json:
        show_json(answer)
    else:
        _show(answer["items"])


@app.command()
def close(
    account: Account,
    month: Month,
    reason: Reason,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Close a month that is over, and all before it: what comes late goes into the first open one.

    It may be reopened until somebody else locks it.

    Example: `perdure periods close acme 2026-01 --reason "reconciled and reported"`

    Exit codes: 0 closed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    _change("close", account, month, reason, role, as_json=as_json)


@app.command()
def lock(
    account: Account,
    month: Month,
    reason: Reason,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Lock a closed month for good. It takes somebody else than who closed it.

    Example: `perdure periods lock acme 2026-01 --reason "audited"`

    Exit codes: 0 locked · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    _change("lock", account, month, reason, role, as_json=as_json)


@app.command()
def reopen(
    account: Account,
    month: Month,
    reason: Reason,
    role: AsRole = Role.finance_approver,
    as_json: AsJson = False,
) -> None:
    """Open a closed month again, the latest first. What is locked stays locked.

    Example: `perdure periods reopen acme 2026-01 --reason "an invoice was left out"`

    Exit codes: 0 open · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    _change("reopen", account, month, reason, role, as_json=as_json)


def _change(what: str, account: str, month: str, reason: str, role: Role, *, as_json: bool) -> None:
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/accounts/{segment(account)}/periods/{segment(month)}/{what}"
    answer = call("POST", path, role=role, body={"reason": reason})
    if as_json:
        show_json(answer)
    else:
        _show([answer])


def _show(months: list[dict[str, Any]]) -> None:
    """Any: the gateway's JSON."""
    from workers.cli.gateway_call import clock, show_table

    rows = [
        (one["month"], one["state"], one["changed_by"], clock(one["changed_at"])) for one in months
    ]
    show_table(("month", "state", "by", "at"), rows)
