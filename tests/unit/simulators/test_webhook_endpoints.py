from __future__ import annotations

from pathlib import Path

from simulators.clock import Clock
from simulators.storage import Storage
from simulators.stripe import webhook_endpoints
from simulators.stripe.account import Account
from simulators.stripe.simulator import Simulator

URL = "http://127.0.0.1:8400/webhooks/stripe"


def account(folder: Path) -> Account:
    storage = Storage(folder / "world.sqlite3")
    return Simulator.on(storage, Clock(storage), "sk_test_0").account


async def test_an_endpoint_that_is_there_from_the_start_is_there_once_with_the_latest_secret(
    tmp_path: Path,
) -> None:
    for secret in ("whsec_one", "whsec_one", "whsec_two"):
        started = account(tmp_path)
        webhook_endpoints.settle(started, URL, secret)
        (endpoint,) = started.webhook_endpoints.everything()
        assert endpoint["url"] == URL
        assert started.endpoints_for("customer.created") == [endpoint["id"]]
        assert webhook_endpoints.signing_secrets(started, endpoint["id"]) == [secret]
