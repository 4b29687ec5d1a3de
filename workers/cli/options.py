"""Options that commands share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer


class Role(StrEnum):
    """Whose API key a command uses."""

    service = "service"
    support = "support"
    reviewer = "reviewer"
    reviewer_two = "reviewer-two"
    senior_reviewer = "senior-reviewer"
    senior_reviewer_two = "senior-reviewer-two"
    finance_operator = "finance-operator"
    finance_approver = "finance-approver"
    finance_approver_two = "finance-approver-two"
    operator = "operator"
    admin = "admin"


def values(those: Iterable[str]) -> str:
    """What an option takes, for its help: typer wraps a list of choices within words."""
    return ", ".join(those)


AsRole = Annotated[
    Role,
    typer.Option(
        "--as",
        metavar="ROLE",
        help=f"Use this role's key, PERDURE_API_KEY_… or its secrets file: {values(Role)}.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: what the gateway answered.")]
OnDay = Annotated[
    datetime | None,
    typer.Option(help="At the end of this day; else the latest.", formats=["%Y-%m-%d"]),
]
KnownAt = Annotated[
    str | None, typer.Option(help="As it was known then, as 2026-02-01T06:00:00Z; else now.")
]


def segment(id: str) -> str:
    """An id as a part of a path, whatever was typed."""
    from urllib.parse import quote

    return quote(id, safe="")
