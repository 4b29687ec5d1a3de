from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import tomllib
from datetime import timedelta

import pytest

from activities.onboarding.policy import load_policy
from tests.unit.docs.generated import BLOCKS, blocks_of, renewed
from tests.unit.docs.pages import PAGES, ROOT, Snippet, snippets
from workers.demo.cast import Run

README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
_KIND = r"(?:stripe|identity|billing|directory|crm|screening|smtp|mail|request)\.[a-z_]+"


def test_what_is_made_from_code_is_what_the_code_says() -> None:
    for page in PAGES:
        text = page.read_text()
        assert text == renewed(text), "run python -m tests.unit.docs.generated"
    assert {block for page in PAGES for block in blocks_of(page.read_text())} == set(BLOCKS)


def test_every_direct_dependency_has_its_line_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"client": project["dependencies"], **project["optional-dependencies"]}
    wanted = {name: {_package(one) for one in named} for name, named in groups.items()}
    sections = (ROOT / "docs" / "dependencies.md").read_text().split("\n## ")[1:]
    listed = {
        re.findall(r"`(?:workflows\.)?(\w+)`", section)[0]: set(
            re.findall(r"^\| `([^`]+)` \| \w", section, re.MULTILINE)
        )
        for section in sections
    }
    assert listed == wanted


def _package(requirement: str) -> str:
    return re.split(r"[\[<>=;]", requirement)[0]


def test_every_type_of_failure_is_explained_and_no_other() -> None:
    code = "".join(
        file.read_text()
        for room in ("connectors", "activities")
        for file in (ROOT / room).rglob("*.py")
    )
    code = re.sub(r"request_key\(.*?\)", "", code)  # steps are named alike
    assert set(re.findall(rf"`({_KIND})`", OPERATIONS)) == set(re.findall(rf'"({_KIND})"', code))


def test_the_readme_tells_of_the_demo_that_there_is() -> None:
    numbers = ("Twelve", "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen")
    who_sign_up = [one for one in Run().cast() if one.appeals is None]
    assert f"{numbers[len(who_sign_up) - 12]} applicants" in README
    demo = load_policy(ROOT / "rules" / "policy.toml", "demo")
    assert "There are five minutes for each" in " ".join(README.split())
    assert demo.email is not None
    assert demo.email.expires_after == demo.identity.expires_after == timedelta(minutes=5)


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_python_compiles(snippet: Snippet) -> None:
    compile(snippet.code, str(snippet), "exec")


@pytest.mark.parametrize("snippet", snippets("sh"), ids=str)
def test_shell_can_be_read_and_sends_json(snippet: Snippet) -> None:
    subprocess.run(["sh", "-n"], input=snippet.code, text=True, check=True)
    words = shlex.split(snippet.code, comments=True)
    for flag, body in itertools.pairwise(words):
        if flag == "-d":
            assert json.loads(body)


def test_a_service_starts_an_onboarding_in_ten_lines() -> None:
    (code,) = (one.code for one in snippets("python") if one.page.name == "README.md")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
