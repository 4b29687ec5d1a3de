"""`perdure reconcile files`: our journal, the processor and the bank, compared from exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.reconcile import EXIT_CODES
from workers.terminal import say

if TYPE_CHECKING:
    from activities.reconciliation.given import Given, GivenBalance, Kind
    from workflows.reconciliation.books import Book

app = typer.Typer()

_BOOKS = ("clearing", "cash", "in_transit")
Balances = list[str] | None


@app.command()
def files(
    *,
    ledger: Annotated[Path, typer.Option(help="Our ledger as CSV.")],
    stripe: Annotated[
        Path,
        typer.Option(help="Stripe's itemised balance report as CSV."),
    ],
    statement: Annotated[
        list[Path],
        typer.Option(help="A bank statement file; several are fine."),
    ],
    ledger_opening: Annotated[
        Balances, typer.Option(help="`1234.50`, `EUR=1234.50`, `cash:EUR=…`, `in_transit:EUR=…`.")
    ] = None,
    ledger_closing: Annotated[Balances, typer.Option(help="The same at the end.")] = None,
    stripe_opening: Annotated[Balances, typer.Option(help="`1234.50` or `EUR=1234.50`.")] = None,
    stripe_closing: Annotated[Balances, typer.Option(help="The same at the end.")] = None,
    stripe_summary: Annotated[
        Path | None,
        typer.Option(help="Stripe's balance summary, in place of its balances."),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="The first day; what is before it is left out."
        ),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last day; else that of the files."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="What the ledger knows a transaction by, best first: source_id, "
            "charge_id, payment_intent_id, payment_metadata[…], balance_transaction_id."
        ),
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
    from functools import partial

    from workers import files_mode, logs

    logs.configure("reconcile", log_level="error")
    try:
        given = _given(
            {"opening": ledger_opening, "closing": ledger_closing},
            {"opening": stripe_opening, "closing": stripe_closing},
            stripe_summary,
        )
        survey = partial(
            files_mode.survey,
            ledger=ledger,
            stripe=stripe,
            statements=tuple(statement),
            first=first.date() if first else None,
            last=last.date() if last else None,
            keys=tuple(key or ()),
        )
        report = asyncio.run(files_mode.reconcile(survey, given, _say))
    except files_mode.Refused as refused:
        if not as_json:
            raise
        say(json.dumps(dict(refused.told)))
        raise typer.Exit(refused.exit_code) from None
    if report is None:
        raise typer.Exit(130)
    if as_json:
        say(report.model_dump_json(indent=2))
    else:
        from workers.cli.reconcile_shown import show

        show(report)
    raise typer.Exit(EXIT_CODES[report.status])


def _say(sentence: str) -> None:
    say(f"  {sentence}", err=True)


def _given(
    ledger: Mapping[Kind, Balances], stripe: Mapping[Kind, Balances], summary: Path | None
) -> Given:
    """The balances that were given. Raises typer.BadParameter."""
    from activities.reconciliation.given import Given
    from workers.files_mode import read_summary

    if summary is not None and any(stripe.values()):
        raise typer.BadParameter(
            "the summary has Stripe's balances already", param_hint="--stripe-summary"
        )
    balances = [
        *(_balance("clearing", kind, one) for kind, those in ledger.items() for one in those or ()),
        *(
            _balance("processor", kind, one)
            for kind, those in stripe.items()
            for one in those or ()
        ),
    ]
    return Given(tuple(balances), read_summary(summary) if summary else None)


def _balance(book: Book, kind: Kind, text: str) -> GivenBalance:
    """`1234.50`, `EUR=1234.50`, of our ledger also `cash:EUR=1234.50`."""
    from activities.reconciliation.given import GivenBalance

    named, colon, rest = text.partition(":")
    if colon and (book != "clearing" or named not in _BOOKS):
        raise typer.BadParameter(f"{text!r} names no account of the ledger: {', '.join(_BOOKS)}")
    of: Book = named if colon else book  # type: ignore[assignment]  # it is one of _BOOKS
    currency, equals, amount = (rest if colon else text).rpartition("=")
    return GivenBalance(of, kind, currency.upper() if equals else None, amount)
