"""`perdure onboarding`: signups, and how they stand."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from workers.cli import application
from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(help="Start onboardings, look at them, take them back.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The onboarding's id.")]


@app.command()
def start(
    *,
    name: Annotated[str, typer.Option(help="Of the person or company, in any script.")],
    email: Annotated[str, typer.Option(help="Where the welcome goes.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, as DE.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, as EUR.")],
    kind: Annotated[str, typer.Option(help="person or company.")] = "person",
    tax_id: Annotated[
        str | None, typer.Option(help="Type and number, as eu_vat:DE123456789.")
    ] = None,
    born: application.Birthday = None,
    monthly_volume: application.Volume = None,
    owner: application.Owners = None,
    signatory: application.Signatory = None,
    account_manager: Annotated[
        str | None, typer.Option(help="Name of the API key of whoever may not review this.")
    ] = None,
    terms: Annotated[
        str | None, typer.Option(help="Version of the terms that the applicant accepted.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Names this signup: with the same key it starts once. Default: random."),
    ] = None,
    role: AsRole = Role.service,
    as_json: AsJson = False,
) -> None:
    """Start an onboarding.

    Example: `perdure onboarding start --name "Ada Example" --email ada@example.com --country DE
    --currency EUR --key signup-4711`

    Exit codes: 0 started, or stored to start soon · 1 refused by the gateway · 2 wrong usage or
    setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    form: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "email": email,
        "country": country,
        "currency": currency,
    }
    if tax_id is not None:
        form["tax_id"] = application.tax_id(tax_id)
    form |= application.told(
        born=born, monthly_volume=monthly_volume, owner=owner, signatory=signatory
    )
    named = {"account_manager": account_manager, "terms_version": terms}
    form |= {field: value for field, value in named.items() if value is not None}
    if key is None:
        key = str(uuid4())
        say(f"Should this fail, repeat it with --key {key}", err=True)
    headers = {"Idempotency-Key": key}
    answer = call("POST", "/v1/onboardings", role=role, body=form, headers=headers)
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['stage']}")


@app.command("list")
def list_(
    stage: Annotated[list[str] | None, typer.Option(help="Only this stage; repeatable.")] = None,
    created_from: Annotated[
        str | None, typer.Option(help="Not before, as 2026-01-31T00:00:00Z.")
    ] = None,
    created_before: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """List onboardings, newest first.

    Example: `perdure onboarding list --stage provisioning --stage welcoming`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page

    asked = {
        "stage": stage or None,
        "created_from": created_from,
        "created_before": created_before,
        "tenant": tenant,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/onboardings", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    titles = ("id", "tenant", "stage", "since", "created", "ended")
    times = ("stage_since", "created_at", "ended_at")
    rows = [
        (one["id"], one["tenant"], one["stage"], *(clock(one[time]) for time in times))
        for one in answer["items"]
    ]
    show_page(titles, rows, answer, none="No onboardings.")


@app.command()
def show(id: Id, role: AsRole = Role.operator, as_json: AsJson = False) -> None:
    """Show an onboarding: its application, every step, and who must act.

    Example: `perdure onboarding show aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", f"/v1/onboardings/{segment(id)}", role=role)
    if as_json:
        show_json(answer)
    else:
        _show(answer)


@app.command()
def withdraw(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose; needed by keys for all tenants.")
    ] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Take an application back, which is possible until the welcome; everything made is undone.

    Example: `perdure onboarding withdraw aaaaaaaaaaaaaaaaaaaaaaaaaa --reason "changed their mind"`

    Exit codes: 0 withdrawn, or accepted and being undone · 1 too late, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/onboardings/{segment(id)}/withdraw"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['stage']}  {answer['stopping'] or ''}".rstrip())


@app.command("resend-confirmation")
def resend_confirmation(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose; needed by keys for all tenants.")
    ] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Send the mail once more with which an applicant confirms their address, as it is now.

    Example: `perdure onboarding resend-confirmation aaaaaaaaaaaaaaaaaaaaaaaaaa
    --reason "the applicant found no mail"`

    Exit codes: 0 accepted · 1 nothing waits to be confirmed, no more mails, or refused by the
    gateway · 2 wrong usage or setting · 3 too soon after the last, or the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/onboardings/{segment(id)}/resend-confirmation"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['stage']}  the mail goes out")


@app.command()
def appeal(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose; needed by keys for all tenants.")
    ] = None,
    role: AsRole = Role.service,
    as_json: AsJson = False,
) -> None:
    """Appeal against a rejection: everything is checked anew, and a senior reviewer decides.

    Once, within the time that the applicant was told. The answer is the onboarding that the appeal
    became.

    Example: `perdure onboarding appeal aaaaaaaaaaaaaaaaaaaaaaaaaa --reason "a new passport"`

    Exit codes: 0 begun · 1 not rejected, too late, an appeal itself, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = f"/v1/onboardings/{segment(id)}/appeal"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['stage']}")


def _codes(answer: dict[str, Any]) -> list[dict[str, str]]:
    rejection = answer["rejection"]
    return rejection["codes"] if rejection else []


def _show(answer: dict[str, Any]) -> None:
    from workers.cli.gateway_call import clock, show_table
    from workers.cli.progress import show_progress

    form, progress = answer["application"], answer["progress"]
    tax_id = form["tax_id"]
    facts = [
        ("id", answer["id"]),
        ("workflow", answer["workflow_id"]),
        ("stage", answer["stage"]),
        ("identity link", answer["identity_link"]),
        ("stopping", progress and progress["stopping"]),
        ("rejected", "\n".join(one["text"] for one in _codes(answer))),
        ("appeal until", clock((answer["rejection"] or {}).get("appeal_until"))),
        ("appeal of", answer["appeal_of"]),
        ("earlier case", answer["earlier_case"]),
        ("merged into", answer["merged_into"]),
        ("created", clock(answer["created_at"])),
        ("ended", clock(answer["ended_at"])),
        *((field, form[field]) for field in ("kind", "name", "email", "country", "currency")),
        ("tax id", tax_id and f"{tax_id['type']} {tax_id['value']}"),
        ("date of birth", form["date_of_birth"]),
        ("monthly volume", form["monthly_volume"]),
        *(("owner", f"{_person(one)}, {one['share_percent']:g} %") for one in form["owners"]),
        ("signatory", form["signatory"] and _person(form["signatory"])),
        ("account manager", form["account_manager"]),
        ("terms", form["terms_version"]),
        ("version", answer["version"]),
    ]
    show_table(("", ""), [fact for fact in facts if fact[1]])
    show_progress(progress)


def _person(one: dict[str, Any]) -> str:
    return f"{one['name']}, {one['country']}, born {one['date_of_birth']}"
