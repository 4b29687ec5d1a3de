"""`perdure import`: what another system exported comes into our own books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import AsJson

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
    from database.journal.ledger import LedgerContradicts
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
    except (NoAccount, LedgerContradicts) as error:
        _refuse("refused", str(error), as_json=as_json)
    except NotBooked as refused:
        _refuse(refused.rule, str(refused), as_json=as_json)
    except OSError as error:
        _refuse("unreadable", f"{file}: {error.strerror}", as_json=as_json)
    except DatabaseDown as down:
        typer.echo(f"perdure: {down}", err=True)
        raise typer.Exit(3) from None
    else:
        _tell(posted, as_json=as_json)


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
        typer.echo(json.dumps({"booked": posted.new, "booked_before": posted.before}))
    else:
        typer.echo(f"{posted.new} entries booked, {posted.before} were booked before")


def _refuse(
    error: str,
    detail: str,
    rows: Sequence[Mapping[str, object]] = (),
    *,
    as_json: bool,
) -> None:
    import json

    if as_json:
        typer.echo(json.dumps({"error": error, "detail": detail, "bad_rows": list(rows)}))
    else:
        typer.echo(f"refused ({error}): {detail}", err=True)
        for row in rows:
            where = f"{row['file']}, line {row['line']}"
            what = f" {row['field']}" if row["field"] else ""
            typer.echo(f"  {where}:{what} {row['reason']}", err=True)
    raise typer.Exit(_REFUSED)
