"""`perdure review`: applications that people look at, and what they decide."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

app = typer.Typer(help="Look at applications, talk about them, and decide.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The review's id, as `review list` names it.")]
Other = Annotated[str, typer.Argument(help="The other onboarding, as `duplicates` names it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")]
Version = Annotated[
    int | None,
    typer.Option(min=1, help="Of the application that you looked at. Default: the review's."),
]


@app.command("list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option(help="open, approved, rejected, expired or void; repeatable. Default: open."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Whose queue: reviewer or senior_reviewer.")
    ] = None,
    claimed_by: Annotated[str | None, typer.Option(help="Only what this key has taken on.")] = None,
    overdue: Annotated[
        bool | None,
        typer.Option("--overdue/--in-time", help="Only what was put before senior reviewers."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """List reviews: what is due first comes first.

    Example: `perdure review list --owner senior_reviewer --overdue`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page

    asked = {
        "state": state or None,
        "owner": owner,
        "claimed_by": claimed_by,
        "overdue": overdue,
        "tenant": tenant,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/reviews", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            "" if one["state"] == "open" else one["state"],
            one["owner"].replace("_", " "),
            clock(one["due_at"]),
            f"{len(one['agreed'])} of {one['approvers']}",
            one["claimed_by"],
            ", ".join(one["reasons"]),
        )
        for one in answer["items"]
    ]
    show_page(
        ("id", "state", "who", "due", "agreed", "taken on by", "why"),
        rows,
        answer,
        none="Nothing is to be looked at.",
    )


@app.command()
def show(id: Id, role: AsRole = Role.reviewer, as_json: AsJson = False) -> None:
    """Show a review: the application, why it is looked at, what was found, what others said.

    Example: `perdure review show aaaaaaaaaaaaaaaaaaaaaaaaaa-1`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", _path(id), role=role)
    if as_json:
        show_json(answer)
    else:
        _show(answer)


@app.command()
def claim(id: Id, role: AsRole = Role.reviewer, as_json: AsJson = False) -> None:
    """Take a review on, so that others look at other ones.

    Example: `perdure review claim aaaaaaaaaaaaaaaaaaaaaaaaaa-1`

    Exit codes: 0 yours · 1 somebody else has it, or refused by the gateway · 2 wrong usage or
    setting · 3 the gateway does not answer
    """
    _take("claim", id, role, as_json)


@app.command()
def release(id: Id, role: AsRole = Role.reviewer, as_json: AsJson = False) -> None:
    """Say that you no longer look at a review; a senior reviewer may say so of anybody.

    Example: `perdure review release aaaaaaaaaaaaaaaaaaaaaaaaaa-1`

    Exit codes: 0 released · 1 somebody else has it, or refused by the gateway · 2 wrong usage or
    setting · 3 the gateway does not answer
    """
    _take("release", id, role, as_json)


@app.command()
def comment(
    id: Id,
    text: Annotated[str, typer.Argument(help="What the other reviewers should know.")],
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Say something to the other reviewers. It may name the applicant.

    Example: `perdure review comment aaaaaaaaaaaaaaaaaaaaaaaaaa-1 "Asked for a newer extract."`

    Exit codes: 0 kept · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("POST", f"{_path(id)}/comments", role=role, body={"text": text})
    if as_json:
        show_json(answer)
    else:
        say(f"kept as comment {answer['id']}")


@app.command()
def approve(
    id: Id,
    reason: Reason,
    version: Version = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Agree with an application. Where it takes two, another person has to agree, too.

    Example: `perdure review approve aaaaaaaaaaaaaaaaaaaaaaaaaa-1 --reason "the register says so"
    --as senior-reviewer`

    Exit codes: 0 accepted · 1 not yours to decide, decided already, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    _decide("approve", id, {"reason": reason}, version, role, as_json)


@app.command()
def reject(
    id: Id,
    reason: Reason,
    code: Annotated[
        list[str], typer.Option(help="What the applicant is told, as not_accepted; repeatable.")
    ],
    version: Version = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """Say no to an application, which ends the review. The applicant hears the codes alone.

    Example: `perdure review reject aaaaaaaaaaaaaaaaaaaaaaaaaa-1 --code details_not_confirmed
    --reason "the directors are not who they say"`

    Exit codes: 0 accepted · 1 not yours to decide, decided already, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    _decide("reject", id, {"reason": reason, "codes": code}, version, role, as_json)


@app.command()
def duplicates(id: Id, role: AsRole = Role.reviewer, as_json: AsJson = False) -> None:
    """Show other onboardings that may be of the same applicant, and in what they are alike.

    Example: `perdure review duplicates aaaaaaaaaaaaaaaaaaaaaaaaaa-1`

    Exit codes: 0 shown · 1 there is no such review, or refused by the gateway · 2 wrong usage or
    setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_table

    answer = call("GET", f"{_path(id)}/duplicates", role=role)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["other"],
            one["stage"],
            ", ".join(one["alike"]),
            clock(one["found_at"]),
            one["relation"],
        )
        for one in answer["duplicates"]
    ]
    if rows:
        show_table(("other", "stage", "alike in", "found", "relation"), rows)
    else:
        say("Nobody is alike.")


@app.command()
def merge(
    id: Id,
    other: Other,
    reason: Reason,
    version: Version = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """It is the same applicant: the other onboarding goes on, this one is turned down.

    Example: `perdure review merge aaaaaaaaaaaaaaaaaaaaaaaaaa-1 bbbbbbbbbbbbbbbbbbbbbbbbbb
    --reason "the same passport"`

    Exit codes: 0 accepted · 1 not yours to decide, decided already, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    _relate("merge", id, other, reason, version, role, as_json)


@app.command()
def link(
    id: Id,
    other: Other,
    reason: Reason,
    version: Version = None,
    role: AsRole = Role.reviewer,
    as_json: AsJson = False,
) -> None:
    """It has to do with another onboarding; both go on, and somebody has yet to decide.

    Example: `perdure review link aaaaaaaaaaaaaaaaaaaaaaaaaa-1 bbbbbbbbbbbbbbbbbbbbbbbbbb
    --reason "father and son"`

    Exit codes: 0 accepted · 1 not yours to decide, decided already, or refused by the gateway ·
    2 wrong usage or setting · 3 the gateway does not answer
    """
    _relate("link", id, other, reason, version, role, as_json)


def _relate(
    relation: str,
    id: str,
    other: str,
    reason: str,
    version: int | None,
    role: Role,
    as_json: bool,
) -> None:
    from urllib.parse import quote

    body = {"relation": relation, "reason": reason}
    _decide(f"duplicates/{quote(other, safe='')}", id, body, version, role, as_json)


def _take(action: str, id: str, role: Role, as_json: bool) -> None:
    from workers.cli.gateway_call import call, show_json

    answer = call("POST", f"{_path(id)}/{action}", role=role, body={})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['id']}  {answer['claimed_by'] or 'taken on by nobody'}")


def _decide(
    action: str, id: str, body: dict[str, Any], version: int | None, role: Role, as_json: bool
) -> None:
    from workers.cli.gateway_call import call, show_json

    if version is None:
        version = call("GET", _path(id), role=role)["version"]
    seen = {"If-Match": f'"{version}"'}
    answer = call("POST", f"{_path(id)}/{action}", role=role, body=body, headers=seen)
    if as_json:
        show_json(answer)
    else:
        say(f"{id}  accepted")


def _path(id: str) -> str:
    from urllib.parse import quote

    return f"/v1/reviews/{quote(id, safe='')}"


def _show(answer: dict[str, Any]) -> None:
    from workers.cli.gateway_call import clock, show_table

    agreed = ", ".join(answer["agreed"])
    application = answer["application"]
    tax_id = application.get("tax_id")
    facts = [
        ("id", answer["id"]),
        ("onboarding", answer["onboarding"]),
        ("state", answer["state"]),
        ("who may decide", answer["owner"].replace("_", " ")),
        ("not", ", ".join(answer["excluded"])),
        ("agreed", f"{len(answer['agreed'])} of {answer['approvers']}  {agreed}".rstrip()),
        ("taken on by", answer["claimed_by"]),
        ("why", "\n".join(answer["reasons"])),
        ("due", f"{clock(answer['due_at'])}, then {answer['by_default']}"),
        ("open hits", answer["open_hits"]),
        *(
            (field, application[field])
            for field in ("kind", "name", "email", "country", "currency")
        ),
        ("tax id", tax_id and f"{tax_id['type']} {tax_id['value']}"),
        ("version", answer["version"]),
    ]
    show_table(("", ""), [fact for fact in facts if fact[1]])
    say()
    show_table(
        ("what was decided", "by", "at"),
        [(one["kind"], one["by"], clock(one["at"])) for one in answer["checks"]],
    )
    for one in answer["comments"]:
        say(f"\n{clock(one['written_at'])}  {one['author']}\n  {one['text']}")
