"""Webhook endpoints and the secrets that sign for them."""

import secrets
import time
from typing import Any

from simulators.stripe import metadata
from simulators.stripe.account import EVERYTHING, Account, Call, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.operation import Operation, listed

URL = "/v1/webhook_endpoints"
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_webhook_secrets (
    position INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,
    secret TEXT NOT NULL,
    until REAL
);
"""


def create(account: Account, call: Call) -> Document:
    """Register an endpoint; this is the only answer that shows its secret."""
    given = call.parameters
    _check_url(given["url"])
    endpoint = _add(
        account,
        api_version=given.get("api_version"),
        description=given.get("description"),
        enabled_events=given["enabled_events"],
        metadata=metadata.merged({}, given.get("metadata", {})),
        url=given["url"],
    )
    return {**endpoint, "secret": _add_secret(account, endpoint["id"], _new_secret())}


def settle(account: Account, url: str, secret: str) -> None:
    """Have an endpoint for all events with a secret of ours, as if somebody had made it by hand."""
    with account.storage.transaction():
        known = [one for one in account.webhook_endpoints.everything() if one["url"] == url]
        endpoint = known[0] if known else _add(account, enabled_events=[EVERYTHING], url=url)
        if signing_secrets(account, endpoint["id"]) != [secret]:
            _forget_secrets(account, endpoint["id"])
            _add_secret(account, endpoint["id"], secret)


def retrieve(account: Account, call: Call) -> Document:
    """One endpoint, without its secret."""
    return existing(account, call.path["webhook_endpoint"])


def update(account: Account, call: Call) -> Document:
    """Change an endpoint; `disabled` stops and starts new deliveries."""
    given = call.parameters
    endpoint = retrieve(account, call)
    if "url" in given:
        _check_url(given["url"])
    endpoint |= {
        name: given[name] for name in ("url", "description", "enabled_events") if name in given
    }
    if "metadata" in given:
        endpoint["metadata"] = metadata.merged(endpoint["metadata"], given["metadata"])
    if "disabled" in given:
        endpoint["status"] = "disabled" if given["disabled"] else "enabled"
    account.webhook_endpoints.replace(endpoint)
    return endpoint


def delete(account: Account, call: Call) -> Document:
    """Remove an endpoint; what is still on its way to it is lost."""
    endpoint = retrieve(account, call)
    account.webhook_endpoints.remove(endpoint["id"])
    _forget_secrets(account, endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def list_all(account: Account, call: Call) -> str:
    """Endpoints, newest first, without their secrets."""
    return listed(account.webhook_endpoints, call, name="webhook endpoint", url=URL)


def existing(account: Account, endpoint_id: str) -> Document:
    """The endpoint; raises ExecutionError if there is none."""
    endpoint = account.webhook_endpoints.get(endpoint_id)
    if endpoint is None:
        raise no_such("webhook endpoint", endpoint_id)
    return endpoint


def roll_secret(account: Account, endpoint_id: str, keep_seconds: float) -> str:
    """A new secret; those before sign as well for a while, so that a receiver can change over."""
    existing(account, endpoint_id)
    account.storage.run(
        "UPDATE stripe_webhook_secrets SET until = ? WHERE endpoint = ? AND until IS NULL",
        (time.time() + keep_seconds, endpoint_id),
    )
    return _add_secret(account, endpoint_id, _new_secret())


def signing_secrets(account: Account, endpoint_id: str) -> list[str]:
    """The secrets that sign for an endpoint now, the newest first."""
    rows = account.storage.rows(
        "SELECT secret FROM stripe_webhook_secrets WHERE endpoint = ?"
        " AND (until IS NULL OR until > ?) ORDER BY position DESC",
        (endpoint_id, time.time()),
    )
    return [row[0] for row in rows]


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(24)}"


# Any: values of an object as Stripe's API has it.
def _add(account: Account, **given: Any) -> Document:
    endpoint: Document = {
        "id": new_id("we_1", 24),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": account.now(),
        "description": None,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        **given,
    }
    account.webhook_endpoints.add(endpoint)
    return endpoint


def _add_secret(account: Account, endpoint_id: str, secret: str) -> str:
    account.storage.run(
        "INSERT INTO stripe_webhook_secrets (endpoint, secret) VALUES (?, ?)", (endpoint_id, secret)
    )
    return secret


def _forget_secrets(account: Account, endpoint_id: str) -> None:
    account.storage.run("DELETE FROM stripe_webhook_secrets WHERE endpoint = ?", (endpoint_id,))


def _check_url(url: str | None) -> None:
    if url is None or not url.startswith(("http://", "https://")):
        raise ParameterError("Invalid URL.", code="url_invalid", param="url")


OPERATIONS = (
    Operation("POST", URL, create, not_simulated=frozenset({"connect"})),
    Operation("GET", URL, list_all),
    Operation("GET", f"{URL}/{{webhook_endpoint}}", retrieve),
    Operation("POST", f"{URL}/{{webhook_endpoint}}", update),
    Operation("DELETE", f"{URL}/{{webhook_endpoint}}", delete),
)
