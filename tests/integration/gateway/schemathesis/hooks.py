"""What a description cannot say, and every caller knows: for schemathesis, which loads this."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case[Any], **__: Any) -> None:
    """A cursor is ours or none; a key of all tenants says whose; each signup has its name."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        case.query.pop("cursor", None)
        if case.method == "POST" and "tenant" in names(case):
            case.query.setdefault("tenant", "acme")
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = str(uuid4())
        if (
            isinstance(case.body, dict)
            and case.path == "/v1/attention/resolve"
            and case.body.get("step") is None
        ):
            case.body |= {"action": "retry", "version": None, "since": None}
        if isinstance(case.body, dict) and case.path == "/v1/attention/retry-all":
            case.body.pop("cursor", None)
            case.body["reason_type"] = "stripe.connection"


def names(case: schemathesis.Case[Any]) -> set[str]:
    return {parameter.name for parameter in case.operation.query}


for name, values in {
    "email": strategies.from_regex(r"[a-z]{1,9}@example\.(com|org)", fullmatch=True),
    "iso-3166-1-alpha-2": strategies.sampled_from(["DE", "AT", "PL", "JP"]),
    "iso-4217": strategies.sampled_from(["EUR", "PLN", "JPY"]),
}.items():
    schemathesis.openapi.format(name, values)
