"""A copy of the tables that are shipped, to change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.activities.rules.examples import RULES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    def change(table: str, old: str, new: str) -> None:
        file = folder / f"{table}.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change
