"""`perdure import`: what another system exported comes into our own books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import AsJson, AsRole, Role
from workers.terminal import say

if TYPE_CHECKING:
    from database.journal.book import Posted

app = typer.Typer(help="Bring exports of other systems into our books.", no_args_is_help=True)

_REFUSED = 2


@app.callback()
def _group() -> None:
    """Bring exports of other systems into our books."""


@app.command()
def ledger(
    file: Annotated[Path, typer.Argument(help="CSV, as docs/journal.md describes it.")],
    account: Annotated[str, typer.Option(help="The reconciliation account that it is of.")],
    as_json: AsJson = False,
) -> None:
    """Book the lines of a ledger into the journal, each entry once by its `entry_id`.

    All of a file is booked or nothing: rows that cannot be read are listed with their lines. The
    same file again books nothing.

    Example: `perdure import ledger ledger.csv --account acme`

    Exit codes: 0 booked · 2 refused, or wrong usage or setting · 3 our database does not answer
    """
    import asyncio

    from activities.reconciliation.ledger_import import BadRows
    from connectors.csv_rows import FileRefused
    from database.connection import DatabaseDown
    from database.journal.book import NotBooked
    from database.journal.ledger import EntryTooLarge, LedgerContradicts
    from database.reconciliation.accounts import NoAccount

    try:
        posted = asyncio.run(_import(file, account))
    except BadRows as bad:
        rows = [
            {"file": one.file, "line": one.line, "field": one.field, "reason": one.reason}
            for one in bad.rows
        ]
        _refuse("bad_rows", str(bad), rows, as_json=as_json)
    except FileRefused as refused:
        _refuse(refused.error, str(refused), as_json=as_json)
    except (NoAccount, LedgerContradicts, EntryTooLarge) as error:
        _refuse("refused", str(error), as_json=as_json)
    except NotBooked as refused:
        _refuse(refused.rule, str(refused), as_json=as_json)
    except OSError as error:
        _refuse("unreadable", f"{file}: {error.strerror}", as_json=as_json)
    except DatabaseDown as down:
        say(f"perdure: {down}", err=True)
        raise typer.Exit(3) from None
    else:
        _tell(posted, as_json=as_json)


@app.command()
def statement(
    file: Annotated[
        Path, typer.Argument(help="CAMT.053, MT940, BAI2, OFX or CSV; found by content.")
    ],
    bank_account: Annotated[
        str | None,
        typer.Option(help="Whose the statements are, where the file does not say, as some CSV."),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait until a worker has read it; 0: do not.", min=0)
    ] = 20,
    role: AsRole = Role.finance_operator,
    as_json: AsJson = False,
) -> None:
    """Hand a bank's statement file over to be reconciled. Twice is fine: it counts once.

    Shows what became of each statement in it: `counts`; `again`, where it counts already;
    `unknown_account`, where its bank account is none of ours yet: then it waits; `contradicted`,
    where another of its name counts, with other content.

    Example: `perdure import statement statement.xml`

    Exit codes: 0 handed over · 1 refused by the gateway · 2 the file is refused, or wrong usage or
    setting · 3 the gateway does not answer
    """
    import time

    from workers.cli.gateway_call import call, show_json, show_table

    try:
        opened = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read ({error.strerror})") from None
    with opened as content:
        params = {"bank_account": bank_account}
        told = call("POST", "/v1/statements", role=role, params=params, content=content)
    until = time.monotonic() + wait
    while told["state"] == "received" and time.monotonic() < until:
        time.sleep(0.5)
        told = call("GET", f"/v1/statements/{told['id']}", role=role)
    if as_json:
        show_json(told)
    elif told["state"] == "refused":
        where = f" ({told['position']})" if told["position"] else ""
        say(f"refused ({told['error']}): {told['detail']}{where}", err=True)
    elif told["statements"]:
        fields = ("bank_account", "currency", "statement_id", "closing_on", "entries", "proof")
        titles = (*(name.replace("_", " ") for name in fields), "state")
        rows = [tuple(one[name] for name in (*fields, "state")) for one in told["statements"]]
        show_table(titles, rows)
    else:
        say(f"{told['id']}  {told['state']}")
    if told["state"] == "refused":
        raise typer.Exit(_REFUSED)


async def _import(file: Path, account: str) -> Posted:
    from activities.reconciliation.ledger_import import import_ledger
    from database.connection import engine_for
    from workers import settings as setting

    engine = engine_for(setting.load().database_url, application="perdure-import", size=1)
    try:
        with file.open("rb") as opened:
            return await import_ledger(engine, account, opened, file.name, by="command line")
    finally:
        await engine.dispose()


def _tell(posted: Posted, *, as_json: bool) -> None:
    import json

    if as_json:
        say(json.dumps({"booked": posted.new, "booked_before": posted.before}))
    else:
        say(f"{posted.new} entries booked, {posted.before} were booked before")


def _refuse(
    error: str,
    detail: str,
    rows: Sequence[Mapping[str, object]] = (),
    *,
    as_json: bool,
) -> None:
    import json

    if as_json:
        say(json.dumps({"error": error, "detail": detail, "bad_rows": list(rows)}))
    else:
        say(f"refused ({error}): {detail}", err=True)
        for row in rows:
            where = f"{row['file']}, line {row['line']}"
            what = f" {row['field']}" if row["field"] else ""
            say(f"  {where}:{what} {row['reason']}", err=True)
    raise typer.Exit(_REFUSED)
