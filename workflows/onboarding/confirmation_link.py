"""The link by which an applicant shows that mail to their address reaches them.

Its token names the onboarding, the version of its application and a time, and is sealed with a
secret over these and the address. So nothing secret is kept anywhere, a mail that is sent again is
the same mail, and the token reveals no address. It counts for nothing but what it was made for.
"""

import hashlib
import hmac
import json
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"([a-z2-7]{26})\.([1-9][0-9]{0,8})\.([1-9][0-9]{0,11})\.([a-z2-7]{52})")
TOKEN_PATTERN = f"^{_TOKEN.pattern}$"
"""What every token looks like, for the API's description."""


@dataclass(frozen=True)
class Link:
    """What a link is about: one version of an application, `until` seconds since 1970."""

    application_id: str
    version: int
    until: int


class LinkSeals:
    """Makes tokens with the first of `secrets`, and accepts those of any: they can be exchanged."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("links cannot be sealed without a secret")
        self._secrets = tuple(secret.encode() for secret in secrets)

    def token(self, link: Link, email: str) -> str:
        """The token of a link that goes to this address: always the same."""
        return f"{_told(link)}.{_seal(self._secrets[0], link, email)}"

    def accept(self, token: str, email: str) -> bool:
        """Whether a token was made by us, for this address."""
        link = link_of(token)
        if link is None:
            return False
        given = token.rpartition(".")[2]
        # Over all secrets, so that the time says nothing about which one fits.
        fits = [hmac.compare_digest(_seal(one, link, email), given) for one in self._secrets]
        return any(fits)


def link_of(token: str) -> Link | None:
    """What a token says that it is about; nothing is known yet of who made it."""
    parts = _TOKEN.fullmatch(token)
    return Link(parts[1], int(parts[2]), int(parts[3])) if parts else None


def _told(link: Link) -> str:
    return f"{link.application_id}.{link.version}.{link.until}"


def _seal(secret: bytes, link: Link, email: str) -> str:
    sealed = json.dumps(["confirmation", _told(link), email]).encode()
    digest = hmac.new(secret, sealed, hashlib.sha256).digest()
    # Letters and digits alone: what else ends a link, mail programs may cut off.
    return b32encode(digest).decode().lower().rstrip("=")
