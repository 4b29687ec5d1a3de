"""Many parked steps retried at once: after an outage, say, that parked hundreds."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from gateway import examples
from gateway.attention import AttentionItem, Filters, Why, decide, running_page
from gateway.callers import Allowed, Caller, Tenant, tenant_to_see
from gateway.forms import Form
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem
from workflows.actor import SignedActor
from workflows.actor import Why as Reason
from workflows.decisions import Resolution
from workflows.events import NotTaken
from workflows.onboarding.application import Answer

router = APIRouter(prefix="/v1/attention", tags=["attention"])

_AT_ONCE = 16


class RetryForm(Form):
    """Which parked steps are to be retried, and why. What is left out is not looked at.

    `step` takes all parts of a step with it: `documents.store` means every document. `reason_type`
    is `why.type` of the list, as `stripe.connection`. Nothing is decided while `dry_run` is true.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "step": "billing.create_customer",
                    "reason_type": "stripe.connection",
                    "reason": "Stripe is up again",
                    "dry_run": False,
                }
            ]
        }
    )

    step: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,200}$")] | None = None
    owner: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    reason_kind: Literal["refused", "out of time"] | None = None
    reason_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None
    tenant: Tenant | None = None
    reason: Reason
    dry_run: bool = True
    limit: Annotated[int, Field(ge=1, le=100, description="How many processes, at most.")] = 100
    cursor: Annotated[str, Field(max_length=4000, pattern="^[A-Za-z0-9_-]+$")] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> "RetryForm":
        if not (self.step or self.owner or self.reason_kind or self.reason_type):
            raise ValueError("name at least one of step, owner, reason_kind and reason_type")
        return self


class Retried(Answer):
    """A step that fits, and what came of it; `code` and `detail` are of the problem, if any.

    fits        it would be retried: nothing was decided
    taken       it is tried again
    refused     its process says no: somebody else was quicker, say
    unanswered  its process did not answer; it may be tried again all the same
    """

    workflow_id: str
    step: str
    why: Why
    outcome: Literal["fits", "taken", "refused", "unanswered"]
    code: str | None = None
    detail: str | None = None


class RetriedPage(Answer):
    """The steps that fit, of as many processes as were looked at.

    `next` is the cursor with which to go on, empty where everything was looked at.
    """

    dry_run: bool
    items: list[Retried]
    next: str | None


class _Wanted(Filters):
    def __init__(self, form: RetryForm, tenant: str | None) -> None:
        # A step's parts are not known to lists: they are told apart here.
        super().__init__(tenant, form.owner, None)
        self._form = form

    @property
    def ours(self) -> bool:
        return False

    def wants(self, item: AttentionItem) -> bool:
        form = self._form
        step = item.step or ""
        return bool(
            "retry" in item.choices
            and super().wants(item)
            and (form.step is None or step == form.step or step.startswith(f"{form.step}/"))
            and form.reason_kind in (None, item.why.kind)
            and form.reason_type in (None, item.why.type)
            # Of a question a retry is the yes: it is meant only where somebody names it.
            and (form.step or form.reason_type or not item.why.type.startswith("customer."))
        )


_EXAMPLE = RetriedPage(
    dry_run=False,
    items=[
        Retried(
            workflow_id=examples.PROCESS,
            step="billing.create_customer",
            why=Why.model_validate(examples.REASON.model_dump()),
            outcome="taken",
        )
    ],
    next=None,
)


@router.post(
    "/retry-all",
    response_model=RetriedPage,
    responses={**answers(_EXAMPLE), **problems(400, 401, 403, 413, 415, 503)},
    summary="Retry what waits by a filter",
)
async def retry_all(form: RetryForm, caller: Allowed, options: Options) -> RetriedPage:
    """Retry every parked step that fits: look first, with `dry_run`, then have it done.

    Each step is decided about by itself, as with *resolve*: signed, kept, and only while it is the
    parking that was seen here. One that says no does not hold up the others: every item tells what
    came of it. What was retried is not found again, so that asking again is fine.
    """
    wanted = _Wanted(form, tenant_to_see(caller, form.tenant))
    found, following = await running_page(options.client, wanted, form.cursor, form.limit)
    free = asyncio.Semaphore(_AT_ONCE)

    async def retry(item: AttentionItem) -> Retried:
        async with free:
            return await _retry(options, caller, form, item)

    items = await asyncio.gather(*(retry(item) for item in found))
    return RetriedPage(dry_run=form.dry_run, items=list(items), next=following)


async def _retry(
    options: GatewayOptions, caller: Caller, form: RetryForm, item: AttentionItem
) -> Retried:
    step = item.step or ""
    told: dict[str, Any] = {"workflow_id": item.workflow_id, "step": step, "why": item.why}
    if form.dry_run:
        return Retried(**told, outcome="fits")

    def resolution(by: SignedActor) -> Resolution:
        return Resolution(reason=form.reason, by=by, step=step, action="retry", since=item.since)

    try:
        await decide(options, caller, item.workflow_id, resolution)
    except Problem as problem:
        down = problem.status_code >= 500
        outcome: Literal["refused", "unanswered"] = "unanswered" if down else "refused"
        return Retried(**told, outcome=outcome, code=problem.code, detail=problem.detail)
    except NotTaken as down:
        return Retried(**told, outcome="unanswered", code="unavailable", detail=f"{down}.")
    return Retried(**told, outcome="taken")
