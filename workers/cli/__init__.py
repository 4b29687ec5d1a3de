"""The command line, `perdure`.

Each module here is one group of commands with an `app`; it imports what is heavy inside its
commands, so that `perdure --help` answers at once.
"""

from __future__ import annotations

import sys

import typer

from workers.cli import attention, demo, onboarding, request, stack
from workers.obstacle import Obstacle

app = typer.Typer(
    name="perdure",
    help="Customer onboarding and payment reconciliation that are never half done.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(stack.app)
app.add_typer(demo.app)
app.add_typer(onboarding.app, name="onboarding", rich_help_panel="Onboardings")
app.add_typer(attention.app, name="attention", rich_help_panel="Onboardings")
app.add_typer(request.app, name="request", rich_help_panel="Onboardings")


def main() -> None:
    """Run a command. What a person can mend is said in a sentence, not in a traceback."""
    try:
        app()
    except Obstacle as obstacle:
        print(f"perdure: {obstacle}", file=sys.stderr)  # noqa: T201
        sys.exit(obstacle.exit_code)
