"""How far a process is, as commands show it."""

from __future__ import annotations

from typing import Any

from workers.terminal import say


def show_progress(progress: dict[str, Any] | None) -> None:
    """Show what is waited for, what is parked, and every step. Any: what the gateway answered."""
    from workers.cli.gateway_call import clock, show_table

    if not progress:
        return
    if waiting := progress["waiting"]:
        say(f"\nWaiting for {waiting['what']} by {waiting['who']} until {clock(waiting['until'])}")
    for one in progress["attention"]:
        reason = one["reason"]
        say(
            f"\nParked since {clock(one['since'])}: {one['step']}\n"
            f"  {reason['kind']}: {reason['type']}: {reason['text']}\n"
            f"  {one['owner']} may {', '.join(one['choices'])}: perdure attention resolve"
        )
    say()
    show_table(
        ("step", "state", "started", "ended"),
        [
            (one["step"], one["state"], clock(one["started_at"]), clock(one["ended_at"]))
            for one in progress["steps"]
        ],
    )
