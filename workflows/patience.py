"""What it means that Temporal, or a worker through it, does not answer in time."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from workflows.events import NotTaken

PATIENCE = timedelta(seconds=4)
"""How long Temporal, or a worker through it, has to answer."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def temporal_answers(patience: timedelta = PATIENCE) -> AsyncIterator[None]:
    """Raise NotTaken for everything that shows that Temporal, or a worker, does not answer."""
    try:
        # Calls carry the same limit; this one is for what takes several.
        async with asyncio.timeout(patience.total_seconds() + 0.5):
            yield
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise NotTaken("Temporal, or every worker, does not answer in time") from error
    except RPCError as error:
        if error.status in _ITS_ANSWER:
            raise
        _log.info("Temporal does not take it: %s", error.status.name)
        raise NotTaken("Temporal does not answer") from error
    except RuntimeError as error:
        if not str(error).startswith(_CONNECTS_LATE):
            raise
        raise NotTaken("Temporal cannot be reached") from error


_CONNECTS_LATE = "Failed client connect"
"""How a client that connects at its first call says that it could not."""


_ITS_ANSWER = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
    }
)
"""Not FAILED_PRECONDITION: that is how the server says that a workflow's task keeps failing."""
