"""One round of a step: all the tries that its class and its budget allow."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from workflows.conduct import is_our_outage
from workflows.decisions import ProcessSteps
from workflows.display import Display
from workflows.policy import Budgets
from workflows.request_key import Request
from workflows.step import (
    Declaration,
    Input,
    Method,
    Output,
    Steps,
    bulk_queue,
    declaration_of,
)


async def attempt(
    declared: Declaration,
    method: Method[Steps, Input, Output],
    request: Input,
    budgets: Budgets,
    display: Display,
) -> Output:
    """Run a step until it is done or its budget is used up. Raises FailureError.

    A near step is tried at once, within the workflow task. Where our database is slow or down, it
    waits for it as a regular activity, without a limit, and holds up no messages of the process.

    Any other step is a regular activity within its budget; long work has a queue of its own. Only
    the outside's failures use the budget up: when our own database was down, the step begins again
    with a fresh one once that answers.
    """
    if declared.near:
        try:
            with display.busy():
                return await workflow.execute_local_activity_method(
                    method, request, **declared.at_once
                )
        except FailureError as failure:
            if isinstance(failure, ApplicationError) and failure.non_retryable:
                raise
        display.refresh()
    options = declared.options(budgets)
    if declared.kind == "bulk":
        options["task_queue"] = bulk_queue(workflow.info().task_queue)
    while True:
        try:
            return await workflow.execute_activity_method(method, request, **options)
        except ActivityError as failure:
            if not is_our_outage(failure):
                raise
        answers = ProcessSteps.database_answers
        await attempt(declaration_of(answers), answers, Request(), budgets, display)
