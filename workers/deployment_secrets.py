"""The secrets of a deployment by `docker-compose.yml`, made where they are missing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from workers.secret_files import make as make_ours
from workers.secret_files import once, who_may_call

MOUNTED = (
    "actor_public_keys",
    "actor_signing_key",
    "api_keys.json",
    "applicant_hash_key",
    "archive_access_key",
    "archive_secret_key",
    "confirmation_secrets",
    "database_password",
    "directory_token",
    "hubspot_token",
    "postgres_password",
    "screening_key",
    "smtp_password",
    "stripe_api_key",
    "stripe_webhook_secrets",
    "temporal_database_password",
    "yente_api_key",
)
"""What containers read; of the API keys themselves they know only the hashes."""


def make(folder: Path, *, tenant: str) -> Sequence[str]:
    """Make what is missing in `folder`; what is there stays. Answers the names of what was made.

    The API keys are of `tenant`. Raises Obstacle where the folder belongs to another user.
    """
    before = {file.name for file in folder.iterdir()} if folder.exists() else set()
    keys = make_ours(folder)
    once(folder / "api_keys.json", lambda: who_may_call(keys, place="deployment", tenant=tenant))
    once(folder / "postgres_password", lambda: secrets.token_urlsafe(24))
    once(folder / "temporal_database_password", lambda: secrets.token_urlsafe(24))
    once(folder / "stripe_webhook_secrets", lambda: f"whsec_{secrets.token_urlsafe(24)}")
    for given in ("archive_access_key", "archive_secret_key", "smtp_password"):
        once(folder / given, str)
    for name in MOUNTED:
        # A container's user is nobody on this machine and is given the file, not the folder; it is
        # the folder that keeps this machine's other users out.
        (folder / name).chmod(0o644)
    return sorted({file.name for file in folder.iterdir()} - before)
