"""Stripe's refusals. Only what failed after the operation began is stored under its key."""

import json
from typing import Any


class Refusal(Exception):
    """An answer other than 200; which kind it is decides whether the same key gets it again.

    `more` are fields of the error besides those named.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        error_type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        error: dict[str, Any] = {"message": message, "type": error_type, **more}
        if code is not None:
            error["code"] = code
        if param is not None:
            error["param"] = param
        self.body = json.dumps({"error": error}, ensure_ascii=False)


class ParameterError(Refusal):
    """What was sent cannot be read or is not allowed; corrected, it may come with the same key."""


class ExecutionError(Refusal):
    """The operation began and failed; the same key gets the same answer again."""


class KeyConflict(Refusal):
    """The idempotency key is in use, or was used for something else."""


def no_such(name: str, object_id: str, *, param: str = "id", status: int = 404) -> ExecutionError:
    """The object is not there (any more): 404 in a path, 400 in a parameter."""
    return ExecutionError(
        f"No such {name}: '{object_id}'", status=status, code="resource_missing", param=param
    )
