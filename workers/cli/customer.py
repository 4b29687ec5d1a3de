"""`perdure customer`: who is a customer, and what is done about them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(help="Look at customers, compare them, let them go.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The customer's id: that of the onboarding.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]


@app.command("list")
def list_(
    stage: Annotated[
        list[str] | None, typer.Option(help="active, reverifying or offboarded; repeatable.")
    ] = None,
    risk: Annotated[list[str] | None, typer.Option(help="low, medium or high; repeatable.")] = None,
    reverify_before: Annotated[
        str | None, typer.Option(help="Proof of identity due before, as 2026-01-31T00:00:00Z.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """List customers, the newest first.

    Example: `perdure customer list --stage active --risk high`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page

    asked = {
        "stage": stage or None,
        "risk": risk or None,
        "reverify_before": reverify_before,
        "tenant": tenant,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/customers", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    times = ("since", "compared_at", "reverify_at", "left_at")
    rows = [
        (one["id"], one["tenant"], one["stage"], one["risk"], *(clock(one[time]) for time in times))
        for one in answer["items"]
    ]
    titles = ("id", "tenant", "stage", "risk", "since", "compared", "reverify", "left")
    show_page(titles, rows, answer, none="No customers.")


@app.command()
def show(id: Id, role: AsRole = Role.operator, as_json: AsJson = False) -> None:
    """Show a customer: the application, what is being done, and who must act.

    Example: `perdure customer show aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", f"/v1/customers/{segment(id)}", role=role)
    if as_json:
        show_json(answer)
    else:
        _show(answer)


@app.command("compare-now")
def compare_now(
    id: Id, reason: Reason, role: AsRole = Role.operator, as_json: AsJson = False
) -> None:
    """Compare billing, directory and CRM with what should be there, and put right what is not.

    Example: `perdure customer compare-now aaaaaaaaaaaaaaaaaaaaaaaaaa --reason "after a restore"`

    Exit codes: 0 accepted · 1 there is none, they have left, or refused by the gateway · 2 wrong
    usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/customers/{segment(id)}/compare"
    answer = call("POST", path, role=role, body={"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{id}  {answer['stage']}  compared now: see `perdure customer show {id}`")


@app.command()
def offboard(id: Id, reason: Reason, role: AsRole = Role.operator, as_json: AsJson = False) -> None:
    """Let a customer go: access is taken away, and what must be kept is kept.

    Example: `perdure customer offboard aaaaaaaaaaaaaaaaaaaaaaaaaa --reason "account closed"`

    Exit codes: 0 offboarded, or accepted and being done · 1 there is none, or refused by the
    gateway · 2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/customers/{segment(id)}/offboard"
    answer = call("POST", path, role=role, body={"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['stage']}  {answer['stopping'] or ''}".rstrip())


def _show(answer: dict[str, Any]) -> None:
    from workers.cli.gateway_call import clock, show_table
    from workers.cli.progress import show_progress

    application = answer["application"]
    facts = [
        ("id", answer["id"]),
        ("workflow", answer["workflow_id"]),
        ("stage", answer["stage"]),
        ("identity link", answer["identity_link"]),
        ("risk", answer["risk"]),
        ("since", clock(answer["since"])),
        ("compared", clock(answer["compared_at"])),
        ("identity proved", clock(answer["proved_at"])),
        ("prove again", clock(answer["reverify_at"])),
        ("left", clock(answer["left_at"])),
        ("kept until", clock(answer["keep_until"])),
        *((field, application[field]) for field in ("kind", "name", "email", "country")),
    ]
    show_table(("", ""), [fact for fact in facts if fact[1]])
    show_progress(answer["progress"])
