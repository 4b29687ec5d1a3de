"""What commands have to say to the gateway, and what they show of its answers."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import httpx
import typer

from workers import settings as setting
from workers.cli.options import Role
from workers.obstacle import Obstacle
from workers.settings import Settings


class GatewayRefused(Obstacle):
    """The gateway said no. The text says why, and which field is to blame."""

    exit_code = 1


class GatewayNotReachable(Obstacle):
    """Nobody answers at the gateway's address, or it cannot work just now."""

    exit_code = 3


def call(
    method: str,
    path: str,
    *,
    role: Role,
    params: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    content: BinaryIO | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """The gateway's answer to a JSON body or a file. Any: whatever its JSON holds.

    Raises GatewayRefused, GatewayNotReachable, or SettingsWrong where there is no key.
    """
    settings = setting.load()
    if content is not None:
        headers = {"Content-Type": "application/octet-stream"} | (headers or {})
    authorization = {"Authorization": f"Bearer {_key(settings, role)}"}
    try:
        answer = httpx.request(
            method,
            settings.gateway_url + path,
            params={name: value for name, value in (params or {}).items() if value is not None},
            json=body,
            content=content,
            headers=authorization | (headers or {}),
            timeout=30,
        )
    except httpx.TransportError as error:
        raise GatewayNotReachable(
            f"The gateway at {settings.gateway_url} does not answer. Is it up? `perdure status` "
            "shows it; PERDURE_GATEWAY_URL names another one."
        ) from error
    if answer.is_success:
        return answer.json()
    said = _said(answer)
    later = answer.status_code >= 500 or answer.status_code == 429
    raise GatewayNotReachable(said) if later else GatewayRefused(said)


def _key(settings: Settings, role: Role) -> str:
    names: dict[Role, setting.SecretName] = {
        Role.service: "api_key_service",
        Role.support: "api_key_support",
        Role.reviewer: "api_key_reviewer",
        Role.reviewer_two: "api_key_reviewer_two",
        Role.senior_reviewer: "api_key_senior_reviewer",
        Role.senior_reviewer_two: "api_key_senior_reviewer_two",
        Role.finance_operator: "api_key_finance_operator",
        Role.finance_approver: "api_key_finance_approver",
        Role.finance_approver_two: "api_key_finance_approver_two",
        Role.operator: "api_key_operator",
        Role.admin: "api_key_admin",
    }
    return settings.secret(names[role])


def _said(answer: httpx.Response) -> str:
    """A problem in lines that people read."""
    try:
        problem = answer.json()
        lines = [str(problem["detail"])]
        lines += [f"  {one['field']}: {one['message']}" for one in problem.get("errors", [])]
        if answer.status_code == 500:
            lines.append(f"  request id: {problem['request_id']}")
        return "\n".join(lines)
    except (ValueError, KeyError, TypeError):
        return f"The gateway answered with status {answer.status_code}, and no reason."


def show_json(answer: Any) -> None:
    """Print an answer as it is."""
    import json

    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def show_table(titles: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print rows for people; columns that are empty throughout are left out."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    filled = [at for at in range(len(titles)) if any(row[at] for row in rows)]
    table = Table(box=None, pad_edge=False)
    for at in filled:
        # Ids are copied from here: the others make room.
        table.add_column(titles[at], overflow="fold", no_wrap=at == filled[0])
    for row in rows:
        table.add_row(*(Text(str(row[at] or "")) for at in filled))
    # A narrow pipe must not tear ids apart.
    Console(width=None if sys.stdout.isatty() else 400).print(table)


def show_page(
    titles: tuple[str, ...], rows: list[tuple[Any, ...]], answer: dict[str, Any], *, none: str
) -> None:
    """Print a page of a list, and how to go on; `none` says that there is nothing."""
    if rows:
        show_table(titles, rows)
    else:
        typer.echo(none)
    if answer.get("incomplete"):
        typer.echo(f"\nincomplete: {answer['incomplete']}")
    if answer["next"]:
        typer.echo(f"\nmore: --cursor {answer['next']}")


def clock(at: str | None) -> str:
    """A time of the API as people read it, to the second."""
    return at[:19].replace("T", " ") if at else ""
