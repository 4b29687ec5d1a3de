"""What Stripe's failures mean to an effect.

Nothing of Stripe's own messages goes on: they may repeat what an applicant told us.
"""

from datetime import timedelta

import stripe

from connectors.errors import ConnectorError, OutcomeLost, Refused, Unanswered

RATE_LIMIT_PAUSE = timedelta(seconds=2)
LOCK_PAUSE = timedelta(seconds=1)
CONFLICT_PAUSE = timedelta(seconds=2)


class Missing(Refused):
    """What the request was about is not there, or not any more."""


def as_connector_error(error: stripe.StripeError, *, keyed: bool) -> ConnectorError:
    """The failure in our words.

    `keyed` says whether the request was an effect under an idempotency key. Only then can its
    outcome get lost: Stripe keeps a failure for the key and gives it to whoever asks again.
    """
    told = _told(error)
    if isinstance(error, stripe.APIConnectionError):
        return unanswered(type(error.__cause__ or error).__name__)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Refused("stripe.auth", f"Stripe does not let our API key do this{told}")
    if error.http_status is not None and error.http_status >= 500:
        if keyed and (_advice(error) == "false" or _header(error, "idempotent-replayed") == "true"):
            text = f"Stripe keeps a failure for the key{told}"
            return OutcomeLost("stripe.server_replayed", text)
        return Unanswered("stripe.server", f"Stripe failed{told}")
    if _said(error) is None:
        return bad_body(told)
    return _answered(error, told)


def _answered(error: stripe.StripeError, told: str) -> Refused | Unanswered:
    """What an answer below 500 means that Stripe itself gave."""
    code = _field(error, "code")
    match error:
        case stripe.StripeError() if code == "idempotency_key_in_use":
            text = f"Stripe is still busy with the key{told}"
            return Unanswered("stripe.key_in_use", text, CONFLICT_PAUSE)
        case stripe.StripeError(http_status=409 | 429) if _advice(error) == "false":
            return Refused("stripe.do_not_retry", f"Stripe says not to ask again{told}")
        case stripe.StripeError(http_status=409):
            return Unanswered(
                "stripe.conflict", f"something else came between{told}", CONFLICT_PAUSE
            )
        case stripe.RateLimitError() if code == "lock_timeout":
            return Unanswered("stripe.lock_timeout", f"the object is in use{told}", LOCK_PAUSE)
        case stripe.RateLimitError():
            return Unanswered("stripe.rate_limit", f"too many requests{told}", RATE_LIMIT_PAUSE)
        case stripe.CardError():
            return Refused("stripe.card", f"the card was declined{told}")
        case stripe.IdempotencyError():
            text = f"the key was used for another request, which is a defect of ours{told}"
            return Refused("stripe.idempotency_mismatch", text)
        case stripe.InvalidRequestError():
            # A 404 without this code is about the path: a wrong address must not look like "gone".
            gone = error.http_status == 404 and code == "resource_missing"
            text = f"Stripe refused the request{told}"
            return (Missing if gone else Refused)("stripe.invalid_request", text)
        case stripe.StripeError(http_status=424):
            return Unanswered("stripe.external_dependency", f"a system behind Stripe failed{told}")
        case _:
            text = f"Stripe refused for a reason that we do not know{told}"
            return (Unanswered if _advice(error) == "true" else Refused)("stripe.unknown", text)


def unanswered(how: str) -> Unanswered:
    """No answer came; `how` names what happened on the way."""
    return Unanswered("stripe.connection", f"no answer from Stripe ({how})")


def bad_body(told: str = "") -> Unanswered:
    """An answer came that cannot be read: what was done is as unknown as without one."""
    return Unanswered("stripe.bad_body", f"Stripe's answer cannot be read{told}")


def _header(error: stripe.StripeError, name: str) -> str | None:
    headers = {key.lower(): value.lower() for key, value in (error.headers or {}).items()}
    return headers.get(name)


def _advice(error: stripe.StripeError) -> str | None:
    """What Stripe says about asking again, where it says something: `true` or `false`."""
    return _header(error, "stripe-should-retry")


def _said(error: stripe.StripeError) -> dict[str, object] | None:
    """What Stripe says went wrong; None where it was not Stripe, or not this API, that said it.

    Not by the SDK's attributes: which of them are there depends on the class.
    """
    body = error.json_body
    said = body.get("error") if isinstance(body, dict) else None
    return said if isinstance(said, dict) else None


def _field(error: stripe.StripeError, name: str) -> str | None:
    value = (_said(error) or {}).get(name)
    return value if isinstance(value, str) else None


def _told(error: stripe.StripeError) -> str:
    """What may be told of it: status, codes, the name of a parameter, Stripe's request id."""
    facts = {
        "status": error.http_status,
        "code": _field(error, "code"),
        "decline code": _field(error, "decline_code"),
        "parameter": _field(error, "param"),
        "request": error.request_id,
    }
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    return f" ({told})" if told else ""
