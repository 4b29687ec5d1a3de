"""What waits for somebody: parked steps, processes that cannot go on, runs ended from outside."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from database.connection import DatabaseDown
from gateway import examples, stuck_runs
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_see
from gateway.correctable import parked_since
from gateway.cursors import bad_cursor, cursor_of, place_of
from gateway.decisions import Ended, NoProcess, send
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import ResolutionForm
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import Problem, not_found
from gateway.processes import tenant_of_process
from gateway.progress import progress_of
from workflows.actor import SignedActor
from workflows.decisions import Resolution, Taken
from workflows.onboarding.application import Answer
from workflows.onboarding.life import is_customer
from workflows.patience import temporal_answers
from workflows.progress import Choice
from workflows.search_attributes import ATTENTION, ATTENTION_SINCE, OWNER, PROBLEMS, STAGE, TENANT

router = APIRouter(prefix="/v1/attention", tags=["attention"])

_AT_ONCE = 16
_BACK = "retry lets it go on from where it was"
_BACK_OR_UNDONE = f"{_BACK}, abort takes it back"
_OUR_OWNER = "operator"
_CUT_OFF = "BadUpdateWorkflowExecutionMessage"
"""The cause where what the workflow answers to an update does not fit what the server has."""


class Why(Answer):
    """Why something waits.

    refused             a step met a definite no
    out of time         a step had no answer within its budget
    defect              the process's own code fails: it goes on once that is mended
    ended from outside  the run was terminated or timed out with its process half done
    not known           no worker answers for the process
    """

    kind: Literal["refused", "out of time", "defect", "ended from outside", "not known"]
    type: str
    text: str


class AttentionItem(Answer):
    """One thing that waits for somebody: who must act, since when, why, what may be chosen."""

    kind: Literal["parked", "failing", "lost"]
    workflow_id: str
    tenant: str | None
    stage: str | None
    step: str | None
    summary: str
    owner: str
    since: datetime | None
    why: Why
    choices: tuple[Choice, ...]


class AttentionPage(Answer):
    """What waits; `next` is the cursor of the page after, empty at the end.

    `incomplete` says what could not be looked at, and is empty otherwise.
    """

    items: list[AttentionItem]
    next: str | None
    incomplete: str | None


_EXAMPLE = AttentionPage(
    items=[
        AttentionItem(
            kind="parked",
            workflow_id=examples.PROCESS,
            tenant="example",
            stage="provisioning",
            step="billing.create_customer",
            summary="Create the customer in billing",
            owner="operator",
            since=examples.AT,
            why=Why.model_validate(examples.REASON.model_dump()),
            choices=("retry", "abort"),
        )
    ],
    next=None,
    incomplete=None,
)


class Filters:
    """What to show of the list."""

    def __init__(self, tenant: str | None, owner: str | None, step: str | None) -> None:
        self.tenant, self.owner, self.step = tenant, owner, step

    @property
    def visibility_query(self) -> str:
        """The runs to look at. The values were checked at the door: they hold no quotes."""
        parked = "Attention IS NOT NULL"
        if self.owner:
            parked += f" AND Owner = '{self.owner}'"
        if self.step:
            parked += f" AND Attention = '{self.step}'"
        wanted = f"({parked})"
        if self.ours:
            wanted = f"({wanted} OR TemporalReportedProblems IS NOT NULL)"
        tenant = f" AND Tenant = '{self.tenant}'" if self.tenant else ""
        return f"ExecutionStatus = 'Running' AND {wanted}{tenant}"

    @property
    def ours(self) -> bool:
        """Whether to show what no step is to blame for: it is for the operators."""
        return self.step is None and self.owner in (None, _OUR_OWNER)

    def wants(self, item: AttentionItem) -> bool:
        """Whether an item of a process is wanted: a process may have several."""
        return item.kind != "parked" or (
            self.owner in (None, item.owner) and self.step in (None, item.step)
        )


@router.get(
    "",
    response_model=AttentionPage,
    responses={**answers(_EXAMPLE), **problems(401, 403, 503)},
    summary="List what waits for somebody",
)
async def waiting(
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
    owner: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")] = None,
    step: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_.:/-]{1,200}$")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Runs ended from outside first, then parked steps and processes whose code fails.

    `limit` counts processes: one with several parked steps brings several items, and the first page
    has all runs that were ended from outside besides.
    """
    filters = Filters(tenant_to_see(caller, asked_tenant), owner, step)
    items: list[AttentionItem] = []
    incomplete = None
    if cursor is None and filters.ours:
        try:
            items += await _lost(options.engine, filters)
        except DatabaseDown as down:
            incomplete = str(down)
    running, after = await running_page(options.client, filters, cursor, limit)
    answer = AttentionPage(items=items + running, next=after, incomplete=incomplete)
    return tagged(answer, if_none_match)


@router.post(
    "/resolve",
    status_code=202,
    response_model=Taken,
    responses={
        **answers(examples.TAKEN, status=202, description="Accepted"),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Decide about something that waits",
)
async def resolve(form: ResolutionForm, caller: Allowed, options: Options) -> Taken:
    """Retry, skip or abort a parked step; have a run that was ended from outside, or fails, go on.

    The answer is given once the decision is accepted. A step is decided about once: `since` makes
    sure that it is the parking that you looked at. 409 `other-version`: `version` is neither what
    the process works from nor a correction that was made for this parking.
    """
    await _own(options, caller, form.workflow_id)
    if form.step is None:
        return await stuck_runs.resolve(options, caller, form)
    step, since = form.step, form.since
    if form.version is not None:
        since = await parked_since(options, form.workflow_id, step, form.version)
        if form.since not in (None, since):
            raise Problem(409, "parked-anew", f"{step} has parked anew since.")

    def resolution(by: SignedActor) -> Resolution:
        return Resolution(
            reason=form.reason,
            by=by,
            step=step,
            action=form.action,
            version=form.version,
            since=since,
        )

    return await decide(options, caller, form.workflow_id, resolution)


async def decide(
    options: GatewayOptions,
    caller: Caller,
    workflow_id: str,
    resolution: Callable[[SignedActor], Resolution],
) -> Taken:
    """Have a process take what the caller decided about a parked step. Raises Problem, NotTaken."""
    signed = options.signer.sign(
        resolution, workflow_id=workflow_id, update="resolve", by=caller.actor
    )
    try:
        return await send(options.client, workflow_id, "resolve", signed)
    except NoProcess:
        raise not_found("process") from None
    except Ended as ended:
        raise Problem(409, "not-parked", f"Nothing waits any more: {ended.how}.") from None


async def _own(options: GatewayOptions, caller: Caller, workflow_id: str) -> None:
    tenant = await tenant_of_process(options.engine, workflow_id)
    if tenant is None or not caller.may_see(tenant):
        raise not_found("process")


async def running_page(
    client: Client, filters: Filters, cursor: str | None, limit: int
) -> tuple[list[AttentionItem], str | None]:
    """What waits in a page of running processes, and the cursor of the page after.

    Raises Problem for a cursor that is none, and NotTaken.
    """
    runs, following = await _runs(client, filters, _token(cursor), limit)
    free = asyncio.Semaphore(_AT_ONCE)
    found = await asyncio.gather(*(_items_of(client, run, free) for run in runs))
    items = [item for of_run in found for item in of_run if filters.wants(item)]
    after = cursor_of([base64.b64encode(following).decode()]) if following else None
    return items, after


def _token(cursor: str | None) -> bytes | None:
    if cursor is None:
        return None
    (token,) = place_of(cursor, str)
    try:
        return base64.b64decode(token, validate=True)
    except ValueError:
        raise bad_cursor() from None


async def _runs(
    client: Client, filters: Filters, token: bytes | None, limit: int
) -> tuple[list[WorkflowExecution], bytes | None]:
    listed = client.list_workflows(filters.visibility_query, page_size=limit, next_page_token=token)
    try:
        async with temporal_answers():
            await listed.fetch_next_page()
    except RPCError as error:
        if token is not None and error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise bad_cursor() from None
        raise
    return list(listed.current_page or ()), listed.next_page_token


async def _items_of(
    client: Client, run: WorkflowExecution, free: asyncio.Semaphore
) -> list[AttentionItem]:
    """What waits in one process: in its own words, or where it does not answer in Temporal's."""
    attributes = run.typed_search_attributes
    if (problems_seen := attributes.get(PROBLEMS)) is not None:
        return [
            _item(
                run,
                kind="failing",
                step=None,
                summary="The process cannot go on",
                since=None,
                why=_why_it_fails(_cause(problems_seen)),
                choices=("retry",),
            )
        ]
    async with free:
        progress = await progress_of(client, run.id)
    if progress is None:
        unknown = Why(kind="not known", type="no-answer", text="no worker answers for the process")
        return [
            _item(
                run,
                kind="parked",
                step=step,
                summary=step,
                since=attributes.get(ATTENTION_SINCE),
                why=unknown,
                choices=(),
            )
            for step in attributes.get(ATTENTION) or ()
        ]
    return [
        AttentionItem(
            kind="parked",
            workflow_id=run.id,
            tenant=attributes.get(TENANT),
            stage=progress.stage,
            step=parked.step,
            summary=parked.summary,
            owner=parked.owner,
            since=parked.since,
            why=Why.model_validate(parked.reason.model_dump()),
            choices=parked.choices,
        )
        for parked in progress.attention
    ]


def _item(
    run: WorkflowExecution,
    *,
    kind: Literal["parked", "failing"],
    step: str | None,
    summary: str,
    since: datetime | None,
    why: Why,
    choices: tuple[Choice, ...],
) -> AttentionItem:
    attributes = run.typed_search_attributes
    return AttentionItem(
        kind=kind,
        workflow_id=run.id,
        tenant=attributes.get(TENANT),
        stage=attributes.get(STAGE),
        step=step,
        summary=summary,
        owner=attributes.get(OWNER) or _OUR_OWNER,
        since=since,
        why=why,
        choices=choices,
    )


def _why_it_fails(cause: str) -> Why:
    if cause.endswith(_CUT_OFF):
        text = (
            "a worker was killed while it answered a person, and the answer cannot be replayed: "
            "retry resets it to before"
        )
    else:
        text = (
            "its own code fails; the worker's log says how. Deploy a mended version; retry where "
            "it does not go on by itself then"
        )
    return Why(kind="defect", type=cause, text=text)


def _cause(problems_seen: Sequence[str]) -> str:
    """`["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCause…"]` → the cause."""
    causes = [part.removeprefix("cause=") for part in problems_seen if part.startswith("cause=")]
    return causes[0] if causes else "workflow task failed"


async def _lost(engine: AsyncEngine, filters: Filters) -> list[AttentionItem]:
    lost = [
        (run, await tenant_of_process(engine, run["workflow_id"]))
        for run in await stuck_runs.unresolved(engine)
    ]
    return [
        AttentionItem(
            kind="lost",
            workflow_id=run["workflow_id"],
            tenant=tenant,
            stage=None,
            step=None,
            summary="The run was ended from outside, its process half done",
            owner=_OUR_OWNER,
            since=run["ended_at"],
            why=Why(
                kind="ended from outside",
                type=run["status"],
                text=_BACK if is_customer(run["workflow_id"]) else _BACK_OR_UNDONE,
            ),
            choices=("retry",) if is_customer(run["workflow_id"]) else ("retry", "abort"),
        )
        for run, tenant in lost
        if filters.tenant in (None, tenant)
    ]
