"""How a request is answered: who asks, what goes wrong, the key, the operation, the way back."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.counters import Ending
from simulators.facts import Violation
from simulators.faults import Fault
from simulators.stripe import faults as kinds
from simulators.stripe.account import Call, new_id
from simulators.stripe.collection import Document, encode
from simulators.stripe.errors import ExecutionError, ParameterError, Refusal
from simulators.stripe.idempotency import Recorded, fingerprint
from simulators.stripe.operation import Operation, check_expand, expanded
from simulators.stripe.parameters import Form, check, nested
from simulators.stripe.simulator import OPERATIONS, Simulator

FORM = "application/x-www-form-urlencoded"
TIMEOUT_SECONDS = 60.0
SLOW_SECONDS = 1.0
log = structlog.get_logger("simulators.stripe")


@dataclass(frozen=True)
class Answer:
    """What goes out."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def routes(simulator: Simulator) -> list[Route]:
    """The routes of the API; a path that is a word (`search`) comes before one that is an id."""
    ordered = sorted(OPERATIONS, key=lambda operation: operation.path.count("{"))
    return [Route(each.path, _endpoint(simulator, each), methods=[each.method]) for each in ordered]


def _endpoint(simulator: Simulator, operation: Operation) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        return await Exchange(simulator, operation, request).answer()

    return endpoint


class Exchange:
    """One request to one operation, from its arrival until its answer has left."""

    def __init__(self, simulator: Simulator, operation: Operation, request: Request) -> None:
        self._simulator = simulator
        self._operation = operation
        self._request = request
        self._request_id = new_id("req_")
        self._subject = {"method": [request.method], "path": [request.url.path]}
        keyed = operation.method == "POST"  # GET and DELETE take no keys
        self._key = request.headers.get("Idempotency-Key") or None if keyed else None

    async def answer(self) -> Response:
        """The response; an error is one, too."""
        try:
            answer = await self._answered()
        except asyncio.CancelledError:
            # The process ends; who waits for an answer sees what an outage would show.
            self._request.state.cut()
            return Response()
        except Refusal as refusal:
            self._count("refused")
            answer = self._refused(refusal)
        except Violation as violation:
            log.error(  # noqa: TRY400 - the text says all
                "the answer breaks the field facts", violation=str(violation)
            )
            answer = self._refused(
                _error(500, f"The simulator's own defect, against the field facts: {violation}")
            )
        headers = {
            "Request-Id": self._request_id,
            "Stripe-Version": self._simulator.account.conformance.version,
            **({"Idempotency-Key": self._key} if self._key else {}),
            **answer.headers,
        }
        return Response(answer.body, answer.status, headers, "application/json")

    async def _answered(self) -> Answer:
        authenticate(self._request, self._simulator.api_key)
        self._check_version()
        fault = self._fault(kinds.BEFORE_ANYTHING)
        if fault is not None:
            self._count("faulted")
            return self._failing(fault)
        answer = await self._once()
        if fault := self._fault(kinds.ON_THE_WAY_BACK):
            await self._delay(fault)
        return answer

    def _check_version(self) -> None:
        known = self._simulator.account.conformance.version
        if self._request.headers.get("Stripe-Version", known) != known:
            raise ParameterError(f"The simulator speaks the API of version {known} alone.")

    async def _once(self) -> Answer:
        """What is stored for the key, or what the operation answers now."""
        form = await self._form()
        if self._key is None:
            return await self._executed(form, "")
        mark = fingerprint(self._request.url.path, form)
        recorded = self._simulator.keys.recorded(self._key, mark)
        if recorded is not None:
            self._count("replayed")
            return _replayed(recorded)
        with self._simulator.keys.in_use(self._key):
            return await self._executed(form, mark)

    async def _form(self) -> Form:
        text = self._request.url.query
        if self._operation.method != "GET":
            body = (await self._request.body()).decode(errors="replace")
            if body and not self._request.headers.get("Content-Type", FORM).startswith(FORM):
                raise ParameterError(f"The body of a request must be of type {FORM}.")
            text = "&".join(part for part in (text, body) if part)
        return nested(parse_qsl(text, keep_blank_values=True))

    async def _executed(self, form: Form, mark: str) -> Answer:
        """Run the operation, and commit what it did together with the answer and the count."""
        call = self._call(form)
        self._simulator.catch_up()
        if fault := self._fault(kinds.BEFORE_COMMIT):
            await asyncio.sleep(fault.seconds or SLOW_SECONDS)
        try:
            return self._committed(call, mark)
        except ExecutionError as failure:
            with self._simulator.storage.transaction():
                self._record(mark, failure.status, failure.body)
                self._count("executed")
            return self._refused(failure)

    def _call(self, form: Form) -> Call:
        facts = self._simulator.account.conformance.parameters(self._operation.name)
        for name in form.keys() & facts["fields"].keys():
            if not self._operation.takes(name):
                raise ParameterError(f"The simulator has no parameter {name}.", param=name)
        parameters = check(facts, form)
        check_expand(self._operation, parameters.get("expand", ()))
        return Call(
            request_id=self._request_id,
            idempotency_key=self._key,
            base_url=str(self._request.base_url).rstrip("/"),
            path=self._request.path_params,
            parameters=parameters,
        )

    def _committed(self, call: Call, mark: str) -> Answer:
        simulator, operation = self._simulator, self._operation
        with simulator.storage.transaction():
            result = operation.run(simulator.account, call)
            if isinstance(result, Refusal):
                answer = self._refused(result)
            else:
                answer = self._checked(result, call)
            if self._fault(kinds.IN_PLACE_OF_THE_ANSWER):
                answer = self._refused(_error(500, "Something went wrong."))
            self._record(mark, answer.status, answer.body)
            self._count("executed")
        simulator.wake()
        return answer

    def _checked(self, result: Document | str, call: Call) -> Answer:
        account, operation = self._simulator.account, self._operation
        text = result if isinstance(result, str) else encode(result)
        body = expanded(operation, account, text, call.parameters.get("expand", ()))
        account.conformance.check_answer(operation.name, text if operation.in_place else body)
        return Answer(200, body)

    def _record(self, mark: str, status: int, body: str) -> None:
        if self._key is not None:
            answer = Recorded(status, body, self._request_id)
            self._simulator.keys.record(self._key, mark, answer)

    def _count(self, outcome: Ending) -> None:
        self._simulator.counters.count(self._operation.method, self._operation.path, outcome)

    def _fault(self, among: frozenset[kinds.FaultKind]) -> Fault | None:
        return self._simulator.faults.take(among, self._subject)

    def _failing(self, fault: Fault) -> Answer:
        """The answer of a fault that strikes before anything runs."""
        if fault.kind == "drop_before":
            self._request.state.cut()
        return self._refused(FAILURES[fault.kind]())

    async def _delay(self, fault: Fault) -> None:
        """It is done; the answer is late, or is not to arrive."""
        if fault.kind == "slow_after_commit":
            await asyncio.sleep(fault.seconds or SLOW_SECONDS)
        else:
            if fault.kind == "timeout_after_commit":
                await self._until_left(fault.seconds or TIMEOUT_SECONDS)
            self._request.state.cut()

    async def _until_left(self, seconds: float) -> None:
        """Wait, but not for a client that has hung up."""
        try:
            async with asyncio.timeout(seconds):
                while (await self._request.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return

    def _refused(self, refusal: Refusal) -> Answer:
        self._simulator.account.conformance.check("error", refusal.body)
        return Answer(refusal.status, refusal.body, refusal.headers)


def _replayed(recorded: Recorded) -> Answer:
    headers = {"Idempotent-Replayed": "true", "Original-Request": recorded.request_id}
    if recorded.status >= 500:
        headers["Stripe-Should-Retry"] = "false"  # the same key would get the same again
    return Answer(recorded.status, recorded.body, headers)


def _error(status: int, message: str) -> Refusal:
    return Refusal(message, status=status, error_type="api_error")


def _too_many(code: str) -> Refusal:
    return Refusal(
        "Too many requests at once.",
        status=429,
        code=code,
        headers={"Stripe-Should-Retry": "true"},
    )


FAILURES: dict[str, Callable[[], Refusal]] = {
    "drop_before": lambda: _error(500, "The connection was cut."),  # nobody will read it
    "error_500_before": lambda: _error(500, "Something went wrong."),
    "error_503": lambda: _error(503, "The service is not available."),
    "rate_limit_429": lambda: _too_many("rate_limit"),
    "lock_timeout_429": lambda: _too_many("lock_timeout"),
}


def authenticate(request: Request, api_key: str) -> None:
    """Raise Refusal unless the request comes with the API's key."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    given = credentials
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if not hmac.compare_digest(given.encode(), api_key.encode()):
        message = "Invalid API key." if given else "No API key was given."
        headers = {"WWW-Authenticate": 'Basic realm="Stripe"'}
        raise Refusal(message, status=401, headers=headers)
