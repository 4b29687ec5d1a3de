from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import PAGES, ROOT, named

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(r"(?:[a-z_]+/)+[a-z_]*(?:\.[a-z]+)?")
_ROOMS = ("workflows", "connectors", "database", "activities", "gateway", "workers", "simulators")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in _HEADING.findall(page.read_text())
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for name in named(page):
        if _PATH.fullmatch(name) and name.split("/")[0] in (*_ROOMS, "rules", "tests", "docs"):
            assert (ROOT / name).exists(), name


def test_every_page_and_image_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    for page in PAGES:
        paths = (link.partition("#")[0] for link in _LINK.findall(page.read_text()))
        reached |= {(page.parent / path).resolve() for path in paths if path}
    assert {*PAGES, *(ROOT / "docs" / "images").iterdir()} <= reached


def test_images_are_small_enough_to_be_loaded_at_once() -> None:
    for image in (ROOT / "docs" / "images").iterdir():
        assert image.stat().st_size < 300_000, image
