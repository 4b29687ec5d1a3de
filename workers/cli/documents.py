"""`perdure documents`: what applicants delivered, and what reviewers find."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(
    help="Deliver documents, look at them, accept and refuse them.", no_args_is_help=True
)

Onboarding = Annotated[str, typer.Argument(help="The onboarding.")]
Document = Annotated[str, typer.Argument(help="The document, as `documents list` names it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]

ValidUntil = Annotated[
    str | None,
    typer.Option(help="The last day on which it is valid, as 2030-01-31.", metavar="DAY"),
]


class Fault(StrEnum):
    """What can be wrong with a document."""

    unreadable = "unreadable"
    incomplete = "incomplete"
    out_of_date = "out_of_date"
    not_what_was_asked = "not_what_was_asked"
    other_name = "other_name"


@app.command("list")
def list_(id: Onboarding, role: AsRole = Role.operator, as_json: AsJson = False) -> None:
    """List what was delivered, and what is still missing.

    Example: `perdure documents list aaaaaaaaaaaaaaaaaaaaaaaaaa`

    Exit codes: 0 listed · 1 there is no such onboarding, or refused by the gateway · 2 wrong usage
    or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_table

    answer = call("GET", _path(id), role=role)
    if as_json:
        show_json(answer)
        return
    titles = (
        *("document", "kind", "state", "fault", "bytes", "type", "by", "delivered", "judged"),
        "valid until",
    )
    rows = [
        (
            *(one[field] for field in ("id", "kind", "state", "code", "size", "media_type")),
            one["uploaded_by"],
            clock(one["created_at"]),
            clock(one["judged_at"]),
            one["valid_until"] or "",
        )
        for one in answer["items"]
    ]
    if rows:
        show_table(titles, rows)
    else:
        say("No documents.")
    if answer["missing"]:
        say(f"\nmissing: {', '.join(answer['missing'])}")


@app.command()
def upload(
    id: Onboarding,
    file: Annotated[Path, typer.Argument(help="A PDF, PNG or JPEG.")],
    kind: Annotated[str, typer.Option(help="What was asked for, as proof_of_address.")],
    valid_until: ValidUntil = None,
    role: AsRole = Role.service,
    as_json: AsJson = False,
) -> None:
    """Deliver a document that was asked for. Twice is fine: it is there once.

    Example: `perdure documents upload aaaaaaaaaaaaaaaaaaaaaaaaaa bill.pdf --kind proof_of_address`

    Exit codes: 0 taken in · 1 not asked for, too large, no document, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    try:
        opened = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read ({error.strerror})") from None
    with opened as content:
        params = {"kind": kind} | ({"valid_until": valid_until} if valid_until else {})
        answer = call("POST", _path(id), role=role, params=params, content=content)
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['kind']}  {answer['state']}")


@app.command()
def refuse(
    id: Onboarding,
    document: Document,
    code: Annotated[Fault, typer.Argument(help="What is wrong; the applicant is told.")],
    reason: Reason = "looked at it",
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Refuse a document: the applicant is asked for it again.

    Example: `perdure documents refuse aaaaaaaaaaaaaaaaaaaaaaaaaa 7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a
    unreadable`

    Exit codes: 0 accepted · 1 there is nothing to judge, or refused by the gateway · 2 wrong usage
    or setting · 3 the gateway does not answer
    """
    body = {"code": code.value, "reason": reason}
    _judge(id, document, "refusal", body, role=role, as_json=as_json)


@app.command()
def accept(
    id: Onboarding,
    document: Document,
    valid_until: ValidUntil = None,
    reason: Reason = "looked at it",
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Accept a document: it is what was asked for.

    Example: `perdure documents accept aaaaaaaaaaaaaaaaaaaaaaaaaa 7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a`

    Exit codes: 0 accepted · 1 there is nothing to judge, or refused by the gateway · 2 wrong usage
    or setting · 3 the gateway does not answer
    """
    body = {"reason": reason} | ({"valid_until": valid_until} if valid_until else {})
    _judge(id, document, "acceptance", body, role=role, as_json=as_json)


def _judge(
    id: str, document: str, verdict: str, body: dict[str, Any], *, role: Role, as_json: bool
) -> None:
    from workers.cli.gateway_call import call, show_json

    answer = call("POST", f"{_path(id)}/{segment(document)}/{verdict}", role=role, body=body)
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['workflow_id']}  {answer['stage']}")


def _path(id: str) -> str:
    return f"/v1/onboardings/{segment(id)}/documents"
