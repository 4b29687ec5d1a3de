from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workers import keys, settings
from workers.settings import SettingsWrong
from workflows.onboarding.confirmation_link import Link

pytestmark = pytest.mark.usefixtures("clone")


def test_workers_know_the_gateways_key_by_the_name_it_signs_with() -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    publics = [_text(key.public_key().public_bytes_raw()) for key in (new, old)]
    found = settings.load(
        actor_signing_key=_text(new.private_bytes_raw()), actor_public_keys=" ".join(publics)
    )
    name, key = keys.signing_key(found)
    keys.public_keys(found)[name].verify(key.sign(b"decision"), b"decision")
    assert len(keys.public_keys(found)) == 2


def test_a_key_that_is_none_is_refused_without_showing_it() -> None:
    found = settings.load(actor_signing_key="bm8=", actor_public_keys="bm8=")
    with pytest.raises(SettingsWrong, match="PERDURE_ACTOR_SIGNING_KEY is no Ed25519"):
        keys.signing_key(found)
    with pytest.raises(SettingsWrong, match="PERDURE_ACTOR_PUBLIC_KEYS holds something"):
        keys.public_keys(found)


def test_links_are_sealed_with_long_secrets_and_any_of_them_counts() -> None:
    old, new = "o" * 32, "n" * 32
    link = Link("a" * 26, 1, 4_000_000_000)
    token = keys.link_seals(settings.load(confirmation_secrets=old)).token(link, "ada@example.com")
    both = keys.link_seals(settings.load(confirmation_secrets=f"{new} {old}"))
    assert both.accept(token, "ada@example.com")
    assert both.token(link, "ada@example.com") != token
    for wrong in ("", "short", f"{new} short"):
        with pytest.raises(SettingsWrong, match="PERDURE_CONFIRMATION_SECRETS") as caught:
            keys.link_seals(settings.load(confirmation_secrets=wrong))
        assert "short" not in str(caught.value).replace("shorter", "")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
