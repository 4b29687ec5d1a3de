"""The simulator of Stripe is told where our webhooks arrive, as one would tell Stripe itself."""

from __future__ import annotations

import httpx

from workers import secret_files
from workers.settings import Settings


async def register(settings: Settings) -> None:
    """Have exactly one endpoint, the gateway's, and keep its secret in `secrets`.

    The secret is shown only when an endpoint is made: one whose secret we lost is made anew.
    """
    assert settings.stripe_api_base is not None, "an endpoint is registered at the simulator only"
    url = f"{settings.gateway_url}/webhooks/stripe"
    secret = settings.home / "secrets" / "stripe_webhook_secrets"
    async with httpx.AsyncClient(
        base_url=settings.stripe_api_base,
        headers={"Authorization": f"Bearer {settings.secret('stripe_api_key')}"},
        timeout=10,
    ) as stripe:
        known = (
            await stripe.get("/v1/webhook_endpoints", params={"limit": 100})
        ).raise_for_status()
        there = False
        for endpoint in known.json()["data"]:
            if endpoint["url"] == url and secret.exists() and not there:
                there = True
            else:
                await stripe.delete(f"/v1/webhook_endpoints/{endpoint['id']}")
        if not there:
            made = await stripe.post(
                "/v1/webhook_endpoints", data={"url": url, "enabled_events[0]": "*"}
            )
            secret_files.keep(secret, made.raise_for_status().json()["secret"])
