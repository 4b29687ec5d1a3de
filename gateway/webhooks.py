"""Stripe's webhooks: verified, written to the inbox, answered; handed over afterwards."""

import contextlib
import json
import math
import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from stripe import SignatureVerificationError, WebhookSignature

from gateway.inbox_writer import InboxWriter
from gateway.options import GatewayOptions
from gateway.problems import Problem
from workflows.events import NotAnEvent, stripe_event

OLDEST = 300
"""Seconds after which a signature counts no more: who recorded it must not send it again."""
_DIGITS_OF_A_TIME = 12
FURTHEST_AHEAD = 30
"""Seconds that Stripe's clock may be ahead of ours."""


async def stripe(request: Request) -> Response:
    """Take one event in. 2xx means that it is in our database, for good."""
    options: GatewayOptions = request.app.state.options
    writer: InboxWriter = request.app.state.inbox_writer
    body = await request.body()
    verify(body, request.headers.get("stripe-signature"), options.webhook_secrets)
    try:
        payload = json.loads(body)
        await writer.take_in(stripe_event(payload))
    except NotAnEvent as error:
        raise Problem(400, "not-an-event", f"This is no event: {error}.") from None
    except (ValueError, RecursionError):
        raise Problem(400, "malformed-json", "The body is not JSON.") from None
    return Response(status_code=204)


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Raises Problem (400) unless one of `secrets` signed `body`, a short while ago."""
    if _signed_at(header) <= time.time() + FURTHEST_AHEAD:  # the SDK refuses old ones only
        for secret in secrets:
            with contextlib.suppress(SignatureVerificationError, ValueError, OverflowError):
                WebhookSignature.verify_header(body, header, secret, OLDEST)
                return
    raise Problem(
        400,
        "signature-refused",
        "The header Stripe-Signature does not fit the body, or was made too long ago or in the "
        "future. Check the endpoint's secret and the clocks.",
    )


def _signed_at(header: str | None) -> float:
    """When a signature was made; infinitely far ahead where it does not say."""
    for part in (header or "").split(","):
        name, _, value = part.partition("=")
        if name == "t" and value.isdecimal() and len(value) <= _DIGITS_OF_A_TIME:
            return int(value)
    return math.inf
