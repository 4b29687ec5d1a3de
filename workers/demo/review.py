"""After the play, for people: what was checked, and where to look."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from workers.demo.books.tables import nights_table, planted_table
from workers.demo.report import CheckReport, Report
from workers.settings import Settings

_WIDTH = 47
_ENDS = (
    " The stack ends now, and Temporal's Web UI with it. `perdure up` brings back all",
    " that you saw; on a terminal, `perdure demo` without --exit keeps it running.",
)


def show(report: Report, settings: Settings, console: Console, *, stays: bool) -> None:
    """Print the checks, where to look while the stack `stays`, and the verdict."""
    console.print()
    if report.books is not None:
        console.print(nights_table(report.books))
        console.print()
        console.print(planted_table(report.books))
        console.print()
    for check in report.checks:
        console.print(_check(check))
    console.print()
    if stays:
        _links(report, settings, console)
    else:
        for line in _ENDS:
            console.print(line, style="dim")
    console.print()
    console.print(_verdict(report))


def _links(report: Report, settings: Settings, console: Console) -> None:
    console.print(Text(" In Temporal's Web UI", style="bold"))
    for one in report.onboardings:
        line = Text(f" {one.name}", style=f"link {one.link}")
        console.print(line.append(f"  {one.look}", style="dim"), soft_wrap=True)
        # Left whole for terminals that open what is clicked; they wrap it themselves.
        console.print(f"   {one.link}", style="cyan", highlight=False, soft_wrap=True)
    for night in report.books.nights if report.books else ():
        line = Text(f" {night.business_date:%A}, {night.status}", style=f"link {night.link}")
        console.print(line, soft_wrap=True)
        console.print(f"   {night.link}", style="cyan", highlight=False, soft_wrap=True)
    console.print()
    for what, where in (
        *_about_the_books(report),
        ("mail", f"http://127.0.0.1:{settings.mail_inbox_port}"),
        ("API", f"{settings.gateway_url}/docs"),
        ("ledger", f"perdure request show {_withdrawn(report)}"),
        ("lists", "perdure onboarding list · perdure attention list · perdure status"),
    ):
        console.print(Text(f" {what:7}", style="dim").append(where, style="default"))


def _about_the_books(report: Report) -> list[tuple[str, str]]:
    """Where to look at what the second act left."""
    books = report.books
    if books is None or books.page is None:
        return []
    return [
        ("page", f"file://{books.page}"),
        ("books", f"perdure breaks list --account {books.account}"),
    ]


def _check(check: CheckReport) -> Text:
    mark, style = ("✔", "green") if check.holds else ("✘", "bold red")
    line = Text.assemble((f" {mark} ", style), f"{check.what:{_WIDTH}} ", (check.saw, "dim"))
    for problem in check.problems:
        line.append(f"\n     {problem}", "red")
    return line


def _verdict(report: Report) -> Text:
    held = sum(check.holds for check in report.checks)
    seconds = report.seconds.show
    if report.as_planned:
        said = f" All is as planned: {held} checks hold, after {seconds:.0f} s."
        return Text(said, style="bold green")
    verdict = Text(f" Not as planned: {held} of {len(report.checks)} checks hold.", "bold red")
    if report.derailed:
        verdict.append(f"\n {report.derailed}", "red")
    return verdict


def _withdrawn(report: Report) -> str:
    """The process of which the ledger is worth a look: all of it was undone."""
    found = [one.workflow_id for one in report.onboardings if one.expected == "withdrawn"]
    return found[0] if found else "WORKFLOW_ID"
