"""The secrets of a laptop stack, made on first use; one file each, for the owner's eyes only."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workers.obstacle import Obstacle

TENANT = "example"
_CALLERS = {
    "service": ("service", ("service",)),
    "operator": ("person", ("operator",)),
    "admin": ("person", ("operator", "admin")),
}


def make(home: Path) -> None:
    """Make what is missing in the folder `secrets`; what is there stays.

    Raises Obstacle where the folder belongs to another user.
    """
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise Obstacle(
            f"{home} belongs to another user (number {home.stat().st_uid}). Work as that user, "
            "remove it, or name another folder: PERDURE_HOME=…"
        )
    folder = home / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    _once(folder / "database_password", lambda: secrets.token_urlsafe(24))
    _once(folder / "stripe_api_key", lambda: f"sk_test_{secrets.token_hex(16)}")
    signing = _once(
        folder / "actor_signing_key",
        lambda: _text(Ed25519PrivateKey.generate().private_bytes_raw()),
    )
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(signing))
    _once(folder / "actor_public_keys", lambda: _text(private.public_key().public_bytes_raw()))
    keys = {
        caller: _once(folder / f"api_key_{caller}", lambda: f"prd_{secrets.token_urlsafe(24)}")
        for caller in _CALLERS
    }
    keep(folder / "api_keys.json", _who_may_call(keys))


def keep(file: Path, text: str) -> None:
    """Put a secret into a file of its own, in one move."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text + "\n")
    unfinished.replace(file)


def _once(file: Path, make_it: Callable[[], str]) -> str:
    if not file.exists():
        keep(file, make_it())
    return file.read_text().strip()


def _who_may_call(keys: dict[str, str]) -> str:
    """What the gateway knows of the keys: whose they are and their hashes, never the keys."""
    callers = [
        {
            "name": f"laptop-{caller}",
            "kind": kind,
            "tenant": TENANT,
            "roles": roles,
            "sha256": hashlib.sha256(keys[caller].encode()).hexdigest(),
        }
        for caller, (kind, roles) in _CALLERS.items()
    ]
    return json.dumps(callers, indent=2)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
