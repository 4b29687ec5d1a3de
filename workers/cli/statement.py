"""`perdure statement`: what is in a bank's statement file, and whether it adds up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from workers.cli.options import AsJson
from workers.terminal import say

if TYPE_CHECKING:
    from connectors.statements.statement import Opened, Parts, Proven, StatementRefused

app = typer.Typer()

_REFUSED = 2
_IN_MEMORY = 8 * 1024 * 1024


@app.command(rich_help_panel="Reconciliation")
def statement(
    file: Annotated[
        Path, typer.Argument(help="CAMT.053, MT940, MT942, BAI2, OFX or CSV; found by content.")
    ],
    as_json: AsJson = False,
) -> None:
    """Read a bank's statement file, and prove that opening balance and entries give the closing.

    A file in which anything cannot be read is refused as a whole. CSV needs a column map in
    `rules/statement_columns.toml`.

    Example: `perdure statement statement.xml --json`

    Exit codes: 0 read, proven or not · 2 refused, or wrong usage or setting
    """
    import tempfile

    from connectors.statements.csv import BadColumns, load_columns
    from connectors.statements.reading import read
    from connectors.statements.statement import StatementRefused
    from workers import settings as setting

    try:
        maps = load_columns(setting.load().rules / "statement_columns.toml")
        with (
            file.open("rb") as opened,
            tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as told,
        ):
            # Nothing of a file counts that is refused at its last line: so nothing is shown before.
            write = _write_json if as_json else _write_lines
            write(read(opened, maps), told)  # type: ignore[arg-type]  # a file in all that is used
            told.seek(0)
            for line in told:
                say(line, nl=False)
    except StatementRefused as refused:
        _say(refused, as_json=as_json)
        raise typer.Exit(_REFUSED) from None
    except OSError as error:
        _say(StatementRefused("unreadable", f"{file}: {error.strerror}."), as_json=as_json)
        raise typer.Exit(_REFUSED) from None
    except BadColumns as error:
        raise typer.BadParameter(str(error)) from None


def _say(refused: StatementRefused, *, as_json: bool) -> None:
    import json

    if as_json:
        said = {"error": refused.error, "detail": refused.detail, "position": refused.position}
        say(json.dumps(said))
    else:
        say(f"refused ({refused.error}): {refused}", err=True)


def _write_json(parts: Parts, to: TextIO) -> None:
    """An array of statements, written as they come."""
    import json

    from connectors.statements.statement import Closed, Entry, Opened, prove

    between = "["
    total = 0
    first = True
    for part in parts:
        match part:
            case Opened():
                to.write(f"{between}\n{json.dumps(_head(part), ensure_ascii=False)[:-1]}")
                to.write(', "entries": [')
                between, total, first = ",", 0, True
            case Entry():
                total += part.amount_minor
                to.write(("" if first else ",") + "\n " + _entry(part))
                first = False
            case Closed():
                proven = prove(total, part)
                told = {
                    "opening": _balance(part.opening),
                    "closing": _balance(part.closing),
                    "proof": proven.proof,
                    "difference_minor": proven.difference_minor,
                }
                to.write(("" if first else "\n") + f"], {json.dumps(told)[1:]}")
    to.write("\n]\n")


def _head(opened: Opened) -> dict[str, str]:
    return {
        "format": opened.format,
        "account": opened.account,
        "currency": opened.currency,
        "statement_id": opened.statement_id,
    }


def _entry(entry: object) -> str:
    import dataclasses
    import json

    assert dataclasses.is_dataclass(entry)
    assert not isinstance(entry, type)
    return json.dumps(dataclasses.asdict(entry), default=str, ensure_ascii=False)


def _balance(balance: object) -> dict[str, object] | None:
    from connectors.statements.statement import Balance

    if not isinstance(balance, Balance):
        return None
    day = balance.date.isoformat() if balance.date else None
    return {"date": day, "amount_minor": balance.amount_minor}


def _write_lines(parts: Parts, to: TextIO) -> None:
    """A line for each statement."""
    from connectors.statements.statement import Closed, Entry, Opened, prove

    opened: Opened | None = None
    total = count = 0
    for part in parts:
        match part:
            case Opened():
                opened, total, count = part, 0, 0
            case Entry():
                total += part.amount_minor
                count += 1
            case Closed():
                assert opened is not None
                to.write(_line(opened, count, total, prove(total, part)) + "\n")


def _line(opened: Opened, count: int, total: int, proven: Proven) -> str:
    name = " ".join(part for part in (opened.account, opened.statement_id) if part)
    entries = f"{count} {'entry' if count == 1 else 'entries'}, {_money(opened, total)} in all"
    by = f" by {_money(opened, proven.difference_minor)}" if proven.difference_minor else ""
    return f"{opened.format}  {name}: {entries}: {proven.proof}{by}"


def _money(opened: Opened, amount: int) -> str:
    from workflows.reconciliation.currencies import money

    return money(amount, opened.currency)
