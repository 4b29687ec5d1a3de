"""Tokens by which an applicant sees how their own onboarding stands, and nothing else.

A token names the onboarding, its tenant and a time, and is sealed with a secret over these. Nothing
is kept of it: it can be made again at any time, and holds until it expires.
"""

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"apl\.([a-z0-9-]{1,40})\.([a-z2-7]{26})\.([1-9][0-9]{0,11})\.([a-z2-7]{52})")


@dataclass(frozen=True)
class About:
    """What a token is for: one onboarding, `until` seconds since 1970."""

    tenant: str
    onboarding: str
    until: int


class ApplicantTokens:
    """Makes tokens with the first of `secrets`, and accepts those of any: they can be exchanged."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("tokens cannot be sealed without a secret")
        self._secrets = tuple(secret.encode() for secret in secrets)

    def token(self, about: About) -> str:
        """The token for what it is about: always the same."""
        return f"{_told(about)}.{_seal(self._secrets[0], about)}"

    def accept(self, token: str) -> About | None:
        """What a token of ours is about, expired or not; None where we did not make it."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        about = About(parts[1], parts[2], int(parts[3]))
        # Over all secrets, so that the time says nothing about which one fits.
        fits = [hmac.compare_digest(_seal(one, about), parts[4]) for one in self._secrets]
        return about if any(fits) else None


def _told(about: About) -> str:
    return f"apl.{about.tenant}.{about.onboarding}.{about.until}"


def _seal(secret: bytes, about: About) -> str:
    # What it begins with sets it apart from all else that is sealed with the same secret.
    digest = hmac.new(secret, f"applicant\n{_told(about)}".encode(), hashlib.sha256).digest()
    return b32encode(digest).decode().lower().rstrip("=")
