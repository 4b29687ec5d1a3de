"""Which test notices when our code is changed: `make mutants`, an hour or more.

mutmut changes one thing at a time in a copy of the working tree. What no test notices survives, and
is printed; what that means is told in CONTRIBUTING.md. Arguments choose among the targets.

mutmut switches its mutants by an environment variable, which Temporal's sandbox rightly keeps from
workflow code. There each mutant of a sample is written into the file and the tests run anew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import for_many_sessions

ROOT = Path(__file__).parents[1]
ROOMS = ("workflows", "connectors", "database", "activities", "gateway", "workers", "simulators")
BIN = Path(sys.executable).parent
SECONDS = 60
"""How long one test of a mutant may take: one that hangs has noticed it."""
_SESSION_SECONDS = 5 * 60
"""How long all of them may: with some mutants a worker never comes to its end either."""


@dataclass(frozen=True)
class Target:
    """What is changed, and the tests that ought to notice."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    in_sandbox: bool = False


TARGETS = {
    "errors": Target(
        files=(
            "connectors/http_api.py",
            *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("connectors/*/errors.py")),
        ),
        tests=("tests/unit/connectors",),
    ),
    "files": Target(
        files=tuple(f"connectors/{name}.py" for name in ("drop_folder", "csv_export", "outbox")),
        tests=("tests/unit/connectors",),
    ),
    "mail": Target(
        files=("connectors/letters.py", "connectors/smtp.py"),
        tests=tuple(
            f"tests/integration/connectors/test_{name}.py" for name in ("smtp", "smtp_servers")
        ),
    ),
    "once": Target(
        files=("activities/once.py", "database/requests.py"),
        tests=tuple(
            f"tests/faults/test_{name}.py" for name in ("once", "once_told", "once_undone")
        ),
    ),
    "process": Target(
        files=tuple(
            f"workflows/{name}.py" for name in ("process", "attention", "conduct", "attempt")
        ),
        tests=(
            "tests/unit/workflows",
            *(f"tests/workflow/test_{name}.py" for name in ("process", "attention")),
        ),
        in_sandbox=True,
    ),
}


def copy(target: Target, folder: Path) -> None:
    """The working tree with what mutmut has to know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    rooms = {file.split("/")[0] for file in target.files}
    # Mutants in a workflow are only made here: the tests that find nothing are quick.
    tests = ("tests/unit/workflows",) if target.in_sandbox else target.tests
    settings: dict[str, object] = {
        "source_paths": [f"{room}/" for room in sorted(rooms)],
        "only_mutate": list(target.files),
        "also_copy": [*(one for one in ROOMS if one not in rooms), "rules", "benchmarks", "tests"],
        "pytest_add_cli_args_test_selection": list(tests),
    }
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    # The SDK's threads do not survive a fork: mutants are forked from a process without them.
    lines += ['process_isolation = "forkserver"', "timeout_constant = 10.0"]
    with (folder / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints."""
    return subprocess.run(
        [BIN / "mutmut", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def outcomes(folder: Path) -> dict[str, str]:
    """Every mutant and what became of it."""
    pairs = (
        line.strip().split(": ") for line in mutmut(folder, "results", "--all", "1").split("\n")
    )
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def written(folder: Path, target: Target, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each mutant, written into its file, and what became of it; the name "" is none."""
    unchanged = {folder / file: (folder / file).read_text() for file in target.files}
    for name in names:
        if name:
            mutmut(folder, "apply", name)
        limits = ["-x", "--timeout", str(SECONDS), "-p", "no:cacheprovider"]
        failed = _fail([str(BIN / "pytest"), "-q", *limits, *target.tests], folder)
        yield name, "killed" if failed else "survived"
        for file, code in unchanged.items():
            file.write_text(code)


def _fail(tests: list[str], folder: Path) -> bool:
    """Whether the tests fail or hang; what they started ends with them."""
    running = subprocess.Popen(
        tests,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return running.wait(_SESSION_SECONDS) != 0
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return True


@contextlib.contextmanager
def postgres() -> Iterator[None]:
    """One server for all sessions of tests: to start it takes longer than most of them."""
    with tempfile.TemporaryDirectory(prefix="perdure-mutants-") as folder:
        server = for_many_sessions(Path(folder))
        with asyncio.Runner() as runner:
            os.environ |= runner.run(server.__aenter__())
            try:
                yield
            finally:
                runner.run(server.__aexit__(None, None, None))


def run(name: str, target: Target, sample: int) -> None:
    """Make the mutants of a target and print what became of them."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="perdure-mutants-") as temporary:
        folder = Path(temporary)
        copy(target, folder)
        mutmut(folder, "run")
        found = outcomes(folder)
        if target.in_sandbox:
            ((_, unchanged),) = written(folder, target, [""])
            assert unchanged == "survived", "the tests fail without any mutant"
            chosen = random.Random(1).sample(sorted(found), min(sample, len(found)))
            print(f"{name}: {len(chosen)} of {len(found)} mutants, one after another", flush=True)
            found = {}
            for mutant, outcome in written(folder, target, chosen):
                found[mutant] = outcome
                print(f"{len(found)} {outcome} {mutant}", flush=True)
        for mutant, outcome in found.items():
            if outcome not in ("killed", "timeout"):
                print(f"\n{outcome}: {mutant}")
                print(mutmut(folder, "show", mutant).partition("@@")[2])
    minutes = (time.monotonic() - begun) / 60
    print(f"{name}: {dict(Counter(found.values()))} in {minutes:.1f} minutes", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--sample", type=int, default=40, help="mutants in the sandbox")
    asked = parser.parse_args()
    with postgres():
        for each in asked.targets or TARGETS:
            run(each, TARGETS[each], asked.sample)
