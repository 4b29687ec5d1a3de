"""The outside world for a test: `python -m simulators` as a process, and a typed hand on it.

    async with running_simulators(tmp_path) as world:
        await world.fault("drop_after_commit", method="POST", path="/v1/customers")
        ...
        assert (await world.counters()).executed("POST", "/v1/customers") == 1

Everything goes through HTTP, as from any other process; `kill()` and `restart()` keep ports and
state.
"""

import asyncio
import contextlib
import json
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx

from simulators.bank.faults import BankFaultKind
from simulators.mail.faults import MailFaultKind
from simulators.stripe.faults import FaultKind
from tests.patience import SOON
from tests.simulated_api import Count, Counters, SimulatedApi, controlling

REPOSITORY = Path(__file__).resolve().parents[1]
INVENTED_LIST = REPOSITORY / "rules" / "invented_list.csv"

Outcome = Literal["verified", "failed", "processing"]
ReleaseOrder = Literal["oldest_first", "newest_first", "shuffled"]


@dataclass(frozen=True)
class Mail:
    """One message as the sink accepted it; a mail that came twice is there twice."""

    number: int
    message_id: str | None
    sender: str
    recipients: tuple[str, ...]
    subject: str
    received_at: datetime
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class SimulatorHandle:
    """The running simulators: where they are, and what a test may do to them."""

    state: Path
    api_key: str
    api_key_file: Path
    directory: SimulatedApi
    crm: SimulatedApi
    tenants: SimulatedApi
    yente: SimulatedApi
    stripe_port: int = 0
    mail_port: int = 0
    smtp_port: int = 0
    bank_port: int = 0
    _process: asyncio.subprocess.Process | None = None
    _http: httpx.AsyncClient = field(default_factory=controlling)

    smtp_host = "127.0.0.1"

    @property
    def stripe_url(self) -> str:
        return f"http://127.0.0.1:{self.stripe_port}"

    @property
    def mail_url(self) -> str:
        return f"http://127.0.0.1:{self.mail_port}"

    @property
    def bank_url(self) -> str:
        return f"http://127.0.0.1:{self.bank_port}"

    @property
    def statements(self) -> Path:
        """The folder that the bank puts its statements into."""
        return self.state / "statements"

    @property
    def key_files(self) -> tuple[str, ...]:
        """The arguments that say what the simulators accept."""
        return (
            *("--stripe-key-file", str(self.api_key_file)),
            *("--directory-token-file", str(self.directory.token_file)),
            *("--crm-token-file", str(self.crm.token_file)),
            *("--yente-key-file", str(self.yente.token_file)),
        )

    @property
    def apis(self) -> tuple[SimulatedApi, ...]:
        return (self.directory, self.crm, self.tenants, self.yente)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the simulators are not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """What the simulators wrote to standard error since the first start."""
        return (self.state / "simulators.log").read_text()

    # The process

    async def start(self) -> None:
        """Start on the ports held before, or on free ones; returns when all listeners are ready."""
        assert self._process is None, "the simulators are running already"
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "simulators.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "simulators"),
                *("--state", str(self.state), *self.key_files),
                *("--stripe-port", str(self.stripe_port)),
                *("--mail-port", str(self.mail_port)),
                *("--smtp-port", str(self.smtp_port)),
                *("--directory-port", str(self.directory.port)),
                *("--crm-port", str(self.crm.port)),
                *("--tenants-port", str(self.tenants.port)),
                *("--yente-port", str(self.yente.port)),
                *("--bank-port", str(self.bank_port)),
                cwd=REPOSITORY,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        ports: dict[str, int] = {}
        try:
            async with asyncio.timeout(SOON):
                while len(ports) < 8:
                    line = (await self._process.stdout.readline()).decode()
                    if not line:
                        raise RuntimeError(f"the simulators ended at their start:\n{self.log}")
                    name, address = line.split()[:2]
                    ports[name] = int(address.rsplit(":", 1)[1])
        except BaseException:
            await self.kill()
            raise
        self.stripe_port, self.mail_port, self.smtp_port, self.bank_port = (
            ports[name] for name in ("stripe", "mail", "smtp", "bank")
        )
        for api in self.apis:
            api.port = ports[api.name]

    async def stop(self) -> None:
        """End as an operator would: SIGTERM, and wait."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End as a power cut would: SIGKILL, nothing is flushed."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Start again on the same ports and state, ending the process first if it still runs."""
        await self.stop()
        await self.start()

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), SOON)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise

    # Stripe's clock, faults, keys and counters

    async def now(self) -> datetime:
        """The simulated time."""
        return _moment((await self._get("/_simulator/clock"))["now"])

    async def advance(self, by: timedelta) -> datetime:
        """Move the simulated clock ahead; the new time."""
        body = {"seconds": by.total_seconds()}
        return _moment((await self._post("/_simulator/clock/advance", body))["now"])

    async def fault(
        self,
        kind: FaultKind,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        seconds: float | None = None,
    ) -> str:
        """Have the next `times` matching requests go wrong (None: until cleared); the fault's id.

        `path` may be a glob over the real path: `/v1/customers/*/tax_ids`.
        """
        match = {"method": method, "path": path}
        body = {"match": match, "kind": kind, "times": times, "seconds": seconds}
        return str((await self._post("/_simulator/faults", body))["id"])

    async def outage(self) -> str:
        """Stripe is down (503) until `clear_faults`."""
        return await self.fault("error_503", times=None)

    async def faults(self) -> list[dict[str, Any]]:  # Any: JSON as the control API has it
        """The faults that still wait for requests."""
        faults: list[dict[str, Any]] = (await self._get("/_simulator/faults"))["faults"]
        return faults

    async def clear_faults(self, fault: str | None = None) -> None:
        """Clear one fault by id, or all."""
        await self._delete("/_simulator/faults" + (f"/{fault}" if fault else ""))

    async def forget_keys(self, key: str | None = None) -> int:
        """Forget one idempotency key or all, as if 24 h had passed; how many there were."""
        return int(
            (await self._post("/_simulator/idempotency_keys/forget", {"key": key}))["forgotten"]
        )

    async def counters(self) -> Counters:
        """Requests to the API since the last reset; the control API is not counted."""
        counts = (await self._get("/_simulator/counters"))["counters"]
        return Counters(tuple(Count(**count) for count in counts))

    async def search_lag(self, by: timedelta) -> None:
        """How far search stays behind, in simulated time."""
        await self._post("/_simulator/search", {"lag_seconds": by.total_seconds()})

    async def seed_customers(self, number: int) -> None:
        """Put many customers there at once, without events."""
        await self._post("/_simulator/seed", {"customers": number})

    async def reset(self, *, webhook_endpoints: bool = True) -> None:
        """Forget everything at Stripe; endpoints stay registered with `webhook_endpoints=False`."""
        await self._post("/_simulator/reset", {"webhook_endpoints": webhook_endpoints})

    async def forget(self) -> None:
        """Begin anew: nothing was made, sent, counted or made faulty anywhere."""
        await self.reset()
        await self.clear_messages()
        await self.clear_mail_faults()
        await self.bank("POST", "/_simulator/reset")
        for api in self.apis:
            await api.reset()

    # Stripe's webhooks and the applicant

    async def register_webhook(self, url: str, events: Sequence[str] = ("*",)) -> tuple[str, str]:
        """Register an endpoint through the API; its id and its signing secret."""
        form = {"url": url, "enabled_events[]": list(events)}
        answer = await self._http.post(
            f"{self.stripe_url}/v1/webhook_endpoints", data=form, auth=(self.api_key, "")
        )
        answer.raise_for_status()
        body = answer.json()
        return body["id"], body["secret"]

    async def duplicate_webhooks(self, copies: int) -> None:
        """Deliver each event made from now on `copies` times to each endpoint."""
        await self._post("/_simulator/webhooks", {"copies": copies})

    async def scatter_webhooks(self, seconds: float) -> None:
        """Delay each delivery by a random time up to `seconds`, so that no order is kept."""
        await self._post("/_simulator/webhooks", {"scatter_seconds": seconds})

    async def drop_webhooks(self, deliveries: int) -> None:
        """Lose the next deliveries for good, as when Stripe has given up."""
        await self._post("/_simulator/webhooks", {"drop_next": deliveries})

    async def pause_webhooks(self) -> None:
        """Keep deliveries back until `resume_webhooks`."""
        await self._post("/_simulator/webhooks", {"paused": True})

    async def resume_webhooks(self, order: ReleaseOrder = "oldest_first") -> None:
        """Send what was kept back, one after the other in this order, then go on as usual."""
        await self._post("/_simulator/webhooks/resume", {"order": order})

    async def deliveries(self, event: str | None = None) -> list[dict[str, Any]]:  # Any: JSON
        """Deliveries with their state, attempts and last answer, oldest first."""
        query = f"?event={event}" if event else ""
        found: list[dict[str, Any]] = (await self._get(f"/_simulator/deliveries{query}"))[
            "deliveries"
        ]
        return found

    async def replay_event(self, event: str) -> None:
        """Deliver one event again to every endpoint that wants its type."""
        await self._post(f"/_simulator/events/{event}/replay", {})

    async def roll_webhook_secret(self, endpoint: str, keep: timedelta = timedelta(hours=1)) -> str:
        """Give an endpoint a new secret; the old one signs as well until `keep` is over."""
        body = {"keep_seconds": keep.total_seconds()}
        answer = await self._post(f"/_simulator/webhook_endpoints/{endpoint}/roll_secret", body)
        return str(answer["secret"])

    async def submit_identity(
        self, session: str, outcome: Outcome = "verified", *, code: str | None = None
    ) -> None:
        """Act as the applicant at the hosted page; `code` is the `last_error` of a failure."""
        body = {"outcome": outcome, "code": code}
        await self._post(f"/_simulator/identity/{session}/submit", body)

    # Stripe's money

    async def stripe_control(
        self, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:  # Any: JSON
        """Do what customers, banks and Stripe do to the account: see the money's control API."""
        answer: dict[str, Any] = await self._post(f"/_simulator/{path}", body or {})
        return answer

    # Mail

    async def messages(
        self, *, to: str | None = None, subject: str | None = None, message_id: str | None = None
    ) -> list[Mail]:
        """Accepted messages, oldest first; `subject` is a part of it, the others are exact."""
        query = {"to": to, "subject": subject, "message_id": message_id, "limit": 100}
        found: list[Mail] = []
        after = 0
        while True:
            params = {name: value for name, value in query.items() if value is not None}
            answer = await self._http.get(
                f"{self.mail_url}/messages",
                params={**params, "order": "oldest_first", "after": after},
            )
            page = _body(answer)
            found += [_mail(message) for message in page["messages"]]
            if not page["has_more"]:
                return found
            after = found[-1].number

    async def clear_messages(self) -> None:
        _body(await self._http.delete(f"{self.mail_url}/messages"))

    async def mail_fault(
        self,
        kind: MailFaultKind,
        *,
        to: str | None = None,
        times: int | None = 1,
        seconds: float | None = None,
    ) -> str:
        """Have the next `times` messages (to this address) go wrong (None: until cleared)."""
        body = {"match": {"to": to}, "kind": kind, "times": times, "seconds": seconds}
        answer = await self._http.post(f"{self.mail_url}/_simulator/faults", json=body)
        return str(_body(answer)["id"])

    async def clear_mail_faults(self) -> None:
        _body(await self._http.delete(f"{self.mail_url}/_simulator/faults"))

    # The bank

    async def bank(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the bank, or have it do something; Any is JSON."""
        return _body(await self._http.request(method, self.bank_url + path, json=body))

    async def bank_fault(self, kind: BankFaultKind, *, times: int | None = 1, **match: str) -> None:
        """Have the next `times` transfers or statements go wrong (None: until cleared)."""
        await self.bank(
            "POST", "/_simulator/faults", {"kind": kind, "match": match, "times": times}
        )

    # The control API; Any is JSON

    async def _get(self, path: str) -> Any:
        return _body(await self._http.get(self.stripe_url + path))

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        given = {name: value for name, value in body.items() if value is not None}
        return _body(await self._http.post(self.stripe_url + path, json=given))

    async def _delete(self, path: str) -> Any:
        return _body(await self._http.delete(self.stripe_url + path))


@contextlib.asynccontextmanager
async def running_simulators(
    tmp_path: Path, *, api_key: str | None = None
) -> AsyncIterator[SimulatorHandle]:
    """The simulators on free ports with their state in `tmp_path / "simulators"`."""
    key = api_key or f"sk_test_{secrets.token_hex(12)}"
    tmp_path.mkdir(parents=True, exist_ok=True)
    key_file = tmp_path / "stripe_api_key"
    key_file.write_text(key)
    key_file.chmod(0o600)
    directory = SimulatedApi("directory", tmp_path / "directory_token")
    crm = SimulatedApi("crm", tmp_path / "crm_token")
    tenants = SimulatedApi("tenants", directory.token_file, directory.token)
    yente = SimulatedApi("yente", tmp_path / "yente_api_key", scheme="ApiKey")
    handle = SimulatorHandle(tmp_path / "simulators", key, key_file, directory, crm, tenants, yente)
    try:
        await handle.start()
        yield handle
    finally:
        await handle.stop()
        await handle._http.aclose()
        for api in handle.apis:
            await api.close()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _mail(message: Mapping[str, Any]) -> Mail:
    return Mail(
        **{
            **message,
            "recipients": tuple(message["recipients"]),
            "received_at": _moment(message["received_at"]),
        }
    )


def _body(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise AssertionError(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return json.loads(answer.content)
