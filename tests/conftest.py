"""Fixtures that any test may ask for, and what holds for a run as a whole."""

from __future__ import annotations

import gc
import io
import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import strategies

from tests.house import house, outside, temporal
from tests.laptop import own
from tests.postgres import database, empty_database, migrated_template, postgres_server
from workers import logs

__all__ = [
    "database",
    "empty_database",
    "house",
    "migrated_template",
    "outside",
    "own",
    "postgres_server",
    "temporal",
]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged, as lines of JSON; logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    stream = io.StringIO()
    logs.configure("worker", log_format="json", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


@pytest.fixture(scope="session", autouse=True)
def _hypothesis_is_loaded() -> None:
    """What hypothesis loads when it is first needed, pytest rewrites. Python 3.11 may fail to parse
    that while another thread parses, too, as Temporal's sandbox does: so it is loaded before."""
    strategies.from_regex("a").validate()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What only root can do, or only root would suffer, is not asked of others."""
    if os.geteuid() == 0:
        return
    for_root = [item for item in items if item.get_closest_marker("as_root")]
    config.hook.pytest_deselected(items=for_root)
    items[:] = [item for item in items if item not in for_root]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI everything needed is installed: a test that skips itself there proves nothing."""
    # Plugins import the last of themselves now, which pytest parses: Python 3.11 may fail at that
    # when it comes upon SQLAlchemy's old greenlets to collect.
    gc.collect()
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("In CI a skipped test fails the run.", red=True)
        session.exitstatus = 1
