from __future__ import annotations

import re

import pytest

from workflows.onboarding.confirmation_link import TOKEN_PATTERN, Link, LinkSeals, link_of

LINK = Link("mfzwi3lbmrzgk43tnfxw4z3pmy", 1, 1_893_456_000)
EMAIL = "ada@example.com"
SEALS = LinkSeals(["a secret"])
TOKEN = SEALS.token(LINK, EMAIL)


def test_a_mail_that_is_sent_again_has_the_same_link() -> None:
    assert LinkSeals(["a secret"]).token(LINK, EMAIL) == TOKEN
    assert link_of(TOKEN) == LINK
    assert re.fullmatch(TOKEN_PATTERN, TOKEN)


def test_a_link_tells_no_address_and_no_secret() -> None:
    assert not {"ada", "example", "secret"} & set(re.split(r"\W", TOKEN))
    assert re.fullmatch(r"[a-z0-9.]+", TOKEN), "mail programs cut links off at other characters"


@pytest.mark.parametrize(
    "other",
    [
        SEALS.token(Link("b" * 26, 1, LINK.until), EMAIL),
        SEALS.token(Link(LINK.application_id, 2, LINK.until), EMAIL),
        SEALS.token(Link(LINK.application_id, 1, LINK.until + 1), EMAIL),
        SEALS.token(LINK, "eve@example.com"),
        LinkSeals(["another secret"]).token(LINK, EMAIL),
    ],
)
def test_a_seal_counts_for_nothing_but_what_it_was_made_for(other: str) -> None:
    seal = other.rpartition(".")[2]
    moved = f"{TOKEN.rpartition('.')[0]}.{seal}"
    assert not SEALS.accept(moved, EMAIL)


def test_secrets_can_be_exchanged() -> None:
    fresh = LinkSeals(["a new secret", "a secret"])
    assert fresh.accept(TOKEN, EMAIL)
    assert fresh.token(LINK, EMAIL) != TOKEN
    assert SEALS.accept(fresh.token(LINK, EMAIL), EMAIL) is False
    assert not LinkSeals(["a new secret"]).accept(TOKEN, EMAIL)


@pytest.mark.parametrize("token", ["", "x", TOKEN.upper(), TOKEN + "a", TOKEN + "\n", f" {TOKEN}"])
def test_what_is_no_token_is_none(token: str) -> None:
    assert link_of(token) is None
    assert not SEALS.accept(token, EMAIL)


def test_without_a_secret_nothing_is_sealed() -> None:
    with pytest.raises(ValueError, match="secret"):
        LinkSeals([])
