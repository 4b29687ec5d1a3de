"""What the pages show to a backend engineer does what they say: every command, every program."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.house import API_KEYS, TENANT, House
from tests.integration.gateway.conftest import (
    Gateway,
    confirm_email,
    prove_identity,
    stage_is,
    until,
)
from tests.patience import SOON
from tests.unit.docs.pages import ROOT, Snippet, blocks
from workers.laptop_secrets import TENANT as LAPTOP
from workflows.onboarding.messages import onboarding_id

README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "integration.md"
OF_THE_MOMENT = (
    *("created_at", "stage_since", "until", "request_id", "title", "identity_link"),
    *("where", "token"),
)
"""What differs each time; a problem's title is worded by the version of Python."""
END = "\x1e"


class Shell:
    """A shell in which one command follows another, as whoever reads the page types them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, code: str) -> str:
        """What the commands print."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{code}\nprintf '{END}'\n".encode())
        return (await self._process.stdout.readuntil(END.encode())).decode().removesuffix(END)


class Reader:
    """Somebody who follows a page in a folder that has the keys, against a running house."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self._folder = folder
        secrets = folder / ".perdure" / "secrets"
        secrets.mkdir(parents=True)
        for role, secret in API_KEYS.items():
            (secrets / f"api_key_{role}").write_text(secret + "\n")
        (folder / ".curlrc").write_text("silent\nshow-error\n")
        self._here = {
            "http://127.0.0.1:8400": str(gateway.http.base_url).rstrip("/"),
            "127.0.0.1:7233": gateway.house.client.service_client.config.target_host,
            f"onboarding/{LAPTOP}/": f"onboarding/{TENANT}/",
            f'"tenant": "{LAPTOP}"': f'"tenant": "{TENANT}"',
            onboarding_id(LAPTOP, "signup-4712"): onboarding_id(TENANT, "signup-4712"),
        }

    def here(self, code: str) -> str:
        """What a page shows of a laptop, for the house of this test."""
        for shown, real in self._here.items():
            code = code.replace(shown, real)
        return code

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[Shell]:
        if not shutil.which("curl"):
            pytest.skip("there is no curl")
        environment = {"HOME": str(self._folder), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        process = await asyncio.create_subprocess_exec(
            "sh", stdin=PIPE, stdout=PIPE, cwd=self._folder, env=environment
        )
        try:
            yield Shell(process)
        finally:
            await process.communicate(b"")

    @asynccontextmanager
    async def program(self, code: str) -> AsyncIterator[asyncio.StreamReader]:
        """What a Python program prints, line by line. It must not fail."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", "-c", self.here(code)), cwd=self._folder, stdout=PIPE
        )
        assert process.stdout
        yield process.stdout
        assert await process.wait() == 0


@pytest.fixture
def reader(tmp_path: Path, reached: Gateway) -> Reader:
    folder = tmp_path / "service"
    folder.mkdir()
    return Reader(folder, reached)


def shown(page: Path, *languages: str) -> list[Snippet]:
    return [one for one in blocks(page) if one.language in languages]


def same(shown: str, real: str) -> None:
    """A page shows an answer as it is, but for what is of the moment, and what it leaves out."""
    head, _, body = shown.partition("\n\n")
    status, *headers = head.splitlines()
    real_head, _, real_body = real.partition("\r\n\r\n")
    real_status, *real_headers = real_head.splitlines()
    code = int(status.split()[1])
    assert int(real_status.split()[1]) == code, real
    assert HTTPStatus(code)
    told = dict(line.split(": ", 1) for line in real_headers)
    for name, value in (line.split(": ", 1) for line in headers):
        assert told[name].partition("-")[0] == value.partition("-")[0], name
    wanted = json.loads(body)
    assert _as_shown(wanted, json.loads(real_body)) == wanted


def _as_shown(shown: Any, real: Any, name: str = "") -> Any:
    match shown, real:
        case dict(), dict():
            return {key: _as_shown(shown.get(key), value, key) for key, value in real.items()}
        case ["…"], list() if real:
            return shown
        case list(), list() if len(shown) == len(real):
            return [_as_shown(*pair) for pair in zip(shown, real, strict=True)]
        case str(), str() if name in OF_THE_MOMENT:
            return shown
        case _:
            return real


async def test_ten_lines_of_python_and_a_curl_with_the_same_key_start_one_onboarding(
    house: House, reader: Reader
) -> None:
    (python,) = shown(README, "python")
    (curl,) = (one for one in shown(README, "sh") if one.code.startswith("curl"))
    async with house.working(max_cached_workflows=10):
        async with reader.program(python.code) as said:
            started = (await said.read()).decode()
        async with reader.shell() as shell:
            answer = await shell.run(reader.here(curl.code))
    assert json.loads(answer)["id"] in started
    assert [row["id"] for row in await house.rows("SELECT id FROM onboardings")] == [
        onboarding_id(TENANT, "signup-4711")
    ]


async def test_every_command_of_the_guide_is_answered_as_shown(
    house: House, reader: Reader, reached: Gateway
) -> None:
    id_, compared = onboarding_id(TENANT, "signup-4712"), 0
    async with house.working(max_cached_workflows=10), reader.shell() as shell:
        answer = ""
        for block in shown(GUIDE, "sh", "http"):
            if block.language == "sh":
                answer = await shell.run(reader.here(block.code))
            else:
                same(reader.here(block.code), answer)
                compared += 1
                if compared == 1:  # whoever reads takes a moment
                    await _link_is_there(house, reached, id_)
        await stage_is(reached, id_, "withdrawn")
    assert compared == len(shown(GUIDE, "http")) == len(_asking(shown(GUIDE, "sh")))


def _asking(commands: Sequence[Snippet]) -> list[Snippet]:
    return [one for one in commands if "curl" in one.code]


async def _link_is_there(house: House, gateway: Gateway, id_: str) -> None:
    await confirm_email(gateway, id_)
    await stage_is(gateway, id_, "verifying_identity")
    async with asyncio.timeout(SOON):
        while not await house.rows("SELECT 1 FROM onboardings WHERE identity_link IS NOT NULL"):
            await asyncio.sleep(0.05)


async def test_the_guides_pieces_are_one_program_that_follows_a_signup_to_its_end(
    house: House, reader: Reader, reached: Gateway
) -> None:
    code = "\n\n".join(one.code for one in shown(GUIDE, "python"))
    id_ = onboarding_id(TENANT, "signup-4713")
    lines: list[str] = []
    async with house.working(max_cached_workflows=10), reader.program(code) as said:
        await until(lambda: house.rows("SELECT id FROM onboardings WHERE id = :id", id=id_), bool)
        await confirm_email(reached, id_)
        async for raw in said:
            lines.append(raw.decode().strip())
            if lines[-1].startswith("send the applicant to http"):
                await prove_identity(reached, id_)
    assert lines[0].startswith("send the applicant to http")
    assert f"{id_} is active" in lines
    # Once as it ended, once more as the service caught up.
    assert lines[-2:] == [f"open the account of {id_}"] * 2
