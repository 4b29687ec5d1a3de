"""`perdure matches`: what belongs together, and what does not after all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, get_args

import typer

from workers.cli.options import AsJson, AsRole, Role, segment, values
from workers.terminal import say
from workflows.reconciliation.books import Rule

app = typer.Typer(help="Look at matches, take them apart.", no_args_is_help=True)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    leg: Annotated[str | None, typer.Option(help="L1, L2 or L3.")] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help=f"Only by these rules, repeatable: {values(get_args(Rule))}."),
    ] = None,
    day: Annotated[
        datetime | None, typer.Option(help="Made by runs of this day.", formats=["%Y-%m-%d"])
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="With an item of this id, as txn_… or an entry's.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List matches with their items, the latest first.

    Example: `perdure matches list --account acme --source txn_1`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json, show_next, show_table

    asked = {
        "account": account,
        "leg": leg,
        "rule": rule or None,
        "business_date": day.date().isoformat() if day else None,
        "source": source,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/matches", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    from workers.cli.reconcile_shown import money

    for one in answer["items"]:
        say("  ".join(one[field] for field in ("id", "account", "leg", "rule", "disposition")))
        items = [
            (item["book"], item["source_id"], money(item["amount_minor"], item["currency"]))
            for item in one["items"]
        ]
        show_table(("", "", ""), items, indent=4)
    if not answer["items"]:
        say("No matches.")
    show_next(answer)


@app.command()
def unmatch(
    id: Annotated[str, typer.Argument(help="The match, as `matches list` names it.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Take a match apart: its items are open from the next run on, which does not rematch them.

    Example: `perdure matches unmatch 3d6f0a52-8c1e-5b7a-9a51-7f5d8a2b9c10 --reason "not theirs"`

    Exit codes: 0 taken apart, now or before · 1 there is none, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    body = {"reason": reason}
    answer = call("POST", f"/v1/matches/{segment(id)}/unmatch", role=role, body=body)
    if as_json:
        show_json(answer)
    else:
        already = " already" if answer["before"] else ""
        say(f"{answer['id']} is taken apart{already}.")
