"""The pages that people read, and what can be taken out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Snippet:
    """A block of code: in which page, in which language."""

    page: Path
    language: str
    code: str

    def __str__(self) -> str:
        first = self.code.strip().splitlines()[0]
        return f"{self.page.name}: {first[:40]}"


def blocks(page: Path) -> list[Snippet]:
    """Every block of code in a page, one after another."""
    return [Snippet(page, found[1], found[2]) for found in _FENCE.finditer(page.read_text())]


def snippets(language: str) -> list[Snippet]:
    """Every block of code in a language."""
    return [one for page in PAGES for one in blocks(page) if one.language == language]


def named(page: Path) -> list[str]:
    """Everything that a page names in its text as code."""
    return _INLINE.findall(_FENCE.sub("", page.read_text()))
