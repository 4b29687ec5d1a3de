"""The command line, `perdure`.

Each module with commands has an `app` that they are registered at, and here these are put together:
with a name as a group, without one as more commands of what they are added to. What is heavy is
imported inside the commands, so that `perdure --help` answers at once.
"""

from __future__ import annotations

import typer

from workers.cli import (
    accounts,
    applicant,
    attention,
    breaks,
    certificate,
    customer,
    demo,
    documents,
    identity,
    import_,
    journal,
    matches,
    onboarding,
    open_items,
    periods,
    process,
    reconcile,
    reconcile_files,
    release,
    request,
    review,
    rules,
    screening,
    shadow,
    stack,
    statement,
    statements,
    versions,
)
from workers.ending import end_after

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
onboarding.app.add_typer(versions.app)
app.add_typer(onboarding.app, name="onboarding", rich_help_panel="Onboardings")
app.add_typer(applicant.app, name="applicant", rich_help_panel="Onboardings")
app.add_typer(customer.app, name="customer", rich_help_panel="Customers")
app.add_typer(identity.app, name="identity", rich_help_panel="Onboardings")
app.add_typer(screening.app, name="screening", rich_help_panel="Onboardings")
app.add_typer(review.app, name="review", rich_help_panel="Onboardings")
app.add_typer(documents.app, name="documents", rich_help_panel="Onboardings")
app.add_typer(attention.app, name="attention", rich_help_panel="Onboardings")
app.add_typer(request.app, name="request", rich_help_panel="Onboardings")
app.add_typer(rules.app, name="rules", rich_help_panel="Rules")
for more in (reconcile_files, certificate, open_items, shadow):
    reconcile.app.add_typer(more.app)
app.add_typer(reconcile.app, name="reconcile", rich_help_panel="Reconciliation")
app.add_typer(breaks.app, name="breaks", rich_help_panel="Reconciliation")
app.add_typer(matches.app, name="matches", rich_help_panel="Reconciliation")
app.add_typer(statements.app, name="statements", rich_help_panel="Reconciliation")
app.add_typer(accounts.app, name="accounts", rich_help_panel="Reconciliation")
app.add_typer(journal.app, name="journal", rich_help_panel="Reconciliation")
app.add_typer(periods.app, name="periods", rich_help_panel="Reconciliation")
app.add_typer(import_.app, name="import", rich_help_panel="Reconciliation")
app.add_typer(statement.app)
app.add_typer(release.app)
app.add_typer(process.app)


def main() -> None:
    """Run a command. What a person can mend is said in a sentence, not in a traceback."""
    end_after("perdure", app)
