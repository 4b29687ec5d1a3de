"""`perdure attention`: what waits for somebody, and what they decide."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="See what waits for somebody, and decide.", no_args_is_help=True)


class Action(StrEnum):
    """What can be decided."""

    retry = "retry"
    skip = "skip"
    abort = "abort"


@app.command("list")
def list_(
    owner: Annotated[str | None, typer.Option(help="Only what this role must act on.")] = None,
    step: Annotated[str | None, typer.Option(help="Only this step.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """List parked steps, processes whose code fails, and runs that were ended from outside.

    Example: `perdure attention list --step billing.create_customer`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_next

    asked = {"owner": owner, "step": step, "tenant": tenant, "limit": limit, "cursor": cursor}
    answer = call("GET", "/v1/attention", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    for one in answer["items"]:
        why = one["why"]
        say(f"{one['workflow_id']}  {one['step'] or one['kind']}")
        say(f"    {why['kind']}: {why['type']}: {why['text']}")
        say(f"    {one['owner']} since {clock(one['since'])} may {', '.join(one['choices'])}")
    if not answer["items"]:
        say("Nothing waits for anybody.")
    show_next(answer)


@app.command()
def resolve(
    workflow_id: Annotated[str, typer.Argument(help="The process, as `attention list` names it.")],
    action: Annotated[Action, typer.Argument(help="What is to be done.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    step: Annotated[
        str | None,
        typer.Option(help="The parked step; left out for a run that is lost or failing."),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, help="A corrected version of the application to retry with."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Since when, as the list says it; refused if it parked anew meanwhile."),
    ] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Decide about something on the list: retry it, go on without it, or stop and undo.

    Example: `perdure attention resolve onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa retry
    --step billing.create_customer --reason "Stripe is up again"`

    Exit codes: 0 accepted · 1 nothing waits there, or refused by the gateway · 2 wrong usage or
    setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    decision = {
        "workflow_id": workflow_id,
        "step": step,
        "action": action.value,
        "reason": reason,
        "version": version,
        "since": since,
    }
    answer = call("POST", "/v1/attention/resolve", role=role, body=decision)
    if as_json:
        show_json(answer)
    else:
        line = f"{answer['workflow_id']}  {answer['stage']}  {answer['stopping'] or ''}"
        say(line.rstrip())


@app.command()
def retry(
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    step: Annotated[str | None, typer.Option(help="Only this step, with all its parts.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only what this role must act on.")] = None,
    reason_kind: Annotated[
        str | None, typer.Option(help='Only what was "refused", or ran "out of time".')
    ] = None,
    reason_type: Annotated[
        str | None, typer.Option(help="Only this type, as stripe.connection.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many steps, at most, and a few more.")
    ] = 1000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show which steps would be retried.")
    ] = False,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Retry every parked step that fits, each decided about by itself. Look with --dry-run first.

    Example: `perdure attention retry --step billing.create_customer --reason-type
    stripe.connection --reason "Stripe is up again" --dry-run`

    Exit codes: 0 all that fit were retried, or none fits · 1 some were not, or refused by the
    gateway · 2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json, show_table

    asked: dict[str, Any] = {
        "step": step,
        "owner": owner,
        "reason_kind": reason_kind,
        "reason_type": reason_type,
        "tenant": tenant,
        "reason": reason,
        "dry_run": dry_run,
    }
    items: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"next": None}
    while len(items) < limit:
        page = {"limit": min(_PAGE, limit - len(items)), "cursor": answer["next"]}
        answer = call("POST", "/v1/attention/retry-all", role=role, body=asked | page)
        items += answer["items"]
        if answer["next"] is None:
            break
    if as_json:
        show_json({"dry_run": dry_run, "items": items, "next": answer["next"]})
    elif items:
        titles = ("workflow", "step", "why", "outcome", "detail")
        rows = [
            (
                one["workflow_id"],
                one["step"],
                f"{one['why']['kind']}: {one['why']['type']}",
                one["outcome"],
                one["detail"],
            )
            for one in items
        ]
        show_table(titles, rows)
    else:
        say("Nothing fits.")
    if any(one["outcome"] not in ("fits", "taken") for one in items):
        raise typer.Exit(1)


_PAGE = 100
