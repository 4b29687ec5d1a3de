"""How far a process is, as commands show it."""

from __future__ import annotations

from typing import Any

import typer


def show_progress(progress: dict[str, Any] | None) -> None:
    """Show what is waited for, what is parked, and every step. Any: what the gateway answered."""
    from workers.cli.gateway_call import clock, show_table

    if not progress:
        return
    if waiting := progress["waiting"]:
        typer.echo(
            f"\nWaiting for {waiting['what']} by {waiting['who']} until {clock(waiting['until'])}"
        )
    for one in progress["attention"]:
        reason = one["reason"]
        typer.echo(
            f"\nParked since {clock(one['since'])}: {one['step']}\n"
            f"  {reason['kind']}: {reason['type']}: {reason['text']}\n"
            f"  {one['owner']} may {', '.join(one['choices'])}: perdure attention resolve"
        )
    typer.echo()
    show_table(
        ("step", "state", "started", "ended"),
        [
            (one["step"], one["state"], clock(one["started_at"]), clock(one["ended_at"]))
            for one in progress["steps"]
        ],
    )
