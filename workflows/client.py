"""For backend services in Python: start an onboarding, and follow it to its end.

    async with PerdureClient(gateway_url, api_key, temporal=temporal) as perdure:
        onboarding = await perdure.start(application, key="signup-4711")
        async for progress in perdure.handle(onboarding.workflow_id).follow():
            print(progress.stage)

What is decided about an onboarding goes through the gateway, which vouches for who decided it:
withdrawals and mails sent again are here, what operators decide is in the HTTP API. A client for
Temporal must be made with `temporalio.contrib.pydantic.pydantic_data_converter`.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from temporalio.client import Client

from workflows.handover import hand_over_onboarding
from workflows.onboarding.application import (
    ApplicantStatus,
    Application,
    ChangedApplication,
    Confirmed,
    DeliveredDocument,
    DocumentList,
    ListedOnboarding,
    Onboarding,
    OnboardingInFull,
    OnboardingPage,
    Resent,
    StatusToken,
    Withdrawn,
)
from workflows.onboarding.messages import ENDS, IdentityChanged, Stage, Start, workflow_id
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress

_PAUSE = 0.5
_PIECE = 256 * 1024


class PerdureError(Exception):
    """Something did not work. The text says what, and the way out."""


class Refused(PerdureError):
    """The gateway said no, and will again: mend the request.

    `code` is what the problem's type ends with, `errors` what is wrong with which field.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("type", "")).rsplit(":", 1)[-1]
        self.errors = {one["field"]: one["message"] for one in problem.get("errors", [])}
        fields = "".join(f" {field} {message}." for field, message in self.errors.items())
        super().__init__(f"{problem.get('detail', f'HTTP status {status}')}{fields}")


class NotReachable(PerdureError):
    """The gateway did not answer in time. Ask again with the same key: nothing is done twice."""

    def __init__(self, text: str, *, ask_again_in: float = _PAUSE) -> None:
        super().__init__(text)
        self.ask_again_in = ask_again_in


class PerdureClient:
    """A connection to the gateway and, where `temporal` is given, to Temporal.

    `patience` is how long a request goes on trying while the gateway does not answer.
    """

    def __init__(
        self,
        gateway_url: str,
        api_key: str,
        *,
        temporal: Client | None = None,
        patience: timedelta = timedelta(seconds=30),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=gateway_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=10,
            transport=transport,
        )
        self._temporal = temporal
        self._patience = patience.total_seconds()

    async def start(self, application: Application, *, key: str) -> Onboarding:
        """Have the gateway store a signup and start its onboarding.

        `key` names the signup, in 1 to 255 printable ASCII characters: with the same key it is
        started once, however often it is asked for. Raises Refused or NotReachable.
        """
        answer = await self._ask(
            "POST",
            "/v1/onboardings",
            json=application.model_dump(mode="json"),
            headers={"Idempotency-Key": key},
        )
        return Onboarding.model_validate_json(answer)

    async def show(self, onboarding: str) -> OnboardingInFull:
        """An onboarding by its id. Raises Refused or NotReachable."""
        answer = await self._ask("GET", f"/v1/onboardings/{onboarding}")
        return OnboardingInFull.model_validate_json(answer)

    async def onboardings(
        self,
        *,
        stages: Sequence[Stage] = (),
        created_from: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncIterator[ListedOnboarding]:
        """All onboardings in these stages and of this time, newest first; it asks page by page.

        Times need a zone. Raises Refused or NotReachable.
        """
        times = {"created_from": created_from, "created_before": created_before}
        asked: dict[str, Any] = {name: at.isoformat() for name, at in times.items() if at}
        asked["stage"] = list(stages)
        while True:
            answer = await self._ask("GET", "/v1/onboardings", params=asked)
            page = OnboardingPage.model_validate_json(answer)
            for one in page.items:
                yield one
            if page.next is None:
                return
            asked["cursor"] = page.next

    async def withdraw(self, onboarding: str, *, reason: str) -> Withdrawn:
        """Take an application back, which is possible until the welcome. Asking twice is fine.

        `reason` is kept for good: it names nobody. Raises Refused (`too-late` once it has ended
        otherwise, or is at the welcome) or NotReachable.
        """
        path = f"/v1/onboardings/{onboarding}/withdraw"
        return Withdrawn.model_validate_json(await self._ask("POST", path, json={"reason": reason}))

    async def appeal(self, onboarding: str, *, reason: str) -> Onboarding:
        """Appeal against a rejection, once: everything is checked anew, and people decide.

        The answer is the onboarding that the appeal became. `reason` is kept for good: it names
        nobody. Raises NotReachable, or Refused: `not-rejected`, `appealed-already`, `too-late`.
        """
        path = f"/v1/onboardings/{onboarding}/appeal"
        answer = await self._ask("POST", path, json={"reason": reason})
        return Onboarding.model_validate_json(answer)

    async def confirm(self, token: str) -> Confirmed:
        """Confirm an applicant's address by the token at the end of the link in their mail.

        For a page of your own that links lead to. Raises Refused or NotReachable.
        """
        answer = await self._ask("POST", "/v1/confirmations", json={"token": token})
        return Confirmed.model_validate_json(answer)

    async def status(self, onboarding: str) -> ApplicantStatus:
        """How an onboarding stands, in words for its applicant. Raises Refused or NotReachable."""
        answer = await self._ask("GET", f"/v1/onboardings/{onboarding}/status")
        return ApplicantStatus.model_validate_json(answer)

    async def status_token(self, onboarding: str, *, days: int = 7) -> StatusToken:
        """A token with which the applicant sees the same, and nothing else, for 1 to 30 days.

        It is for them alone, and cannot be taken back. Raises Refused or NotReachable.
        """
        path = f"/v1/onboardings/{onboarding}/status-token"
        return StatusToken.model_validate_json(await self._ask("POST", path, json={"days": days}))

    async def resend_confirmation(self, onboarding: str, *, reason: str) -> Resent:
        """Have the mail with the link sent once more, to the address as it is now.

        Raises NotReachable, or Refused: `too-soon` where a mail has only just gone out, which may
        be this one if an answer was lost.
        """
        path = f"/v1/onboardings/{onboarding}/resend-confirmation"
        answer = await self._ask("POST", path, json={"reason": reason})
        return Resent.model_validate_json(answer)

    async def change(
        self, onboarding: str, changes: Mapping[str, Any], *, version: int, reason: str
    ) -> ChangedApplication:
        """Change what an application says, until a system is given the customer.

        `changes` are fields of an application as JSON has them, `version` the one that you looked
        at, and `reason` is kept for good: it names nobody. What was found out from these fields is
        checked again. Raises Refused (`not-changeable`, `no-more-changes`, `nothing-changed`,
        `changed-meanwhile`; `invalid` where a field cannot be used) or NotReachable.
        """
        answer = await self._ask(
            "POST",
            f"/v1/onboardings/{onboarding}/change",
            json={**changes, "reason": reason},
            headers={"If-Match": f'"{version}"'},
        )
        return ChangedApplication.model_validate_json(answer)

    async def documents(self, onboarding: str) -> DocumentList:
        """What was delivered, and which kinds are missing. Raises Refused or NotReachable."""
        answer = await self._ask("GET", f"/v1/onboardings/{onboarding}/documents")
        return DocumentList.model_validate_json(answer)

    async def upload(
        self,
        onboarding: str,
        file: Path,
        *,
        kind: DocumentKind,
        valid_until: date | None = None,
    ) -> DeliveredDocument:
        """Deliver a document that is asked for: a PDF, PNG or JPEG. Twice is fine.

        `valid_until` is the last day on which it is valid, where it has one. The file is sent as it
        is read; its name is not sent. Raises Refused (`not-asked-for`, `refused-before`,
        `too-large`, `unsupported-media-type`) or NotReachable.
        """
        answer = await self._ask(
            "POST",
            f"/v1/onboardings/{onboarding}/documents",
            file,
            params={"kind": kind} | ({"valid_until": str(valid_until)} if valid_until else {}),
            headers={"Content-Type": "application/octet-stream"},
        )
        return DeliveredDocument.model_validate_json(answer)

    async def start_from(self, application_id: str, *, tenant: str) -> "OnboardingHandle":
        """Start the onboarding of an application that this service stored in our database itself.

        Raises NotTaken (`workflows.events`) while Temporal is down.
        """
        start = Start(application_id=application_id, tenant=tenant)
        await hand_over_onboarding(self._client, start)
        return self.handle(workflow_id(tenant, application_id))

    def handle(self, process: str) -> "OnboardingHandle":
        """The onboarding with this workflow id, to signal, query and follow through Temporal."""
        return OnboardingHandle(self._client, process)

    async def close(self) -> None:
        """Close the connections to the gateway."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def _client(self) -> Client:
        if self._temporal is None:
            raise PerdureError("This goes through Temporal: make PerdureClient with temporal=…")
        return self._temporal

    async def _ask(self, method: str, path: str, file: Path | None = None, **request: Any) -> bytes:
        """The answer, after as many tries as patience allows: every request may be repeated."""
        until = time.monotonic() + self._patience
        while True:
            try:
                content = _pieces(file) if file else None
                answer = await self._http.request(method, path, content=content, **request)
            except httpx.TransportError as error:
                problem: PerdureError = NotReachable(f"{self._http.base_url} does not answer")
                problem.__cause__ = error
            else:
                if answer.is_success:
                    return answer.content
                problem = _problem(answer)
            if not isinstance(problem, NotReachable):
                raise problem
            # Not all at the same moment: whoever was sent away together would come back together.
            pause = problem.ask_again_in * random.uniform(1, 1.5)  # noqa: S311 - no secret
            if time.monotonic() + pause > until:
                raise problem
            await asyncio.sleep(pause)


class OnboardingHandle:
    """One onboarding, through Temporal. What it says needs a worker; RPCError where none is."""

    def __init__(self, client: Client, process: str) -> None:
        self.workflow_id = process
        self._process = client.get_workflow_handle(process, result_type=str)

    async def progress(self) -> Progress:
        """How far it is: every step, who must act, until when."""
        return await self._process.query(CustomerOnboarding.progress)

    async def identity_changed(self, hint: IdentityChanged) -> None:
        """Tell it that its identity session changed: it looks how that stands now."""
        await self._process.signal(CustomerOnboarding.identity_changed, hint)

    async def end(self) -> str:
        """Wait for its end and return it: active, rejected, withdrawn, expired or aborted."""
        end: str = await self._process.result()
        return end

    async def follow(self, *, every: timedelta = timedelta(seconds=1)) -> AsyncIterator[Progress]:
        """Its progress now and after each change, until its end."""
        last = None
        while True:
            progress = await self.progress()
            if progress != last:
                yield progress
            if progress.stage in ENDS:
                return
            last = progress
            await asyncio.sleep(every.total_seconds())


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, _PIECE):
            yield piece


def _problem(answer: httpx.Response) -> PerdureError:
    """What an answer without success means. Some pass by themselves: in progress, unavailable."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    refused = Refused(answer.status_code, problem if isinstance(problem, dict) else {})
    if answer.status_code >= 500 or refused.code in ("in-progress", "too-many-requests"):
        return NotReachable(str(refused), ask_again_in=_retry_after(answer))
    return refused


def _retry_after(answer: httpx.Response) -> float:
    """The seconds that the gateway asks us to wait."""
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else _PAUSE
