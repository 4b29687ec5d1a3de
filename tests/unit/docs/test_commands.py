from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from tests.unit.docs.pages import PAGES, ROOT, named, snippets
from workers.cli import app
from workers.settings import Settings, variable

PERDURE = typer.main.get_command(app)
_PERDURE = re.compile(r"^(?:[A-Z_]+=\S+ )*perdure (.+)$")
_VARIABLE = re.compile(r"PERDURE_[A-Z_]+[A-Z]")
_TARGET = re.compile(r"\bmake ([a-z]+)")


def lines() -> list[str]:
    """Every command line of ours that a page shows."""
    shown = [name for page in PAGES for name in named(page)]
    for snippet in snippets("sh"):
        shown += snippet.code.replace("\\\n", " ").splitlines()
    commands = (line.partition("  #")[0].partition("`")[0].strip() for line in shown)
    return sorted({found[1] for line in commands if (found := _PERDURE.match(line))})


@pytest.mark.parametrize("line", lines())
def test_every_command_that_is_named_exists_and_takes_what_it_is_given(line: str) -> None:
    command = PERDURE
    words, path = shlex.split(line), []
    while isinstance(command, TyperGroup) and words and words[0] in command.commands:
        command = command.commands[words[0]]
        path.append(words.pop(0))
    assert path, f"there is no perdure {line}"
    assert not isinstance(command, TyperGroup) or not words, f"there is no perdure {line}"
    known = {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        assert not word.startswith("--") or word in known, f"perdure {line}: {word}"
    if any(not word.startswith("--") for word in words):
        # A whole command line, not a mention: everything that it takes is there.
        command.make_context("perdure", list(words))
    with pytest.raises(SystemExit) as ended:
        PERDURE.main([*path, "--help"])
    assert ended.value.code == 0


def test_there_is_a_page_that_names_each_group_of_commands() -> None:
    assert isinstance(PERDURE, TyperGroup)
    assert set(PERDURE.commands) == {line.split()[0] for line in lines()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {variable(name) for name in Settings.model_fields}
    assert set(_VARIABLE.findall(page.read_text())) <= known


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        code = [*named(page), *re.findall(r"^    (.+)$", page.read_text(), re.MULTILINE)]
        asked = {target for line in code for target in _TARGET.findall(line)}
        assert asked <= targets, page.name


def test_commands_of_every_page_use_the_variables_that_one_of_them_sets() -> None:
    shown = [one.code for one in snippets("sh") if "curl" in one.code or "export " in one.code]
    used = {name for code in shown for name in re.findall(r"\$\{?([A-Z]\w*)", code)}
    given = {name for code in shown for name in re.findall(r"\b([A-Z]\w*)=", code)}
    assert used <= given | {"ID", "PWD"}
