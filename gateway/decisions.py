"""Decisions on their way to a process: signed here, sent to Temporal, never through our database.

So a person is answered at once, however our database is.
"""

from typing import Literal

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from gateway.etags import changed_meanwhile
from gateway.problems import Problem
from workflows.actor import Decision
from workflows.decisions import Taken
from workflows.events import NotTaken
from workflows.patience import PATIENCE, temporal_answers
from workflows.runs import is_failing, latest_run

Update = Literal[
    "withdraw",
    "resolve",
    "resend_confirmation",
    "change",
    "judge_document",
    "approve",
    "reject",
    "merge",
    "link",
    "offboard",
    "compare_now",
]


class NoProcess(Exception):
    """Temporal knows no process of this id, or none any more."""


class Ended(Exception):
    """The process has come to `end`; None where it was ended from outside."""

    def __init__(self, end: str | None) -> None:
        super().__init__(end)
        self.end = end

    @property
    def how(self) -> str:
        """What is said of the process."""
        return f"it is {self.end}" if self.end else "it was ended from outside"


async def send(client: Client, workflow_id: str, update: Update, decision: Decision) -> Taken:
    """Have a process take a signed decision; the answer says what happens now.

    Raises Ended, NoProcess, NotTaken while Temporal or every worker is down, and Problem where the
    process refuses it (409) or its code fails (503). Not taken, it may be taken later all the same.
    """
    process = client.get_workflow_handle(workflow_id)
    try:
        async with temporal_answers():
            taken: Taken = await process.execute_update(
                update,
                decision,
                id=decision.by.update_id,
                result_type=Taken,
                rpc_timeout=PATIENCE,
            )
            return taken
    except WorkflowUpdateFailedError as error:
        if not _ended_meanwhile(error):
            raise _refusal(error) from None
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    except NotTaken:
        if is_failing(await latest_run(client, workflow_id)):
            raise _cannot_go_on() from None
        raise
    raise await _why_nobody_takes_it(client, workflow_id)


def ended_from_outside() -> Problem:
    """What is said where somebody has to bring the process back before it takes anything."""
    return Problem(
        409,
        "ended-from-outside",
        "The process was ended from outside: an operator has to resolve it, see /v1/attention.",
    )


def _cannot_go_on() -> Problem:
    return Problem(
        503,
        "failing",
        "The process cannot go on, so it does not take decisions. It is on the attention list "
        "(GET /v1/attention, kind `failing`): an operator has it go on. Ask again then.",
        headers={"Retry-After": "60"},
    )


async def _why_nobody_takes_it(client: Client, workflow_id: str) -> Ended | NoProcess:
    process = client.get_workflow_handle(workflow_id, result_type=str)
    try:
        async with temporal_answers():
            if (await process.describe()).status != WorkflowExecutionStatus.COMPLETED:
                return Ended(None)
            return Ended(await process.result())
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return NoProcess()
        raise


def _ended_meanwhile(error: WorkflowUpdateFailedError) -> bool:
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow"


def _refusal(error: WorkflowUpdateFailedError) -> Problem:
    """Why the process says no, in its own words: they name steps and stages, nobody."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return Problem(409, "refused", "The process refused the decision.")
    if cause.type == "ActorRefused":
        return Problem(
            500,
            "actor-refused",
            "The workers do not accept this gateway's signature. Check that they know its public "
            "key, and that the clocks agree.",
        )
    said = f"{_sentence(cause.message)}."
    if cause.type == "TooSoon":
        return Problem(429, "too-soon", said, headers={"Retry-After": str(cause.details[0])})
    if cause.type == "ChangedMeanwhile":
        return changed_meanwhile("version")
    status, code = _REFUSALS.get(cause.type or "", (409, "refused"))
    return Problem(status, code, said)


_REFUSALS = {
    "TooLate": (409, "too-late"),
    "NotParked": (409, "not-parked"),
    "ParkedAnew": (409, "parked-anew"),
    "AlreadyDecided": (409, "already-decided"),
    "NotAChoice": (409, "not-a-choice"),
    "NotCorrectable": (409, "not-correctable"),
    "NotToJudge": (409, "not-to-judge"),
    "NotConfirming": (409, "not-confirming"),
    "StillSending": (409, "still-sending"),
    "NoMoreMails": (409, "no-more-mails"),
    "NotChangeable": (409, "not-changeable"),
    "NoMoreChanges": (409, "no-more-changes"),
    "NotReviewing": (409, "not-reviewing"),
    "OtherReview": (409, "other-review"),
    "OtherVersion": (409, "other-version"),
    "AgreedAlready": (409, "agreed-already"),
    "NotAPerson": (403, "not-a-person"),
    "NotTheirs": (403, "role-missing"),
    "Excluded": (403, "excluded"),
}
"""The status and code of what a process says no with."""


def _sentence(message: str) -> str:
    """With a capital letter; but the name of a step stays as it is."""
    if "." in message.partition(" ")[0]:
        return message
    return f"{message[:1].upper()}{message[1:]}"
