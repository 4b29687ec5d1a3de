"""`perdure breaks`: what has to be explained."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from workers.cli.options import AsJson, AsRole, Role, values
from workers.terminal import say
from workflows.reconciliation.books import BreakClass

app = typer.Typer(help="Look at what the books do not agree on.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    break_class: Annotated[
        list[str] | None,
        typer.Option(
            "--class", help=f"Only of these classes, repeatable: {values(get_args(BreakClass))}."
        ),
    ] = None,
    leg: Annotated[str | None, typer.Option(help="L1, L2 or L3.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only in this currency.")] = None,
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    at_least: Annotated[int, typer.Option(min=0, help="At risk, in minor units.")] = 0,
    material: Annotated[
        bool | None,
        typer.Option(
            "--material/--small", help="Those worth somebody by themselves, or only the others."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List breaks, those with the most at risk first.

    Example: `perdure breaks list --account acme --class missing_ours`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json, show_page

    asked = {
        "account": account,
        "class": break_class or None,
        "leg": leg,
        "currency": currency,
        "state": state,
        "at_least": at_least,
        "material": material,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/breaks", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    from workers.cli.reconcile_shown import money

    rows = [
        (
            one["id"],
            one["account"],
            one["break_class"],
            one["leg"],
            money(one["at_risk_minor"], one["currency"]),
            one["days"],
            " ".join(one["subject"]),
            ", ".join(word for word in ("material", "provisional") if one[word]),
        )
        for one in answer["items"]
    ]
    titles = ("id", "account", "class", "leg", "at risk", "days", "subject", "note")
    show_page(titles, rows, answer, none="No breaks.")


@app.command()
def show(
    id: Annotated[int, typer.Argument(min=1, help="The break's id.")],
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Show a break: the items that it is about, and all that happened to it.

    Example: `perdure breaks show 17`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_table

    answer = call("GET", f"/v1/breaks/{id}", role=role)
    if as_json:
        show_json(answer)
        return
    from workers.cli.reconcile_shown import money

    at_risk = money(answer["at_risk_minor"], answer["currency"])
    over = f", closed on {answer['closed_on']}" if answer["closed_on"] else ""
    say(
        f"{answer['account']}: {answer['break_class']} in {answer['leg']}, {at_risk} at risk, "
        f"since {answer['opened_on']}{over}\n"
    )
    items = [
        (
            one["source_id"],
            one["book"],
            one["kind"],
            money(one["amount_minor"], one["currency"]),
            one["effective_on"],
            one["reference"],
        )
        for one in answer["items"]
    ]
    show_table(("item", "book", "kind", "amount", "day", "reference"), items)
    say()
    events = [
        (
            one["run"],
            one["what"],
            one["break_class"],
            money(one["at_risk_minor"], answer["currency"]),
            clock(one["at"]),
        )
        for one in answer["events"]
    ]
    show_table(("run", "what", "class", "at risk", "at"), events)
