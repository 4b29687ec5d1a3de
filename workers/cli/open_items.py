"""`perdure reconcile open`: what was open in an account, as of a day and as it was known."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.options import AsJson, AsRole, KnownAt, OnDay, Role, segment
from workers.terminal import say

app = typer.Typer()


@app.command("open")
def open_(
    *,
    account: Annotated[str, typer.Argument(help="The account's name.")],
    on: OnDay = None,
    known_at: KnownAt = None,
    ordinal: Annotated[
        int | None, typer.Option(min=1, help="As this run of the day had it; else the latest.")
    ] = None,
    leg: Annotated[str | None, typer.Option(help="L1, L2 or L3.")] = None,
    book: Annotated[
        str | None, typer.Option(help="processor, bank, clearing, in_transit or cash.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Only in this currency.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List what was open in an account: items and breaks, and what they come to.

    Example: `perdure reconcile open acme --on 2026-01-31 --known-at 2026-02-01T06:00:00Z`

    Exit codes: 0 listed · 1 nothing was certified by then, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page, show_table
    from workers.cli.reconcile_shown import money

    asked = {
        "on": on.date().isoformat() if on else None,
        "known_at": known_at,
        "ordinal": ordinal,
        "leg": leg,
        "book": book,
        "currency": currency,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", f"/v1/accounts/{segment(account)}/open", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    since = clock(answer["known_since"])
    say(f"{answer['run']}: {answer['status']}, known since {since}\n")
    sums = [
        (
            one["leg"],
            one["break_class"] or "no break",
            one["items"],
            money(one["amount_minor"], one["currency"]),
            money(one["at_risk_minor"], one["currency"]) if one["breaks"] else "",
        )
        for one in answer["totals"]
    ]
    if sums:
        show_table(("leg", "class", "items", "open", "at risk"), sums)
        say()
    rows = [
        (
            one["leg"],
            one["break_class"] or one["disposition"],
            one["book"],
            money(one["amount_minor"], one["currency"]),
            one["effective_on"],
            one["source_id"],
            one["reference"],
        )
        for one in answer["items"]
    ]
    titles = ("leg", "why", "book", "amount", "day", "item", "reference")
    show_page(titles, rows, answer, none="Nothing was open.")
