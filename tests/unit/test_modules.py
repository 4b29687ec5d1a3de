from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "root_packages"
]
MOST_LINES = 400
"""What is longer holds two ideas. Migrations tell what was, and tests are no modules."""


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_too_long(room: str) -> None:
    lines = {
        str(module.relative_to(ROOT)): len(module.read_text().splitlines())
        for module in (ROOT / room).rglob("*.py")
        if "migrations" not in module.parts
    }
    assert lines
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
