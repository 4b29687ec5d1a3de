"""`perdure onboarding`: signups, and how they stand."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from workers.cli.options import AsJson, AsRole, Role

app = typer.Typer(help="Start onboardings, look at them, take them back.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The onboarding's id.")]


@app.command()
def start(
    name: Annotated[str, typer.Option(help="Of the person or company, in any script.")],
    email: Annotated[str, typer.Option(help="Where the welcome goes.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, as DE.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, as EUR.")],
    kind: Annotated[str, typer.Option(help="person or company.")] = "person",
    tax_id: Annotated[
        str | None, typer.Option(help="Type and number, as eu_vat:DE123456789.")
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
        form["tax_id"] = _tax_id(tax_id)
    if key is None:
        key = str(uuid4())
        typer.echo(f"Should this fail, repeat it with --key {key}", err=True)
    headers = {"Idempotency-Key": key}
    answer = call("POST", "/v1/onboardings", role=role, body=form, headers=headers)
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"{answer['id']}  {answer['stage']}")


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
    from workers.cli.gateway_call import call, clock, show_json, show_table

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
    if rows:
        show_table(titles, rows)
    else:
        typer.echo("No onboardings.")
    if answer["next"]:
        typer.echo(f"\nmore: --cursor {answer['next']}")


@app.command()
def show(id: Id, role: AsRole = Role.operator, as_json: AsJson = False) -> None:
    """Show an onboarding: its application, every step, and who must act.

    Example: `perdure onboarding show aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", f"/v1/onboardings/{_segment(id)}", role=role)
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

    path = f"/v1/onboardings/{_segment(id)}/withdraw"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"{answer['id']}  {answer['stage']}  {answer['stopping'] or ''}".rstrip())


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

    path = f"/v1/onboardings/{_segment(id)}/resend-confirmation"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"{answer['id']}  {answer['stage']}  the mail goes out")


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

    path = f"/v1/onboardings/{_segment(id)}/appeal"
    answer = call("POST", path, role=role, body={"reason": reason}, params={"tenant": tenant})
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"{answer['id']}  {answer['stage']}")


@app.command()
def correct(
    id: Id,
    kind: Annotated[str | None, typer.Option(help="person or company.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the person or company.")] = None,
    email: Annotated[str | None, typer.Option(help="Where mails go.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2, as DE.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, as EUR.")] = None,
    tax_id: Annotated[
        str | None, typer.Option(help="Type and number, as eu_vat:DE123456789; empty takes it out.")
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(
            min=1, help="The one that you looked at; refused if another came since. Default: now's."
        ),
    ] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Store a corrected version of an application; says how the onboarding goes on with it.

    Only while the address waits to be confirmed or a refused step waits, and only what no other
    system has been given: once billing, the directory or the CRM has the customer, the tax id
    alone.

    Example: `perdure onboarding correct aaaaaaaaaaaaaaaaaaaaaaaaaa --tax-id eu_vat:DE123456789`

    Exit codes: 0 stored · 1 nothing waits for it, given to a system already, corrected by somebody
    else meanwhile, or refused by the gateway · 2 wrong usage or setting · 3 the gateway does not
    answer
    """
    from workers.cli.gateway_call import call, show_json

    named = {"kind": kind, "name": name, "email": email, "country": country, "currency": currency}
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    if tax_id is not None:
        changes["tax_id"] = _tax_id(tax_id) if tax_id else None
    if not changes:
        raise typer.BadParameter("name at least one field and what it is to be")
    path = f"/v1/onboardings/{_segment(id)}"
    shown = call("GET", path, role=role)
    seen = {"If-Match": f'"{version or shown["version"]}"'}
    answer = call("POST", f"{path}/corrections", role=role, body=changes, headers=seen)
    next_ = _to_go_on(shown, answer, role, mail_again=email is not None)
    if as_json:
        show_json(answer | {"to_go_on": next_})
        return
    typer.echo(f"{answer['id']}  version {answer['version']}")
    if next_:
        typer.echo("\nTo go on with it:")
    for command in next_:
        typer.echo(f"  {command}")


def _to_go_on(
    shown: dict[str, Any], corrected: dict[str, Any], role: Role, *, mail_again: bool
) -> list[str]:
    """The commands that retry what was refused with a corrected version, or mail its address."""
    import shlex

    signed = ("--reason", "corrected", "--as", role.value)
    retry = ("perdure", "attention", "resolve", shown["workflow_id"], "retry")
    commands: list[tuple[str, ...]] = [
        (*retry, "--step", step, "--version", str(corrected["version"]), *signed)
        for step in corrected["refused"]
    ]
    if mail_again and not commands:
        resend = ("perdure", "onboarding", "resend-confirmation", shown["id"])
        commands.append((*resend, *signed, "--tenant", shown["tenant"]))
    return [shlex.join(command) for command in commands]


def _tax_id(text: str) -> dict[str, str]:
    type_, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(
            "write type and number, as eu_vat:DE123456789", param_hint="--tax-id"
        )
    return {"type": type_, "value": value}


def _segment(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")


def _show(answer: dict[str, Any]) -> None:
    from workers.cli.gateway_call import clock, show_table

    application, progress = answer["application"], answer["progress"]
    tax_id = application["tax_id"]
    facts = [
        ("id", answer["id"]),
        ("workflow", answer["workflow_id"]),
        ("stage", answer["stage"]),
        ("identity link", answer["identity_link"]),
        ("stopping", progress and progress["stopping"]),
        ("created", clock(answer["created_at"])),
        ("ended", clock(answer["ended_at"])),
        *(
            (field, application[field])
            for field in ("kind", "name", "email", "country", "currency")
        ),
        ("tax id", tax_id and f"{tax_id['type']} {tax_id['value']}"),
        ("version", answer["version"]),
    ]
    show_table(("", ""), [fact for fact in facts if fact[1]])
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
