"""The image cannot be built by a test; what its file says is true all the same."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from tests.composition import ROOT, ours

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
INSTRUCTIONS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["only-include"]


def said(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def copied() -> Iterator[str]:
    """What is copied from the repository."""
    for rest in said("COPY"):
        if not rest.startswith("--from"):
            yield from rest.split()[:-1]


def test_it_copies_what_is_there_and_every_room_that_is_installed() -> None:
    for path in copied():
        assert (ROOT / path).exists(), path
    assert {*ROOMS, "pyproject.toml", "README.md", "requirements.lock"} == set(copied())


def test_nothing_else_is_sent_to_whoever_builds_it() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_it_installs_the_hashed_lock_and_then_only_ourselves() -> None:
    installs = [one for rest in said("RUN") for one in rest.split("&&") if "pip install" in one]
    lock, ourselves = installs
    assert "--require-hashes -r requirements.lock" in lock
    assert "--no-deps --no-build-isolation ." in ourselves
    assert "--hash=sha256:" in (ROOT / "requirements.lock").read_text()


def test_it_leaves_out_servers_that_the_lock_has_for_laptops() -> None:
    (out,) = (one for rest in said("RUN") for one in rest.split("&&") if "pip uninstall" in one)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    laptop = {re.split("[>=]", one)[0] for one in project["optional-dependencies"]["laptop"]}
    gone = set(out.split()) - {"pip", "uninstall", "--yes"}
    assert gone == laptop - {"aiosmtpd", "psutil", "scim2-server"}


def test_its_stages_are_those_that_are_asked_for() -> None:
    stages = [rest.split(" AS ") for rest in said("FROM")]
    assert {base for base, _ in stages} == {"python:3.11.14-slim-bookworm"}
    names = [name for _, name in stages]
    targets = {one["build"]["target"] for one in ours().values() if "build" in one}
    assert targets == {names[-1]}
    assert {found for rest in said("COPY") for found in re.findall("--from=(\\w+)", rest)} <= set(
        names
    )


def test_it_runs_our_command_as_the_user_that_the_composition_names() -> None:
    assert said("ENTRYPOINT") == ['["perdure"]']
    assert {one["user"] for one in ours().values()} == set(said("USER"))
