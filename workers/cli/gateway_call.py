"""What commands have to say to the gateway, and what they show of its answers."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx

from workers import settings as setting
from workers.cli.options import Role
from workers.obstacle import Obstacle
from workers.settings import SecretName, Settings
from workers.terminal import say, visible_value

if TYPE_CHECKING:
    from rich.console import Console


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
    if content is not None:
        headers = {"Content-Type": "application/octet-stream"} | (headers or {})
    given = {"params": params, "json": body, "content": content, "headers": headers}
    return _answer(method, path, role, given).json()


def document_of(path: str, *, role: Role, params: dict[str, Any]) -> bytes:
    """A document that the gateway has, as it is. Raises as `call` does."""
    return _answer("GET", path, role, {"params": params}).content


def _answer(method: str, path: str, role: Role, given: dict[str, Any]) -> httpx.Response:
    """Any: what httpx takes of each."""
    settings = setting.load()
    authorization = {"Authorization": f"Bearer {_key(settings, role)}"}
    params = {k: v for k, v in (given.get("params") or {}).items() if v is not None}
    headers = authorization | (given.get("headers") or {})
    given = given | {"params": params, "headers": headers}
    try:
        answer = httpx.request(method, settings.gateway_url + path, timeout=30, **given)
    except httpx.TransportError as error:
        raise GatewayNotReachable(
            f"The gateway at {settings.gateway_url} does not answer. Is it up? `perdure status` "
            "shows it; PERDURE_GATEWAY_URL names another one."
        ) from error
    if answer.is_success:
        return answer
    said = _said(answer)
    later = answer.status_code >= 500 or answer.status_code == 429
    raise GatewayNotReachable(said) if later else GatewayRefused(said)


def _key(settings: Settings, role: Role) -> str:
    names: dict[Role, SecretName] = {
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

    say(json.dumps(answer, indent=2, ensure_ascii=False))


_FIGURE = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?( [A-Z]{3})")


def show_table(titles: tuple[str, ...], rows: list[tuple[Any, ...]], *, indent: int = 0) -> None:
    """Print rows for people: amounts and counts flush right, without columns that are empty."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    filled = [at for at in range(len(titles)) if any(visible_value(row[at]) for row in rows)]
    table = Table(box=None, pad_edge=False, show_header=any(titles[at] for at in filled))
    for at in filled:
        figures = all(_is_figure(row[at]) for row in rows)
        # Ids are copied from here: the others make room.
        table.add_column(
            titles[at],
            justify="right" if figures else "left",
            overflow="fold",
            no_wrap=at == filled[0],
        )
    for row in rows:
        table.add_row(*(Text(visible_value(row[at])) for at in filled))
    console().print(Padding(table, (0, 0, 0, indent), expand=False))


def console() -> Console:
    """Where tables are printed: a narrow pipe must not tear ids apart."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 400, highlight=False)


def _is_figure(value: Any) -> bool:
    """Whether it is a count or an amount, or says nothing. Any: a cell's own."""
    counts = isinstance(value, int) and not isinstance(value, bool)
    return counts or not visible_value(value) or bool(_FIGURE.fullmatch(str(value)))


def show_page(
    titles: tuple[str, ...], rows: list[tuple[Any, ...]], answer: dict[str, Any], *, none: str
) -> None:
    """Print a page of a list, and how to go on; `none` says that there is nothing."""
    if rows:
        show_table(titles, rows)
    else:
        say(none)
    show_next(answer)


def show_next(answer: dict[str, Any]) -> None:
    """Print what a page of a list lacks, and how to go on. Any: the gateway's JSON."""
    if answer.get("incomplete"):
        say(f"\nincomplete: {answer['incomplete']}")
    if answer["next"]:
        say(f"\nmore: --cursor {answer['next']}")


def clock(at: str | None) -> str:
    """A time of the API as people read it, to the second."""
    return at[:19].replace("T", " ") if at else ""
