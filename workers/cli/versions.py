"""`perdure onboarding change` and `correct`: new versions of an application."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli import application
from workers.cli.onboarding import Id
from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer()


@app.command()
def change(
    id: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    kind: Annotated[str | None, typer.Option(help="person or company.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the person or company.")] = None,
    email: Annotated[str | None, typer.Option(help="Where mails go.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2, as DE.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, as EUR.")] = None,
    tax_id: Annotated[
        str | None, typer.Option(help="Type and number, as eu_vat:DE123456789; empty takes it out.")
    ] = None,
    born: application.Birthday = None,
    monthly_volume: application.Volume = None,
    owner: application.Owners = None,
    signatory: application.Signatory = None,
    version: Annotated[
        int | None,
        typer.Option(
            min=1, help="The one that you looked at; refused if another came since. Default: now's."
        ),
    ] = None,
    role: AsRole = Role.operator,
    as_json: AsJson = False,
) -> None:
    """Change what an application says, until a system is given the customer.

    What was found out from what is changed is void, and every approval: it is checked again. An
    option that is given empty takes out what the application can be without.

    Example: `perdure onboarding change aaaaaaaaaaaaaaaaaaaaaaaaaa --email ada@example.org
    --reason "the address was mistyped"`

    Exit codes: 0 accepted · 1 too late, changed too often or by somebody else meanwhile, or refused
    by the gateway · 2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    named = {"kind": kind, "name": name, "email": email, "country": country, "currency": currency}
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    if tax_id is not None:
        changes["tax_id"] = application.tax_id(tax_id) if tax_id else None
    changes |= application.told(
        born=born, monthly_volume=monthly_volume, owner=owner, signatory=signatory
    )
    if not changes:
        raise typer.BadParameter("name at least one field and what it is to be")
    path = f"/v1/onboardings/{segment(id)}"
    seen = {"If-Match": f'"{version or call("GET", path, role=role)["version"]}"'}
    body = changes | {"reason": reason}
    answer = call("POST", f"{path}/change", role=role, body=body, headers=seen)
    if as_json:
        show_json(answer)
    else:
        fields = ", ".join(answer["fields"])
        say(f"{answer['id']}  {answer['stage']}  version {answer['version']}: {fields}")


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
    """Store a corrected version of an application; says how to retry the refused step with it.

    Only while a refused step of provisioning waits, and only what no other system has been given:
    once billing, the directory or the CRM has the customer, the tax id alone. Before that, see
    `perdure onboarding change`.

    Example: `perdure onboarding correct aaaaaaaaaaaaaaaaaaaaaaaaaa --tax-id eu_vat:DE123456789`

    Exit codes: 0 stored · 1 nothing waits for it, given to a system already, corrected by somebody
    else meanwhile, or refused by the gateway · 2 wrong usage or setting · 3 the gateway does not
    answer
    """
    from workers.cli.gateway_call import call, show_json

    named = {"kind": kind, "name": name, "email": email, "country": country, "currency": currency}
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    if tax_id is not None:
        changes["tax_id"] = application.tax_id(tax_id) if tax_id else None
    if not changes:
        raise typer.BadParameter("name at least one field and what it is to be")
    path = f"/v1/onboardings/{segment(id)}"
    shown = call("GET", path, role=role)
    seen = {"If-Match": f'"{version or shown["version"]}"'}
    answer = call("POST", f"{path}/corrections", role=role, body=changes, headers=seen)
    next_ = _to_retry(shown["workflow_id"], answer, role)
    if as_json:
        show_json(answer | {"to_retry": next_})
        return
    say(f"{answer['id']}  version {answer['version']}\n\nTo retry with it:")
    for command in next_:
        say(f"  {command}")


def _to_retry(workflow_id: str, corrected: dict[str, Any], role: Role) -> list[str]:
    """The commands that retry what was refused, with a corrected version."""
    import shlex

    more = ("--version", str(corrected["version"]), "--reason", "corrected", "--as", role.value)
    return [
        shlex.join(("perdure", "attention", "resolve", workflow_id, "retry", "--step", step, *more))
        for step in corrected["refused"]
    ]
