"""`perdure rules`: the decision tables of the business, checked, explained and compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from workers.terminal import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from activities.rules.book import RuleBook
    from activities.rules.coverage import Coverage
    from activities.rules.replay import Difference
    from activities.rules.table import Table
    from workers.settings import Settings

app = typer.Typer(help="Check, explain and compare the decision tables.", no_args_is_help=True)

Answer = TypeVar("Answer")
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Where the tables are. Default: those that hold here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is wrong with the tables, and which cases they forget or decide twice.

    Looks through every case that the conditions tell apart. Gaps, which only the last row catches,
    and overlaps, of which the upper row decides, are shown and do no harm: the last row sends to
    a person. A row that is never reached is a mistake.

    Example: `perdure rules check`, and `perdure rules check candidate` before it is shipped.

    Exit codes: 0 the tables can be used · 1 they cannot, or a row is never reached · 2 wrong usage
    or setting
    """
    from dataclasses import asdict

    from activities.rules.coverage import TooManyCases, coverage
    from workers.cli.gateway_call import show_json
    from workers.cli.rules_shown import show_coverage

    book = _book(folder or _settings().rules, as_json=as_json)
    found: list[Coverage] = []
    too_many: list[str] = []
    for table in book.tables.values():
        try:
            found.append(coverage(table))
        except TooManyCases as error:
            too_many.append(str(error))
    if as_json:
        show_json(
            {
                "problems": [],
                "versions": dict(book.versions),
                "tables": [asdict(one) for one in found],
                "not_looked_through": too_many,
            }
        )
    else:
        for one in found:
            show_coverage(book.tables[one.table], one)
        for sentence in too_many:
            say(sentence)
    raise typer.Exit(1 if any(one.unreachable for one in found) else 0)


@app.command()
def explain(
    table: Annotated[str, typer.Argument(help="The table, as its file is called.")],
    told: Annotated[
        list[str] | None,
        typer.Option("--input", help="What the table is told, as country=DE; once for each."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--rules", help="Other tables than those that hold here.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="As the table was in this version; asks the database.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how a table decides: the rows in turn, what their conditions came to, the outcome.

    Example: `perdure rules explain customer_tier --input kind=company --input risk=low
    --input monthly_volume=300000 --input account_manager=no`

    Exit codes: 0 explained · 1 the tables cannot be used, or never had this version · 2 wrong
    usage or setting · 3 the database does not answer
    """
    from activities.rules.book import ruling
    from activities.rules.table import WrongFacts
    from workers.cli.gateway_call import show_json
    from workers.cli.rules_shown import show_explanation

    book = _book(folder or _settings().rules)
    if table not in book.tables:
        raise typer.BadParameter(f"there is no table {table}; there are {', '.join(book.tables)}")
    asked = _in_version(book, table, version) if version else book.tables[table]
    try:
        facts = _facts(asked, told or [])
        looked = asked.explain(facts)
    except WrongFacts as error:
        meanings = "\n".join(
            f"  {one.name} ({', '.join(one.values) or one.type}): {' '.join(one.meaning.split())}"
            for one in asked.inputs.values()
        )
        raise typer.BadParameter(f"{error}\n\nIt is told:\n{meanings}") from error
    decided = next(one.row for one in looked if one.held)
    if as_json:
        rows = [
            {
                "row": one.row.id,
                "condition": one.row.when.text if one.row.when else None,
                "held": one.held,
                "comparisons": [{"text": text, "held": held} for text, held in one.comparisons],
            }
            for one in looked
        ]
        show_json({"rows": rows, "inputs": facts, "ruling": ruling(asked, decided, facts)})
        return
    show_explanation(asked, looked, decided)


@app.command()
def diff(
    candidate: Annotated[Path, typer.Argument(help="The folder with the candidate's tables.")],
    table: Annotated[str | None, typer.Option(help="Show only what this table changes.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's onboardings.")] = None,
    stage: Annotated[
        list[str] | None, typer.Option(help="Only onboardings in this stage; may be repeated.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only onboardings received since this day (UTC)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the onboardings that would be decided otherwise if other tables held.

    What was decided is decided anew from what each table was told then; what one table says anew
    is told to the next. Nothing is changed: running onboardings keep the version they began with.

    Example: `perdure rules diff candidate --since 2026-01-01 --stage active`

    Exit codes: 0 nobody would be decided otherwise · 1 the candidate cannot be used · 2 wrong
    usage or setting · 3 the database does not answer · 4 somebody would be, or it cannot be told
    """
    import asyncio

    from workers.cli.rules_shown import show_difference

    if not candidate.is_dir():
        raise typer.BadParameter(f"{candidate} is no folder")
    book = _book(candidate)
    if table is not None and table not in book.tables:
        raise typer.BadParameter(f"there is no table {table}; there are {', '.join(book.tables)}")
    chosen = {
        "tenant": tenant,
        "stages": stage or None,
        "since": since.replace(tzinfo=UTC) if since else None,
    }
    if not as_json:
        say("Deciding anew what was decided, some thousands a second.", err=True)
    found = asyncio.run(_difference(_settings(), book, chosen))
    if table is not None:
        found.changes = [one for one in found.changes if one.table == table]
        found.untold = [one for one in found.untold if one.table == table]
    if as_json:
        say(found.model_dump_json(indent=2))
    else:
        show_difference(found)
    raise typer.Exit(4 if found.changes or found.untold else 0)


def _settings() -> Settings:
    from workers import settings

    return settings.load()


def _book(folder: Path, *, as_json: bool = False) -> RuleBook:
    from activities.rules.book import load_rules
    from activities.rules.problems import BadRules
    from workers.obstacle import Obstacle
    from workflows.onboarding.rules import QUESTIONS

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder")
    try:
        return load_rules(folder, QUESTIONS)
    except BadRules as error:
        if as_json:
            from dataclasses import asdict

            from workers.cli.gateway_call import show_json

            show_json({"problems": [asdict(problem) for problem in error.problems]})
            raise typer.Exit(1) from error
        raise Obstacle(f"The tables cannot be used:\n{error}") from error


def _facts(table: Table, told: list[str]) -> dict[str, Any]:
    """What was typed, as the table's types. Any: JSON values."""
    from activities.rules.inputs import WrongValue
    from activities.rules.table import WrongFacts

    facts: dict[str, Any] = {}
    for one in told:
        name, equals, value = one.partition("=")
        if not equals:
            raise WrongFacts(f"write name=value, not {one}")
        if name in facts:
            raise WrongFacts(f"{name} is told twice")
        try:
            facts[name] = table.inputs[name].read(value) if name in table.inputs else value
        except WrongValue as error:
            raise WrongFacts(str(error)) from error
    return dict(table.facts(facts))


def _in_version(book: RuleBook, table: str, version: str) -> Table:
    import asyncio

    from activities.rules.problems import BadRules
    from activities.rules.rulings import Rulings, UnknownVersion
    from workers.obstacle import Obstacle
    from workflows.onboarding.rules import QUESTIONS

    (question,) = (one for one in QUESTIONS if one.table == table)

    async def read(connection: AsyncConnection) -> Table:
        return await Rulings(book).table(connection, question, version)

    try:
        return asyncio.run(_in_database(_settings(), read))
    except (UnknownVersion, BadRules) as error:
        raise Obstacle(str(error)) from error


async def _difference(settings: Settings, book: RuleBook, chosen: dict[str, Any]) -> Difference:
    from activities.rules.replay import difference
    from database import rules

    async def compare(connection: AsyncConnection) -> Difference:
        return await difference(rules.standing(connection, **chosen), book)

    return await _in_database(settings, compare)


async def _in_database(
    settings: Settings, ask: Callable[[AsyncConnection], Awaitable[Answer]]
) -> Answer:
    """What the database answers. Raises an Obstacle where it does not."""
    from database.connection import DatabaseDown, engine_for, transaction
    from workers.obstacle import Obstacle

    class DatabaseNotReachable(Obstacle):
        exit_code = 3

    engine = engine_for(settings.database_url, application="perdure-rules", size=1)
    try:
        async with transaction(engine) as connection:
            return await ask(connection)
    except DatabaseDown as error:
        where = f"{settings.database_host}:{settings.database_port}/{settings.database_name}"
        raise DatabaseNotReachable(f"The database at {where} does not answer.") from error
    finally:
        await engine.dispose()
