"""Keys and secrets of the settings, read as what they are for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from workers.settings import Settings, SettingsWrong, variable
from workflows.onboarding.confirmation_link import LinkSeals

_SHORTEST_SECRET = 32


def signing_key(settings: Settings) -> tuple[str, Ed25519PrivateKey]:
    """What the gateway signs actors with, and the name of that key."""
    try:
        raw = base64.b64decode(settings.secret("actor_signing_key"), validate=True)
        key = Ed25519PrivateKey.from_private_bytes(raw)
    except ValueError as error:
        raise SettingsWrong(
            f"{variable('actor_signing_key')} is no Ed25519 private key: it wants its 32 bytes "
            "in base64."
        ) from error
    return _name(key.public_key()), key


def public_keys(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """Whose signatures under actors are accepted, by the names of the keys."""
    if not settings.actor_public_keys:
        raise SettingsWrong(
            f"{variable('actor_public_keys')} is not set: without the gateway's public key no "
            "decision could be accepted. On a laptop `perdure up` makes it."
        )
    try:
        keys = [
            Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
            for text in settings.actor_public_keys
        ]
    except ValueError as error:
        raise SettingsWrong(
            f"{variable('actor_public_keys')} holds something that is no Ed25519 public key: "
            "each is 32 bytes in base64."
        ) from error
    return {_name(key): key for key in keys}


def link_seals(settings: Settings) -> LinkSeals:
    """What makes and accepts the links that confirm an address."""
    return LinkSeals(link_secrets(settings))


def link_secrets(settings: Settings) -> list[str]:
    """What is given to applicants is sealed with these. Raises SettingsWrong."""
    secrets = [one.get_secret_value() for one in settings.confirmation_secrets]
    if not secrets or min(map(len, secrets)) < _SHORTEST_SECRET:
        raise SettingsWrong(
            f"{variable('confirmation_secrets')} is not set, or holds something shorter than "
            f"{_SHORTEST_SECRET} characters. Put random ones into the file "
            f"{settings.home / 'secrets' / 'confirmation_secrets'}; on a laptop `perdure up` makes "
            "it."
        )
    return secrets


def _name(key: Ed25519PublicKey) -> str:
    """A public key's name: the same wherever the key is known, so that keys can be exchanged."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:12]
