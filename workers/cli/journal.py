"""`perdure journal`: our own book, as of a day."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.options import AsJson, AsRole, KnownAt, OnDay, Role, segment
from workers.terminal import say

app = typer.Typer(help="Look into the journal.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look into the journal."""


@app.command()
def balances(
    account: Annotated[str, typer.Argument(help="The account's name.")],
    on: OnDay = None,
    known_at: KnownAt = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Show what each account of a journal held, by the last seal.

    Example: `perdure journal balances acme --on 2026-01-31`

    Exit codes: 0 shown · 1 never sealed, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_table
    from workers.cli.reconcile_shown import money

    asked = {"on": on.date().isoformat() if on else None, "known_at": known_at}
    path = f"/v1/accounts/{segment(account)}/balances"
    answer = call("GET", path, role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    rows = [(one["code"], money(one["amount_minor"], one["currency"])) for one in answer["items"]]
    show_table(("account", "balance"), rows)
    later = "1 entry was" if answer["later"] == 1 else f"{answer['later']} entries were"
    say(f"\nsealed at {clock(answer['sealed_at'])}; {later} booked later")
