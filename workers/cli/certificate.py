"""What a reconciliation certified: shown in brief, and its documents saved."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.options import AsRole, Role, segment
from workers.terminal import say

app = typer.Typer()


class Format(StrEnum):
    """The documents of a certificate."""

    html = "html"
    csv = "csv"
    json = "json"


@app.command()
def report(
    account: Annotated[str, typer.Argument(help="The account's name.")],
    day: Annotated[
        datetime, typer.Argument(help="The business date, as 2026-01-31.", formats=["%Y-%m-%d"])
    ],
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)],
    document: Annotated[
        Format, typer.Option("--format", help="A page to print, the open breaks, the certificate.")
    ] = Format.html,
    ordinal: Annotated[
        int | None, typer.Option(min=1, help="Which run of the day; else the latest.")
    ] = None,
    role: AsRole = Role.finance_operator,
) -> None:
    """Save what a run certified: as a page to print, its breaks as CSV, or the certificate itself.

    Example: `perdure reconcile report acme 2026-01-31 --format html --out acme.html`

    Exit codes: 0 saved · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import GatewayRefused, call, document_of
    from workers.cli.reconcile import path_of

    run = call("GET", path_of(account, day, ordinal, role), role=role)
    if run["certificate_id"] is None:
        raise GatewayRefused(f"{run['id']} has no certificate: it is {run['stage']}.")
    params = {"format": document.value}
    path = f"/v1/certificates/{segment(run['certificate_id'])}"
    content = document_of(path, role=role, params=params)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from None
    say(f"{out}: {len(content):,} bytes")


def show_certified(run: dict[str, Any], role: Role) -> None:
    """Show what a run came to, and how its documents are had. Any: the gateway's JSON."""
    from workers.cli.gateway_call import GatewayRefused, call, show_table

    try:
        certificate = call("GET", f"/v1/certificates/{segment(run['certificate_id'])}", role=role)
    except GatewayRefused:
        say(f"certificate: {run['certificate_id']}, of which no document is written yet")
        return
    for lack in certificate["missing"]:
        say(f"missing: {_missing(lack)}")
    matched = sum(one["matches"] for one in certificate["matches"])
    broken = sum(one["breaks"] for one in certificate["breaks"])
    say(f"{_counted(matched, 'match', 'matches')}, {_counted(broken, 'open break', 'open breaks')}")
    if certificate["bridge"]:
        say()
        show_table(("equation", "", "left over"), [_equation(one) for one in certificate["bridge"]])
    if broken:
        say()
        show_table(("class", "age", "breaks", "at risk"), _breaks(certificate["breaks"]))
    of_run = f"{run['account']} {run['business_date']} --ordinal {run['ordinal']}"
    formats = "|".join(Format)
    say(f"\ncertificate: {run['certificate_id']}")
    say(f"to save it: perdure reconcile report {of_run} --format {formats} --out FILE")


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _missing(lack: dict[str, Any]) -> str:
    """What is missing, of which book and thing, and by how much."""
    from activities.reconciliation import words
    from workers.cli.reconcile_shown import money

    amount = money(lack["amount_minor"], lack["currency"]) if lack["currency"] else ""
    where = (words.BOOK[lack["book"]] if lack["book"] else "", lack["subject"], amount)
    told = ", ".join(part for part in where if part)
    lacks = f"{words.LACK[lack['lack']]} ({lack['lack']})"
    return f"{lacks}: {told}" if told else lacks


def _equation(one: dict[str, Any]) -> tuple[str, ...]:
    from activities.reconciliation import words
    from workers.cli.reconcile_shown import money

    left = money(one["residual_minor"], one["currency"])
    return one["name"], words.EQUATION[one["name"]], left


def _breaks(totals: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    from workers.cli.reconcile_shown import money

    return [
        (
            one["break_class"],
            one["age"],
            one["breaks"],
            money(one["at_risk_minor"], one["currency"]),
        )
        for one in totals
    ]
