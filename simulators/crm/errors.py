"""HubSpot's refusals."""

import json
import uuid
from typing import Any

MEDIA_TYPE = "application/json"


class Refusal(Exception):
    """An answer that is an error. `category` is what programs go by."""

    def __init__(
        self, status: int, category: str, message: str, *, policy: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        error: dict[str, Any] = {
            "status": "error",
            "message": message,
            "correlationId": str(uuid.uuid4()),
            "category": category,
        }
        if policy is not None:
            error["policyName"] = policy
        self.body = json.dumps(error, ensure_ascii=False)


def invalid(message: str) -> Refusal:
    """What was sent cannot be read, or is not allowed."""
    return Refusal(400, "VALIDATION_ERROR", message)


def missing() -> Refusal:
    """The record is not there, or was archived."""
    return Refusal(404, "OBJECT_NOT_FOUND", "resource not found")


OUTAGES = {
    401: Refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found."),
    429: Refusal(429, "RATE_LIMITS", "You have reached your secondly limit.", policy="SECONDLY"),
    500: Refusal(500, "INTERNAL_ERROR", "Something went wrong."),
    503: Refusal(503, "SERVICE_UNAVAILABLE", "The service is not available."),
}
"""What the front says, by status."""
