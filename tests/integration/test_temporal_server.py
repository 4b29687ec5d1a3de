from __future__ import annotations

import io
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import structlog
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from tests.integration.talking import Talking
from workers import logs
from workers.ports import free_port
from workers.temporal_server import TemporalServer

STAGE = SearchAttributeKey.for_keyword("Stage")
OWNER = SearchAttributeKey.for_keyword("Owner")


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    state = tmp_path_factory.mktemp("temporal")
    running = TemporalServer(state, free_port(), free_port(), search_attributes=[STAGE])
    await running.start()
    yield running
    await running.stop()


async def test_the_web_ui_answers(server: TemporalServer) -> None:
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(server.ui_url)
        assert page.status_code == 200
        assert "<!doctype html>" in page.text


async def test_workflow_code_is_silent_while_it_is_replayed(server: TemporalServer) -> None:
    root = logging.getLogger()
    before, config = (root.handlers, root.level), structlog.get_config()
    written = io.StringIO()
    logs.configure("worker", log_format="json", stream=written)
    try:
        client = await Client.connect(server.address)
        worker = Worker(client, task_queue="talk", workflows=[Talking], max_cached_workflows=0)
        async with worker:
            await client.execute_workflow("Talking", id="talking/1", task_queue="talk")
    finally:
        root.handlers, root.level = before
        structlog.configure(**config)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    talk = [line for line in lines if line["logger"] == "temporalio.workflow"]
    assert [line["event"] for line in talk] == ["before the pause", "after the pause"]
    assert {line["workflow_id"] for line in talk} == {"talking/1"}
    assert talk[1]["email"] == "[redacted]"


async def test_after_a_kill_it_comes_back_with_its_workflows_and_new_search_attributes(
    server: TemporalServer,
) -> None:
    client = await Client.connect(server.address)
    staged = TypedSearchAttributes([SearchAttributePair(STAGE, "received")])
    await client.start_workflow("Nobody", id="kept/1", task_queue="none", search_attributes=staged)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    later = TemporalServer(
        Path(server.state), server.port, server.ui_port, search_attributes=[STAGE, OWNER]
    )
    await later.start()
    try:
        client = await Client.connect(later.address)
        assert (await client.get_workflow_handle("kept/1").describe()).id == "kept/1"
        owned = TypedSearchAttributes([SearchAttributePair(OWNER, "operator")])
        await client.start_workflow(
            "Nobody", id="kept/2", task_queue="none", search_attributes=owned
        )
    finally:
        await later.stop()
