"""Secrets in files, one each: those that we choose ourselves, for a laptop and for a deployment."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workers.obstacle import Obstacle

_CALLERS = {
    "service": ("service", ("service",)),
    "support": ("person", ("support",)),
    "reviewer": ("person", ("reviewer",)),
    "reviewer_two": ("person", ("reviewer",)),
    "senior_reviewer": ("person", ("reviewer", "senior_reviewer")),
    "senior_reviewer_two": ("person", ("reviewer", "senior_reviewer")),
    "finance_operator": ("person", ("finance_operator",)),
    "finance_approver": ("person", ("finance_approver",)),
    "finance_approver_two": ("person", ("finance_approver",)),
    "operator": ("person", ("operator",)),
    "admin": ("person", ("operator", "admin")),
}


def make(folder: Path) -> Mapping[str, str]:
    """Make what is missing of our own secrets in `folder`; what is there stays.

    The folder is the owner's alone. Answers the API keys by who they are for. Raises Obstacle
    where the folder belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise Obstacle(
            f"{folder} belongs to another user (number {folder.stat().st_uid}). Work as that user, "
            "remove it, or name another folder."
        )
    folder.chmod(0o700)
    once(folder / "database_password", lambda: secrets.token_urlsafe(24))
    once(folder / "stripe_api_key", lambda: f"sk_test_{secrets.token_hex(16)}")
    once(folder / "directory_token", lambda: secrets.token_urlsafe(24))
    once(folder / "hubspot_token", lambda: secrets.token_urlsafe(24))
    once(folder / "applicant_hash_key", lambda: secrets.token_urlsafe(32))
    once(folder / "confirmation_secrets", lambda: secrets.token_urlsafe(32))
    once(folder / "yente_api_key", lambda: secrets.token_urlsafe(24))
    once(folder / "screening_key", lambda: secrets.token_urlsafe(24))
    signing = once(
        folder / "actor_signing_key",
        lambda: _text(Ed25519PrivateKey.generate().private_bytes_raw()),
    )
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(signing))
    once(folder / "actor_public_keys", lambda: _text(private.public_key().public_bytes_raw()))
    return {
        caller: once(folder / f"api_key_{caller}", lambda: f"prd_{secrets.token_urlsafe(24)}")
        for caller in _CALLERS
    }


def keep(file: Path, text: str) -> None:
    """Put a secret into a file of its own, in one move."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text + "\n")
    unfinished.replace(file)


def once(file: Path, make_it: Callable[[], str]) -> str:
    """The secret in a file; it is made if there is none."""
    if not file.exists():
        keep(file, make_it())
    return file.read_text().strip()


def who_may_call(keys: Mapping[str, str], *, place: str, tenant: str) -> str:
    """What the gateway knows of API keys: whose they are and their hashes, never the keys."""
    callers = [
        {
            "name": f"{place}-{caller.replace('_', '-')}",
            "kind": kind,
            "tenant": tenant,
            "roles": roles,
            "sha256": hashlib.sha256(keys[caller].encode()).hexdigest(),
        }
        for caller, (kind, roles) in _CALLERS.items()
    ]
    return json.dumps(callers, indent=2)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
