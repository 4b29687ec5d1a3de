"""What the README shows to a backend service does what the README says."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from gateway.app import create_app
from tests.house import API_KEYS, TENANT, House
from tests.unit.docs.pages import snippets
from workers import gateway
from workers.ports import free_port
from workflows.onboarding.messages import onboarding_id

ADDRESS = "http://127.0.0.1:8400"
KEY_FILE = Path(".perdure/secrets/api_key_service")


@asynccontextmanager
async def listening(house: House) -> AsyncIterator[str]:
    """The gateway on a port of its own; its address."""
    port = free_port()
    async with gateway.options(house.settings, house.client) as options:
        config = uvicorn.Config(create_app(options), port=port, log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await serving


def shown(language: str, starting: str) -> str:
    """The README's snippet that starts so."""
    (code,) = (
        one.code
        for one in snippets(language)
        if one.page.name == "README.md" and one.code.startswith(starting)
    )
    return code


async def ran(code: str, folder: Path) -> str:
    """What a Python program says that is run in a folder. It must not fail."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def sent(curl: str, key: str) -> httpx.Response:
    """What the server answers to a curl command."""
    line = curl.replace("\\\n", " ").replace(f"$(cat {KEY_FILE})", key)
    _, url, *rest = shlex.split(line)
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for flag, value in pairs if flag == "-H")
    (body,) = (value for flag, value in pairs if flag == "-d")
    async with httpx.AsyncClient() as caller:
        return await caller.post(url, headers=headers, content=body)


async def test_ten_lines_of_python_and_a_curl_with_the_same_key_start_one_onboarding(
    house: House, tmp_path: Path
) -> None:
    key_file = tmp_path / KEY_FILE
    key_file.parent.mkdir(parents=True)
    key_file.write_text(API_KEYS["service"] + "\n")
    async with house.working(max_cached_workflows=10), listening(house) as address:
        said = await ran(shown("python", "import").replace(ADDRESS, address), tmp_path)
        curl = shown("sh", "curl").replace(ADDRESS, address)
        answer = await sent(curl, API_KEYS["service"])
    assert answer.status_code == 201, answer.text
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.json()["id"] in said
    assert [row["id"] for row in await house.rows("SELECT id FROM onboardings")] == [
        onboarding_id(TENANT, "signup-4711")
    ]
