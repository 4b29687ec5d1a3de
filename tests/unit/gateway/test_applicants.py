"""A token is for one applicant, until a time, and nobody else can make one."""

from __future__ import annotations

import time

import pytest

from gateway.applicants import About, ApplicantTokens
from gateway.callers import Callers
from gateway.problems import Problem
from workflows.onboarding.confirmation_link import Link, LinkSeals

ID, OTHER = "a" * 26, "b" * 26
TOKENS = ApplicantTokens(["a secret", "the one before"])
ABOUT = About("acme", ID, int(time.time()) + 3600)


def test_an_applicant_is_recognised_by_a_token() -> None:
    caller = Callers([], TOKENS).recognise(f"Bearer {TOKENS.token(ABOUT)}")
    assert (caller.tenant, caller.onboarding) == ("acme", ID)
    assert caller.actor.roles == ("applicant",)
    assert TOKENS.token(ABOUT) == TOKENS.token(ABOUT)


def test_a_token_is_over_when_it_is_over() -> None:
    over = TOKENS.token(About("acme", ID, int(time.time()) - 1))
    with pytest.raises(Problem) as caught:
        Callers([], TOKENS).recognise(f"Bearer {over}")
    assert (caught.value.status_code, caught.value.code) == (401, "token-expired")


def test_secrets_can_be_exchanged() -> None:
    before = ApplicantTokens(["the one before"]).token(ABOUT)
    assert TOKENS.accept(before) == ABOUT
    assert ApplicantTokens(["another"]).accept(before) is None


@pytest.mark.parametrize(
    "change",
    [
        ("acme", "other"),
        (ID, OTHER),
        (str(ABOUT.until), str(ABOUT.until + 1)),
        ("apl.", ""),
    ],
)
def test_what_was_changed_counts_for_nothing(change: tuple[str, str]) -> None:
    token = TOKENS.token(ABOUT)
    assert TOKENS.accept(token.replace(*change)) is None
    assert TOKENS.accept(token + "a") is None
    with pytest.raises(Problem) as caught:
        Callers([], TOKENS).recognise(f"Bearer {token.replace(*change)}")
    assert caught.value.code == "not-recognised"


def test_a_link_that_confirms_an_address_is_no_token() -> None:
    link = LinkSeals(["a secret"]).token(Link(ID, 1, ABOUT.until), "ada@example.com")
    seal = link.rpartition(".")[2]
    assert TOKENS.accept(f"apl.acme.{ID}.{ABOUT.until}.{seal}") is None


def test_without_a_secret_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="secret"):
        ApplicantTokens([])
