"""Every process of ours as `docker-compose.yml` runs it, by hand: same image contents, commands,
variables, secrets and health checks. Only hosts, ports and folders are this machine's."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from tests.composition import ROOT, command_of, ours, services, waits_for
from tests.house import FORM
from tests.patience import SOON
from tests.postgres import running_postgres
from workers.ports import free_port
from workers.postgres import Postgres
from workers.postgres_lodging import Lodging

PORT = re.compile(r"\b(5432|7233|8400|8401|8402|8403|8404|8405|8406|8407|8425)\b")
HOST = re.compile(r"\b(?:(?:temporal|simulators|gateway)(?=:\d)|0\.0\.0\.0\b)")


@dataclass
class Machine:
    """This machine in the place of containers and their network."""

    folder: Path
    installed: Path
    ports: Mapping[str, int]
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _starting: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start services after all that they wait for; jobs are over then, others healthy."""
        for name in names:
            if name not in self._starting:
                self._starting[name] = asyncio.ensure_future(self._start(name))
        await asyncio.gather(*(self._starting[name] for name in names))

    async def _start(self, name: str) -> None:
        service = services()[name]
        await self.start(*(ours().keys() & waits_for(service).keys()))
        process = self.running[name] = await self.run(name, command_of(service))
        if "healthcheck" not in service:
            assert await process.wait() == 0, self.log(name)
            return
        async with asyncio.timeout(SOON):
            while not await self.is_healthy(name):
                assert process.returncode is None, self.log(name)

    async def is_healthy(self, name: str) -> bool:
        """What the service's own check says."""
        _, *command = services()[name]["healthcheck"]["test"]
        return await (await self.run(name, command)).wait() == 0

    async def run(self, name: str, command: list[str]) -> asyncio.subprocess.Process:
        service = services()[name]
        home = self.folder / name
        (home / "run" / "secrets").mkdir(parents=True, exist_ok=True)
        for secret in service.get("secrets", []):
            file = home / "run" / "secrets" / secret
            if not file.exists():
                file.hardlink_to(self.folder / "secrets" / secret)
        given = {
            key: "127.0.0.1" if text in services() else self._here(name, text)
            for key, text in service.get("environment", {}).items()
        }
        with (home / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(self._here(name, word) for word in command),
                env=given | self.of_the_image(),
                cwd=home,
                stdout=log,
                stderr=log,
            )

    def of_the_image(self) -> dict[str, str]:
        """What is on the path, and nothing of this machine's environment."""
        path = f"{self.installed / 'bin'}:{Path(sys.executable).parent}:{os.defpath}"
        return {"PATH": path, "PYTHONPATH": str(self.installed), "PYTHONSAFEPATH": "1"}

    def log(self, name: str) -> str:
        return (self.folder / name / "log").read_text()

    async def stop(self) -> None:
        for process in self.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _here(self, name: str, text: str) -> str:
        text = HOST.sub("127.0.0.1", PORT.sub(lambda found: str(self.ports[found[0]]), text))
        home = self.folder / name
        if text == "/run" or "/run/" in text:
            text = text.replace("/run", str(home / "run"))
        return text.replace("/var/lib/perdure", str(home))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ourselves as the Dockerfile installs us."""
    folder = tmp_path_factory.mktemp("image") / "site"
    _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--no-index", "--target", folder, ROOT),
        env=dict(os.environ),
    )
    return folder


@pytest.fixture(scope="module")
async def postgres(installed: Path) -> AsyncIterator[tuple[Postgres, Path]]:
    """A server as the image makes it: our roles and databases are there, and who owns it."""
    with tempfile.TemporaryDirectory(prefix="perdure-composed-") as name:
        folder = Path(name)
        _run(
            *(installed / "bin" / "perdure", "secrets", "make", folder / "secrets"),
            env={"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        )
        async with running_postgres(folder) as server:
            await _owned_by_postgres(server, folder)
            script = (ROOT / "deploy" / "postgres" / "databases.sql").read_text()
            (folder / "databases.sql").write_text(
                script.replace("/run/secrets", str(folder / "secrets"))
            )
            _run(
                Lodging.of(folder / "postgres").binaries / "psql",
                *("--host=127.0.0.1", f"--port={server.port}", "--no-psqlrc"),
                *("--username=postgres", "--dbname=postgres", "--file", folder / "databases.sql"),
                env={"PGPASSWORD": _secret(folder, "postgres_password"), "PATH": os.defpath},
            )
            yield server, folder


async def _owned_by_postgres(server: Postgres, folder: Path) -> None:
    """Our test server's owner is named as our own role; the image's is not."""
    password = _secret(folder, "postgres_password")
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{password}'")
    await connection.close()
    connection = await asyncpg.connect(_dsn(server, "postgres", password, "postgres"))
    await connection.execute("ALTER ROLE perdure RENAME TO founder")
    await connection.close()


@pytest.fixture(scope="module")
async def machine(
    installed: Path, postgres: tuple[Postgres, Path], temporal: Client
) -> AsyncIterator[Machine]:
    server, folder = postgres
    ports = {
        number: free_port()
        for number in ("8400", "8401", "8402", "8403", "8404", "8405", "8406", "8407", "8425")
    }
    ports["5432"] = server.port
    ports["7233"] = int(temporal.service_client.config.target_host.rsplit(":", 1)[1])
    found = Machine(folder, installed, ports)
    yield found
    await found.stop()


async def test_each_database_opens_to_its_owner_alone(postgres: tuple[Postgres, Path]) -> None:
    server, folder = postgres
    owners = {"perdure": "perdure", "temporal": "temporal", "temporal_visibility": "temporal"}
    secrets = {"perdure": "database_password", "temporal": "temporal_database_password"}
    for database, owner in owners.items():
        for role, secret in secrets.items():
            opening = asyncpg.connect(_dsn(server, role, _secret(folder, secret), database))
            if role == owner:
                connection = await opening
                await connection.execute("CREATE TABLE ours (n int)")
                await connection.execute("DROP TABLE ours")
                await connection.close()
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await opening


async def test_every_process_becomes_healthy_and_a_customer_is_onboarded(machine: Machine) -> None:
    lasting = [name for name, service in ours().items() if "healthcheck" in service]
    before = await asyncio.gather(*(machine.is_healthy(name) for name in lasting))
    assert not any(before), "nothing runs yet"
    await machine.start(*ours())
    told = await machine.run("gateway", ["python", "-c", "import workers; print(workers.__path__)"])
    await told.wait()
    assert str(machine.installed) in machine.log("gateway").splitlines()[-1]

    await _onboard(machine)

    for name in lasting:
        machine.running[name].send_signal(signal.SIGTERM)
    for name in lasting:
        assert await asyncio.wait_for(machine.running[name].wait(), SOON) == 0, machine.log(name)
    # Temporal remembers a worker for some minutes; who has just asked cannot be told from it.
    assert not await machine.is_healthy("gateway")
    assert not await machine.is_healthy("simulators")


async def test_jobs_may_be_run_again(machine: Machine) -> None:
    jobs = ("migrations", "namespace", "schedules")
    await machine.start(*jobs)
    again = [await machine.run(name, command_of(services()[name])) for name in jobs]
    assert [await job.wait() for job in again] == [0, 0, 0]
    assert "There was nothing to do." in machine.log("migrations")
    assert "The namespace perdure is there." in machine.log("namespace")


async def _onboard(machine: Machine) -> None:
    """One customer, by the keys that were made, a link in a mail and Stripe's signed webhooks."""
    key = _secret(machine.folder, "api_key_service")
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{machine.ports['8400']}",
        headers={"Authorization": f"Bearer {key}"},
    ) as api:
        signed = await api.post(
            "/v1/onboardings", json=FORM, headers={"Idempotency-Key": "composed"}
        )
        assert signed.is_success, signed.text
        onboarding: dict[str, Any] = {}
        submitted = False
        async with asyncio.timeout(SOON):
            pressed = await api.post(await _link_to_confirm(machine, FORM["email"]))
            assert pressed.status_code == 303, pressed.text
            while onboarding.get("stage") != "active":
                await asyncio.sleep(0.1)
                onboarding = (await api.get(f"/v1/onboardings/{signed.json()['id']}")).json()
                if (link := onboarding["identity_link"]) and not submitted:
                    page = httpx.URL(link).copy_with(port=machine.ports["8401"], host="127.0.0.1")
                    shown = await api.post(page, data={"outcome": "verified"})
                    assert not shown.is_error, shown.text
                    submitted = True


async def _link_to_confirm(machine: Machine, address: str) -> str:
    """The path of the link in the mail to an address, once it is there."""
    inbox = f"http://127.0.0.1:{machine.ports['8402']}/messages"
    async with httpx.AsyncClient() as mailbox:
        while True:
            letters = (await mailbox.get(inbox, params={"to": address})).json()["messages"]
            if links := re.findall(r"/confirm/[.a-z0-9]+", str(letters)):
                return str(links[0])
            await asyncio.sleep(0.1)


def _run(*command: str | Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _secret(folder: Path, name: str) -> str:
    return (folder / "secrets" / name).read_text().strip()


def _dsn(server: Postgres, role: str, password: str, database: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{server.port}/{database}"
