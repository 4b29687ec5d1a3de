"""`perdure reconcile`: our journal, the processor and the bank, compared by the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from workers.cli.certificate import show_certified
from workers.cli.options import AsJson, AsRole, Role, segment
from workers.terminal import say

app = typer.Typer(help="Compare our journal, the processor and the bank.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account's name.")]
_DAY = ["%Y-%m-%d"]
Day = Annotated[datetime, typer.Argument(help="The business date, as 2026-01-31.", formats=_DAY)]
EXIT_CODES = {"BALANCED": 0, "BREAKS": 1, "INCOMPLETE": 3, "PROOF_FAILED": 4}
_LOOK_SECONDS = 0.5
OVER = 5
"""The exit code of a run that came to no certificate, or of a gateway that does not answer."""


@app.command()
def run(
    account: Account,
    day: Day,
    wait: Annotated[bool, typer.Option(help="Wait until it is over, and say how.")] = True,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Reconcile a day of an account: also again, when something came late.

    Example: `perdure reconcile run acme 2026-01-31`

    Exit codes: 0 BALANCED, or begun with --no-wait · 1 BREAKS · 2 wrong usage or setting, or
    refused by the gateway · 3 INCOMPLETE · 4 PROOF_FAILED · 5 taken back or waiting for somebody,
    or the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    body = {"account": account, "business_date": day.date().isoformat()}
    with refusals_apart():
        answer = call("POST", "/v1/reconciliations", role=role, body=body)
        if wait:
            answer = _until_over(answer, role)
        if as_json:
            show_json(answer)
        else:
            _tell(answer, role)
    if wait:
        raise typer.Exit(EXIT_CODES.get(answer["status"] or "", OVER))


@contextlib.contextmanager
def refusals_apart() -> Iterator[None]:
    """End with codes of their own where the gateway refuses or is not there: 1 is BREAKS."""
    from workers.cli.gateway_call import GatewayNotReachable, GatewayRefused

    try:
        yield
    except GatewayRefused as refused:
        say(f"perdure: {refused}", err=True)
        raise typer.Exit(2) from None
    except GatewayNotReachable as error:
        say(f"perdure: {error}", err=True)
        raise typer.Exit(OVER) from None


@app.command("range")
def range_(
    account: Account,
    first: Annotated[datetime, typer.Argument(help="The first day.", formats=_DAY)],
    last: Annotated[datetime, typer.Argument(help="The last day.", formats=_DAY)],
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Reconcile the days of a range, each when the one before is over. It goes on by itself.

    Example: `perdure reconcile range acme 2026-01-01 2026-01-31`

    Exit codes: 0 begun · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, show_json

    body = {
        "account": account,
        "first": first.date().isoformat(),
        "last": last.date().isoformat(),
    }
    answer = call("POST", "/v1/reconciliations/range", role=role, body=body)
    if as_json:
        show_json(answer)
    else:
        say(f"begun: {answer['workflow_id']}")


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="Only in these stages, repeatable: received, gathering, matching, proving, "
            "certifying, posting, balanced, breaks, incomplete, proof_failed, withdrawn, aborted."
        ),
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", help="Of this day or later.", formats=_DAY)
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", help="Of this day or earlier.", formats=_DAY)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """List reconciliations, the newest first.

    Example: `perdure reconcile list --account acme --stage breaks --stage incomplete`

    Exit codes: 0 listed · 1 refused by the gateway · 2 wrong usage or setting · 3 the gateway does
    not answer
    """
    from workers.cli.gateway_call import call, clock, show_json, show_page

    asked = {
        "account": account,
        "stage": stage or None,
        "first": first.date().isoformat() if first else None,
        "last": last.date().isoformat() if last else None,
        "limit": limit,
        "cursor": cursor,
    }
    answer = call("GET", "/v1/reconciliations", role=role, params=asked)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["account"],
            one["business_date"],
            one["ordinal"],
            one["stage"],
            clock(one["begun_at"]),
            clock(one["ended_at"]),
        )
        for one in answer["items"]
    ]
    titles = ("account", "day", "run", "stage", "begun", "ended")
    show_page(titles, rows, answer, none="No reconciliations.")


@app.command()
def show(
    account: Account,
    day: Day,
    ordinal: Annotated[
        int | None, typer.Option(min=1, help="Which run of the day; else the latest.")
    ] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Show a reconciliation: how far it is, or what came of it.

    Example: `perdure reconcile show acme 2026-01-31`

    Exit codes: 0 shown · 1 there is none, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json
    from workers.cli.progress import show_progress

    answer = call("GET", path_of(account, day, ordinal, role), role=role)
    if as_json:
        show_json(answer)
        return
    _tell(answer, role)
    show_progress(answer["progress"])


@app.command()
def withdraw(
    account: Account,
    day: Day,
    reason: Annotated[str, typer.Option(help="Why; it is kept for good and names nobody.")],
    ordinal: Annotated[
        int | None, typer.Option(min=1, help="Which run of the day; else the latest.")
    ] = None,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Take a reconciliation back that is not certified yet.

    Example: `perdure reconcile withdraw acme 2026-01-31 --reason "the statement was another's"`

    Exit codes: 0 taken back · 1 too late, or refused by the gateway · 2 wrong usage or setting ·
    3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    path = path_of(account, day, ordinal, role) + "/withdraw"
    answer = call("POST", path, role=role, body={"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['workflow_id']}: {answer['stopping'] or answer['stage']}")


@app.command()
def verify(
    certificate: Annotated[str, typer.Argument(help="The certificate's id.")],
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Make a certificate anew from the cut that is stored, and compare.

    Example: `perdure reconcile verify CERTIFICATE`

    Exit codes: 0 it holds · 1 it differs, there is none, or refused by the gateway · 2 wrong usage
    or setting · 3 the gateway does not answer
    """
    from workers.cli.gateway_call import call, show_json

    answer = call("GET", f"/v1/certificates/{segment(certificate)}/verification", role=role)
    if as_json:
        show_json(answer)
    elif answer["holds"]:
        say("The certificate holds: what is stored gives the same.")
    else:
        say("The certificate does not hold:")
        for difference in answer["differences"]:
            say(f"  {difference}")
    if not answer["holds"]:
        raise typer.Exit(1)


def _until_over(answer: dict[str, Any], role: Role) -> dict[str, Any]:
    """The run once it is over, or waits for somebody. Any: what the gateway answered."""
    import time

    from workers.cli.gateway_call import call

    path = f"/v1/reconciliations/{answer['id'].partition('/')[2]}"
    told = ""
    while True:
        found: dict[str, Any] = call("GET", path, role=role)
        if found["stage"] != told:
            told = found["stage"]
            say(f"  {told}", err=True)
        if found["ended_at"] or (found["progress"] or {}).get("attention"):
            return found
        time.sleep(_LOOK_SECONDS)


def path_of(account: str, day: datetime, ordinal: int | None, role: Role) -> str:
    """Where a run is; the latest of the day where nobody says which."""
    from workers.cli.gateway_call import GatewayRefused, call

    at = day.date().isoformat()
    if ordinal is None:
        asked = {"account": account, "first": at, "last": at, "limit": 1}
        found = call("GET", "/v1/reconciliations", role=role, params=asked)["items"]
        if not found:
            raise GatewayRefused(f"There is no reconciliation of {account} for {at}.")
        ordinal = found[0]["ordinal"]
    return f"/v1/reconciliations/{segment(account)}/{at}/{ordinal}"


def _tell(answer: dict[str, Any], role: Role) -> None:
    say(f"{answer['id']}: {answer['status'] or answer['stage']}")
    if answer["certificate_id"]:
        show_certified(answer, role)
