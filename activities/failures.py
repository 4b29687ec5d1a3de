"""How failures of activities reach a process: as types that it knows, without personal data."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.reconciliation.refusals import TermsChanged, UnclearBalance
from activities.rules.problems import BadRules
from activities.rules.rulings import UnknownVersion
from activities.rules.table import WrongFacts
from connectors.errors import ConnectorError, Refused, Unanswered
from database.claims import Conflict, InProgress, RefusedBefore, TakenBack
from database.connection import DatabaseDown
from database.onboardings import NoApplication
from database.reconciliation.accounts import NoAccount
from database.reconciliation.cut import DayIsOver
from database.reconciliation.scope import OutOfOrder
from workflows.conduct import REFUSED_GENERATION
from workflows.defects import without_texts
from workflows.request_key import Request
from workflows.step import OUR_OUTAGE

ENOUGH = 5
"""So often a step is tried that fails for a reason that nobody foresaw."""

_log = structlog.get_logger()


class FailureInterceptor(Interceptor):
    """Turns every exception of an activity into an ApplicationError that a process understands."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand around each run of an activity."""
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except ApplicationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends here
            # `from None`: what went wrong inside may hold personal data, and causes go to Temporal.
            asked = input.args[0] if input.args else None
            raise as_failure(error, asked, attempt=activity.info().attempt) from None


def as_failure(error: Exception, asked: object = None, *, attempt: int = 1) -> ApplicationError:
    """The failure that a process sees for an exception of ours, met by the request `asked`.

    What nobody foresaw is tried a few times and then put before somebody.
    """
    match error:
        case NoApplication() if isinstance(asked, Request):
            # Nothing was sent: it can be asked again with another version of the application.
            generation = {REFUSED_GENERATION: asked.generation}
            return ApplicationError(
                str(error), generation, type=type(error).__name__, non_retryable=True
            )
        case NoAccount() | DayIsOver() | OutOfOrder() | UnclearBalance() | TermsChanged():
            # Somebody has to say which account, day, balance or terms are meant.
            return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)
        case UnknownVersion() | BadRules() | WrongFacts():
            # The same table would be told the same: somebody has to mend it first.
            return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)
        case DatabaseDown():
            return ApplicationError(str(error), type=OUR_OUTAGE)
        case InProgress():
            return ApplicationError(str(error), type="InProgress", next_retry_delay=error.left)
        case RefusedBefore():
            generation = {REFUSED_GENERATION: error.generation}
            return ApplicationError(error.reason, generation, type=error.type, non_retryable=True)
        case Conflict() | TakenBack():
            return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)
        case Unanswered():
            return ApplicationError(error.text, type=error.type, next_retry_delay=error.retry_after)
        case ConnectorError():
            refused = isinstance(error, Refused)
            return ApplicationError(error.text, type=error.type, non_retryable=refused)
        case _:
            kind = type(error).__name__
            _log.error("activity failed unexpectedly", error=kind, at=without_texts(error))
            text = "a defect of ours: the worker's log says where"
            return ApplicationError(text, type=kind, non_retryable=attempt >= ENOUGH)
