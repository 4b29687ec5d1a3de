"""What the docs say that the code says, too: made from the code, and compared by a test.

`python -m tests.unit.docs.generated` writes it anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from activities.onboarding.policy import load_policy
from gateway.roles import MAY, takes_a_person
from tests.unit.docs.composed import secret_table, service_order, service_table
from workers.settings import Settings, variable
from workflows.actor import Role
from workflows.onboarding.life import LIFE_TRANSITIONS
from workflows.onboarding.messages import ENDS, TRANSITIONS, UNDONE
from workflows.onboarding.rejection import ADVERSE_ACTIONS
from workflows.onboarding.review import ReviewPolicy
from workflows.onboarding.state import RESTS_ON
from workflows.reconciliation.messages import STOPPED
from workflows.reconciliation.messages import TRANSITIONS as RECONCILIATION

ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"(<!-- made from code: (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
_ANY_TIME = ("withdrawn", "aborted")


def stages() -> str:
    """The stages as a diagram; the ends that are possible nearly everywhere are in a table."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> received"]
    for stage, following in TRANSITIONS.items():
        lines += [
            f"    {stage} --> {after}"
            for after in TRANSITIONS
            if after in following and after not in _ANY_TIME
        ]
    lines += [f"    {end} --> [*]" for end in TRANSITIONS if end in ENDS - set(_ANY_TIME)]
    lines += ["```", "", "| stage | may be withdrawn | may be aborted |", "|---|---|---|"]
    for stage, following in TRANSITIONS.items():
        if stage not in ENDS:
            may = ("yes" if end in following else "no" for end in _ANY_TIME)
            lines.append(f"| `{stage}` | {' | '.join(may)} |")
    lines += ["", "| end | what is left outside |", "|---|---|"]
    for end in TRANSITIONS:
        if end in ENDS:
            left = "nothing: all is undone" if end in UNDONE else _LEFT[end]
            lines.append(f"| `{end}` | {left} |")
    return "\n".join(lines)


def rests_on() -> str:
    """What each check rests on."""
    lines = ["| check | rests on |", "|---|---|"]
    for check, fields in RESTS_ON.items():
        lines.append(f"| {check} | {', '.join(f'`{one}`' for one in sorted(fields))} |")
    return "\n".join(lines)


Section = TypeVar("Section")
_LEFT = {
    "active": "the customer in all three systems, one welcome mail",
    "rejected": "the identity session, where one was opened",
}


def _said(section: Section | None) -> Section:
    """A section that every profile has; the policies of older processes may be without."""
    assert section is not None
    return section


def deadlines() -> str:
    """Every time of the policy file, for both profiles."""
    file = ROOT / "rules" / "policy.toml"
    profiles = [load_policy(file, name) for name in ("production", "demo")]
    rows: list[tuple[str, list[str]]] = [
        ("a confirmed e-mail", [_words(_said(one.email).expires_after) for one in profiles]),
        ("one link to confirm it", [_words(_said(one.email).link_holds) for one in profiles]),
        (
            "mails with a link, besides the first",
            [str(_said(one.email).resends) for one in profiles],
        ),
        ("pause between two of them", [_words(_said(one.email).pause) for one in profiles]),
        ("changes of an application", [str(one.changes) for one in profiles]),
        ("proof of identity", [_words(one.identity.expires_after) for one in profiles]),
        ("tries to prove it", [str(one.identity.tries) for one in profiles]),
        ("an hour of business, in a review", [_hour(_said(one.review)) for one in profiles]),
    ]
    screening = [one.screening for one in profiles if one.screening]
    rows += [
        ("likeness of a hit, in percent", [str(one.threshold) for one in screening]),
        (
            "a false positive is remembered",
            [_words(one.false_positives_hold) for one in screening],
        ),
    ]
    rejections = [one.rejection for one in profiles]
    likeness = [one.duplicates for one in profiles]
    rows += [
        ("an appeal", [_words(one.appeal_within) if one else "none" for one in rejections]),
        (
            "likeness of two names, from 0 to 1",
            [f"{one.likeness:g}" if one else "not looked at" for one in likeness],
        ),
    ]
    documents = [_said(one.documents) for one in profiles]
    rows += [
        ("documents that were asked for", [_words(one.expires_after) for one in documents]),
        (
            "reminders of them, after",
            [", ".join(_words(at) for at in one.remind_after) for one in documents],
        ),
        (
            "reviewers may refuse them",
            [_business(one.look_hours or 0) for one in documents],
        ),
        ("refusals of one kind", [str(one.tries) for one in documents]),
        ("files of one kind", [str(one.files) for one in documents]),
    ]
    for kind in ("remote", "read"):
        budgets = [getattr(one.budgets, kind) for one in profiles]
        rows += [
            (f"one try of a {kind} step", [_words(one.one_try) for one in budgets]),
            (f"all tries of a {kind} step", [_words(one.all_tries) for one in budgets]),
        ]
    lines = ["| what | `production` | `demo` |", "|---|---|---|"]
    lines += [f"| {what} | {' | '.join(times)} |" for what, times in rows]
    return "\n".join(lines)


def _hour(policy: ReviewPolicy) -> str:
    return _words(policy.an_hour_takes) if policy.an_hour_takes else "while an office is open"


def life_stages() -> str:
    """The stages of a customer's life as a diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> active"]
    for stage, following in LIFE_TRANSITIONS.items():
        lines += [f"    {stage} --> {after}" for after in LIFE_TRANSITIONS if after in following]
        if not following:
            lines.append(f"    {stage} --> [*]")
    return "\n".join([*lines, "```"])


def reconciliation_stages() -> str:
    """The stages of a reconciliation as a diagram; withdrawn and aborted are in a sentence."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> received"]
    for stage, following in RECONCILIATION.items():
        lines += [
            f"    {stage} --> {after}"
            for after in RECONCILIATION
            if after in following and after not in STOPPED
        ]
        if not following and stage not in STOPPED:
            lines.append(f"    {stage} --> [*]")
    stopped = [
        f"`{stage}`" for stage, following in RECONCILIATION.items() if set(STOPPED) & following
    ]
    sentence = f"It may be withdrawn or aborted in {', '.join(stopped)}; what is certified stands."
    return "\n".join([*lines, "```", "", sentence])


def life_deadlines() -> str:
    """Every time of a customer's life, for both profiles."""
    file = ROOT / "rules" / "policy.toml"
    lives = [_said(load_policy(file, name).life) for name in ("production", "demo")]
    after = [one.reverify_after for one in lives]
    rows = [
        ("comparisons", [f"every {_words(one.compare_every)}" for one in lives]),
        ("without an answer, until it parks", [f"{one.unseen} times" for one in lives]),
        ("a proof of identity is good at high risk", [_words(one.high) for one in after]),
        ("at medium risk", [_words(one.medium) for one in after]),
        ("at low risk", [_words(one.low) for one in after]),
        ("to prove it again", [_words(one.reverify_within) for one in lives]),
        ("what is kept of who left, at least", [_words(one.keep_for) for one in lives]),
    ]
    reviews = [_said(one.review) for one in lives]
    rows += [
        ("reviewers are reminded after", [_business(one.remind_after) for one in reviews]),
        (
            "it is put before senior reviewers after",
            [_business(one.escalate_after) for one in reviews],
        ),
        ("it is an operator's after", [_business(one.decide_within) for one in reviews]),
    ]
    papers = [_said(one.documents) for one in lives]
    rows += [
        (
            "a new document is asked for before it expires",
            [_words(one.ask_before) for one in papers],
        ),
        (
            "reminders of it, after",
            [", ".join(_words(at) for at in one.remind_after) for one in papers],
        ),
        ("to deliver it, at least", [_words(one.deliver_within) for one in papers]),
        ("reviewers may refuse it", [_business(one.look_hours) for one in papers]),
    ]
    lines = ["| what | `production` | `demo` |", "|---|---|---|"]
    lines += [f"| {what} | {' | '.join(times)} |" for what, times in rows]
    return "\n".join(lines)


def _business(hours: int) -> str:
    return f"{hours} hours of business"


def _words(time: timedelta) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := time.total_seconds() / size) >= 1:
            return f"{count:g} {unit}" + ("" if count == 1 else "s")
    return f"{time.total_seconds():g} seconds"


def roles() -> str:
    """Which role may use which operation of the API."""
    names = get_args(Role)
    lines = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for operation, may in MAY.items():
        yes = "a person" if takes_a_person(*operation.split(" ")) else "yes"
        cells = (yes if name in may else "" for name in names)
        lines.append(f"| `{operation}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def settings() -> str:
    """Every setting with its default and what it means."""
    meanings = _docstrings(ROOT / "workers" / "settings.py", "Settings")
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        assert meanings.get(name), f"{name} has no docstring that says what it means"
        lines.append(f"| `{variable(name)}` | {_default(name, field)} | {meanings[name]} |")
    return "\n".join(lines)


def _default(name: str, field: FieldInfo) -> str:
    if SecretStr in _types(field.annotation):
        return "secret"
    if name == "home":
        return "`.perdure` in the root of the clone"
    default: Any = field.default
    if field.default_factory is not None:
        others = {
            "home": Path(".perdure"),
            "gateway_port": 8400,
            "gateway_url": "http://127.0.0.1:8400",
            "directory": "scim",
            "directory_simulator_port": 8403,
        }
        default = field.default_factory(others)  # type: ignore[call-arg] # pydantic passes these
    if default is None or default == ():
        return ""
    if isinstance(default, Path) and default.is_absolute():
        default = default.relative_to(ROOT)
    return f"`{default}`"


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _types(inner)


def _docstrings(file: Path, class_name: str) -> dict[str, str]:
    """The strings that stand below the fields of a class."""
    (found,) = (
        node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    meanings = {}
    for field, below in zip(found.body, found.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            meanings[field.target.id] = " ".join(str(below.value.value).split())
    return meanings


def adverse_actions() -> str:
    """What a rejected applicant is told, code by code."""
    lines = ["| code | in words |", "|---|---|"]
    lines += [f"| `{code}` | {words} |" for code, words in ADVERSE_ACTIONS.items()]
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {
    "stages": stages,
    "deadlines": deadlines,
    "adverse_actions": adverse_actions,
    "roles": roles,
    "rests_on": rests_on,
    "reconciliation_stages": reconciliation_stages,
    "life_stages": life_stages,
    "life_deadlines": life_deadlines,
    "settings": settings,
    "service_order": service_order,
    "service_table": service_table,
    "secret_table": secret_table,
}


def renewed(page: str) -> str:
    """A page with its blocks made anew."""
    return _BLOCK.sub(lambda block: block[1] + BLOCKS[block[2]]() + block[3], page)


def blocks_of(page: str) -> list[str]:
    """The names of a page's blocks."""
    return [block[2] for block in _BLOCK.finditer(page)]


if __name__ == "__main__":
    for file in (ROOT / "docs").glob("*.md"):
        file.write_text(renewed(file.read_text()))
