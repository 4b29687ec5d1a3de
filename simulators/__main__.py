"""Run the outside world: python -m simulators --state DIR --stripe-key-file FILE \
    --directory-token-file FILE --crm-token-file FILE --yente-key-file FILE

Prints a line for each listener (`stripe http://127.0.0.1:8401`) as soon as all answer, and runs
until SIGTERM or SIGINT. A port of 0 takes a free one.
"""

import argparse
import asyncio
import contextlib
import fcntl
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import structlog

from simulators.bank import app as bank_app
from simulators.bank.bank import Bank
from simulators.clock import Clock
from simulators.crm import app as crm_app
from simulators.directory import app as directory_app
from simulators.faults import Faults
from simulators.mail import app as mail_app
from simulators.mail.inbox import Inbox
from simulators.mail.smtp import SinkProtocol
from simulators.server import Server, listening, server_of
from simulators.storage import Storage
from simulators.stripe import app as stripe_app
from simulators.stripe import webhook_endpoints
from simulators.stripe.simulator import Simulator
from simulators.tenants import app as tenants_app
from simulators.wires import Wires
from simulators.yente import app as yente_app

STATE_FILE = "world.sqlite3"
LOCK_FILE = "lock"

Endpoint: TypeAlias = tuple[str, str]
"""The URL of a webhook endpoint and its secret."""


@dataclass(frozen=True)
class Secrets:
    """What each simulator accepts, and nothing else."""

    stripe: str
    directory: str
    crm: str
    yente: str


def main() -> None:
    """Read the arguments and run."""
    options = _parser().parse_args()
    # The lines of the listeners are all there is on standard output.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    secrets = Secrets(
        stripe=_secret(options.stripe_key_file),
        directory=_secret(options.directory_token_file),
        crm=_secret(options.crm_token_file),
        yente=_secret(options.yente_key_file),
    )
    options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        _sole_owner(options.state),
        contextlib.closing(Storage(options.state / STATE_FILE)) as storage,
    ):
        ports = {
            "stripe": options.stripe_port,
            "mail": options.mail_port,
            "smtp": options.smtp_port,
            "directory": options.directory_port,
            "crm": options.crm_port,
            "tenants": options.tenants_port,
            "yente": options.yente_port,
            "bank": options.bank_port,
        }
        listeners = {name: _listener(name, options.host, port) for name, port in ports.items()}
        folder = options.bank_folder or options.state / "statements"
        asyncio.run(_run(storage, secrets, listeners, _endpoint(options), folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators",
        description="Stripe, mail, two directories, a CRM, yente and a bank in miniature.",
    )
    parser.add_argument("--state", type=Path, required=True, help="the folder of the state")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--stripe-port", type=int, default=8401)
    parser.add_argument("--mail-port", type=int, default=8402, help="the inbox over HTTP")
    parser.add_argument("--smtp-port", type=int, default=8425)
    parser.add_argument("--directory-port", type=int, default=8403)
    parser.add_argument("--crm-port", type=int, default=8404)
    parser.add_argument("--tenants-port", type=int, default=8405, help="the plain tenant API")
    parser.add_argument("--yente-port", type=int, default=8406)
    parser.add_argument("--bank-port", type=int, default=8407)
    parser.add_argument(
        "--bank-folder", type=Path, help="where the bank puts statements; by default in the state"
    )
    parser.add_argument(
        "--stripe-key-file", type=Path, required=True, help="holds the one API key accepted"
    )
    parser.add_argument(
        "--directory-token-file", type=Path, required=True, help="holds both directories' token"
    )
    parser.add_argument("--crm-token-file", type=Path, required=True, help="holds the CRM's token")
    parser.add_argument("--yente-key-file", type=Path, required=True, help="holds yente's API key")
    parser.add_argument("--webhook-url", help="an endpoint that is there from the start")
    parser.add_argument("--webhook-secret-file", type=Path, help="holds that endpoint's secret")
    return parser


def _endpoint(options: argparse.Namespace) -> Endpoint | None:
    if options.webhook_url is None:
        return None
    if options.webhook_secret_file is None:
        sys.exit("--webhook-url wants --webhook-secret-file.")
    return options.webhook_url, options.webhook_secret_file.read_text().strip()


@contextlib.contextmanager
def _sole_owner(state: Path) -> Iterator[None]:
    """Two processes on one state would undo each other's clock, faults and keys in use."""
    with (state / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Other simulators are running on {state}.")
        yield


def _secret(file: Path) -> str:
    secret = file.read_text().strip()
    if not secret:
        sys.exit(f"{file} is empty: it holds what the simulator accepts.")
    return secret


def _listener(name: str, host: str, port: int) -> socket.socket:
    try:
        return listening(host, port)
    except OSError as error:
        sys.exit(f"The port {port} for {name} cannot be had: {error.strerror}.")


async def _run(
    storage: Storage,
    secrets: Secrets,
    listeners: dict[str, socket.socket],
    endpoint: Endpoint | None,
    statements: Path,
) -> None:
    clock = Clock(storage)
    bank = Bank(storage, clock, statements)
    stripe = Simulator.on(storage, clock, secrets.stripe)
    host, port = listeners["bank"].getsockname()  # a listener everywhere answers there, too
    wires = Wires(storage, stripe, f"http://{host}:{port}")
    if endpoint is not None:
        webhook_endpoints.settle(stripe.account, *endpoint)
    mail_faults = Faults(storage, "mail")
    inbox = Inbox(storage, clock)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SinkProtocol(inbox, mail_faults), sock=listeners["smtp"]
    )
    servers = {
        "stripe": server_of(stripe_app.application(stripe)),
        "mail": server_of(mail_app.application(inbox, mail_faults)),
        "directory": server_of(directory_app.application(storage, clock, secrets.directory)),
        "crm": server_of(crm_app.application(storage, clock, secrets.crm)),
        "tenants": server_of(tenants_app.application(storage, secrets.directory)),
        "yente": server_of(yente_app.application(storage, secrets.yente)),
        "bank": server_of(bank_app.application(bank)),
    }
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, servers)
    # A group, so that a defect of what runs beside ends the process and does not pass in silence.
    async with asyncio.TaskGroup() as tasks:
        serving = [
            tasks.create_task(server.serve([listeners[name]])) for name, server in servers.items()
        ]
        for server in servers.values():
            await server.ready.wait()
        beside = [tasks.create_task(stripe.run()), tasks.create_task(bank.run(wires.deliver))]
        for name, listener in listeners.items():
            scheme = "" if name == "smtp" else "http://"
            host, port = listener.getsockname()
            print(f"{name} {scheme}{host}:{port}", flush=True)  # noqa: T201
        await asyncio.wait(serving)
        for task in beside:
            task.cancel()
    await wires.close()
    smtp.close()


def _end(servers: dict[str, Server]) -> None:
    for server in servers.values():
        server.should_exit = True


if __name__ == "__main__":
    main()
