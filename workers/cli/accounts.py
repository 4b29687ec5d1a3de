"""`perdure accounts`: what is reconciled, and what it begins with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(help="Accounts that are reconciled: open them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]
Proposal = Annotated[
    int, typer.Option(min=1, help="The proposal that you looked at: `perdure accounts opening`.")
]


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List accounts, with the latest day that was reconciled and how it came out.

    Example: `perdure accounts list`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json, show_page

    asked = {"tenant": tenant, "limit": limit, "cursor": cursor}
    answer = call("GET", "/v1/accounts", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    fields = ("name", "tenant", "processor", "journal", "opened_on", "reconciled_on", "status")
    rows = [(*(one[field] for field in fields), one["open_breaks"]) for one in answer["items"]]
    titles = (
        "account",
        "tenant",
        "processor",
        "journal",
        "opened",
        "reconciled",
        "status",
        "breaks",
    )
    show_page(titles, rows, answer, none="No accounts.")


@app.command()
def make(
    account: Name,
    opened_on: Annotated[
        datetime, typer.Option(help="The first day that is compared.", formats=["%Y-%m-%d"])
    ],
    bank_account: Annotated[
        list[str] | None,
        typer.Option(
            help="IDENTIFICATION:CURRENCY:CALENDAR, as DE0212…:EUR:target, perhaps with :weekly or "
            ":monthly, where the bank sends statements no more often; repeatable."
        ),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Where its days begin and end.")] = "UTC",
    processor: Annotated[
        str, typer.Option(help="How its movements come: listing or reports.")
    ] = "listing",
    posts: Annotated[
        list[str] | None,
        typer.Option(help="What we book from evidence: fees, payouts, settlements; repeatable."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose, where the key is for all.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Make an account. What it begins with is proposed by `perdure accounts open`.

    Example: `perdure accounts make acme --opened-on 2026-01-31 --bank-account DE02:EUR:target`

    Exit codes: 0 made · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json

    body = {
        "name": account,
        "time_zone": time_zone,
        "opened_on": opened_on.date().isoformat(),
        "processor": processor,
        "posts": posts or [],
        "bank_accounts": [bank_account_of(text) for text in bank_account or ()],
    }
    answer = call("POST", "/v1/accounts", role=role, body=body, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        say(f"made {answer['name']}")


def bank_account_of(text: str) -> dict[str, str]:
    """A bank account as the option names it. Raises typer.BadParameter."""
    rhythm = text.rpartition(":")[2]
    sent = {"statements": rhythm} if rhythm in ("daily", "weekly", "monthly") else {}
    parts = text.removesuffix(f":{rhythm}" if sent else "").rsplit(":", 2)
    if len(parts) != 3:
        raise typer.BadParameter(f"{text!r} is not IDENTIFICATION:CURRENCY:CALENDAR")
    return dict(zip(("identification", "currency", "calendar"), parts, strict=True)) | sent


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

    Example: `perdure accounts open acme opening.json --reason "the old ledger, as audited"`

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

    Example: `perdure accounts opening acme`

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

    Example: `perdure accounts approve acme --proposal 1 --reason "compared with the statements"`

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

    Example: `perdure accounts refuse acme --proposal 1 --reason "the bank's balance is another"`

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
    from workers.cli.reconcile_shown import money

    if as_json:
        show_json(answer)
        return
    by = f" by {answer['decided_by']}" if answer["decided_by"] else ""
    say(
        f"{answer['account']}  proposal {answer['id']}  {answer['state']}{by}  "
        f"opens on {answer['opened_on']}  {answer['items']} open items"
    )
    say(
        f"proposed by {answer['proposed_by']}, {clock(answer['proposed_at'])}: {answer['reason']}\n"
    )
    rows = [
        (one["book"], money(one["amount_minor"], one["currency"])) for one in answer["balances"]
    ]
    show_table(("book", "balance"), rows)
    shown = answer["open_items"]
    if not shown:
        return
    say(f"\nopen items, the first {len(shown)} of {answer['items']}:")
    items = [
        (
            *(one["book"], one["kind"], money(one["amount_minor"], one["currency"])),
            *(one["effective_on"], one["reference"] or "-", one["source_id"]),
        )
        for one in shown
    ]
    show_table(("book", "kind", "amount", "date", "reference", "id"), items)
