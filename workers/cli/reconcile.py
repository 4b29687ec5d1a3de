"""`perdure reconcile`: our journal, the processor and the bank, compared."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.options import AsJson

if TYPE_CHECKING:
    from activities.reconciliation.given import Given, GivenBalance
    from workers.files_mode import FilesReport
    from workflows.reconciliation.books import Book

app = typer.Typer(help="Compare our journal, the processor and the bank.", no_args_is_help=True)

_BOOKS = ("clearing", "cash", "in_transit")
Balances = list[str] | None
_File = typer.Option(exists=True, dir_okay=False, readable=True)


@app.command()
def files(
    ledger: Annotated[
        Path, typer.Option(help="Our ledger as CSV.", exists=True, dir_okay=False)
    ],
    stripe: Annotated[
        Path,
        typer.Option(help="Stripe's itemised balance report as CSV.", exists=True, dir_okay=False),
    ],
    statement: Annotated[
        list[Path],
        typer.Option(help="A bank statement file; several are fine.", exists=True, dir_okay=False),
    ],
    ledger_opening: Annotated[
        Balances, typer.Option(help="`1234.50`, `EUR=1234.50`, `cash:EUR=…`, `in_transit:EUR=…`.")
    ] = None,
    ledger_closing: Annotated[Balances, typer.Option(help="The same at the end.")] = None,
    stripe_opening: Annotated[Balances, typer.Option(help="`1234.50` or `EUR=1234.50`.")] = None,
    stripe_closing: Annotated[Balances, typer.Option(help="The same at the end.")] = None,
    stripe_summary: Annotated[
        Path | None,
        typer.Option(
            help="Stripe's balance summary, in place of its balances.", exists=True, dir_okay=False
        ),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; what is before it is "
                     "left out."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last day; else that of the files."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="What the ledger knows a transaction by, best first: source_id, "
                     "charge_id, payment_intent_id, payment_metadata[…], balance_transaction_id."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one object.")] = False,
) -> None:
    """Reconcile exported files: our ledger, Stripe's report and the bank's statements.

    Goes through the same process as every night, on a database of its own of which nothing stays:
    beside the stack of this clone where it runs, else on servers that it starts and ends. Without
    opening and closing balances nothing can be proven, and it says INCOMPLETE.

    Example: `perdure reconcile files --ledger ledger.csv --stripe stripe.csv --statement bank.xml
    --ledger-opening 0 --ledger-closing 1234.50 --stripe-opening 0 --stripe-closing 1234.50`

    Exit codes: 0 BALANCED · 1 BREAKS · 2 a file was refused, or wrong usage or setting · 3
    INCOMPLETE · 4 PROOF_FAILED
    """
    import asyncio

    from workers import telemetry
    from workers.files_mode import Refused, reconcile, survey

    telemetry.configure("reconcile", log_level="error")
    summary = stripe_summary
    try:
        given = _given(
            [("clearing", "opening", ledger_opening), ("clearing", "closing", ledger_closing)],
            [("processor", "opening", stripe_opening), ("processor", "closing", stripe_closing)],
            summary,
        )
        exported = survey(
            ledger,
            stripe,
            tuple(statement),
            first=first.date() if first else None,
            last=last.date() if last else None,
            keys=tuple(key or ()),
        )
        report = asyncio.run(reconcile(exported, given, _say))
    except Refused as refused:
        _refuse(refused, as_json=as_json)
        raise typer.Exit(2) from None
    if report is None:
        raise typer.Exit(130)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _show(report)
    raise typer.Exit({"BALANCED": 0, "BREAKS": 1, "INCOMPLETE": 3, "PROOF_FAILED": 4}[report.status])
