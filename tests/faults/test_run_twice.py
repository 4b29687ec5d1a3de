"""Every effect has one outcome, however often, at once, and through whatever crash it is asked."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from tests.faults import (
    document_cases,
    life_cases,
    process_cases,
    provisioning_cases,
    review_cases,
    screening_cases,
)
from tests.faults.crashing import Died, dying, until_done
from tests.faults.intents import Bench, Intent
from tests.simulated import SimulatorHandle
from workflows.decisions import Notice
from workflows.onboarding.confirmation import SendConfirmation
from workflows.onboarding.documents import WriteAboutDocuments
from workflows.onboarding.life import AskForProof
from workflows.onboarding.messages import Reject, Welcome
from workflows.onboarding.review import RemindOfReview
from workflows.step import declaration_of

AT_MOST_TWO_AFTER_A_CRASH = {
    "confirmation.send",
    "documents.write",
    "notice.ask_for_proof",
    "notice.reject",
    "notice.welcome",
    "process.notify",
    "review.remind",
}
"""What SMTP cannot promise: a worker that dies between acceptance and note sends once more."""
ALWAYS_ONE_MORE = {"upkeep.find_lost_runs"}
"""What commits for each run that was lost, those of earlier rounds of this test as well."""

CASES = (
    process_cases.CASES
    | provisioning_cases.CASES
    | review_cases.CASES
    | screening_cases.CASES
    | document_cases.CASES
    | life_cases.CASES
)
EFFECTS = sorted(CASES)


async def test_every_registered_effect_has_its_case(bench: Bench) -> None:
    effects = {name for name, act in bench.registered.items() if declaration_of(act).kind != "read"}
    assert effects == set(CASES)


@pytest.mark.parametrize("name", EFFECTS)
async def test_asked_twice_it_happens_once(bench: Bench, name: str) -> None:
    intent = await CASES[name](bench)
    first = await bench.registered[name](intent.request)
    second = await bench.registered[name](intent.request)
    assert await intent.happened() == 1
    if intent.request.request_key:
        assert first == second


@pytest.mark.parametrize("name", EFFECTS)
async def test_asked_at_once_it_happens_once(bench: Bench, name: str) -> None:
    intent = await CASES[name](bench)

    async def patiently() -> Any:
        for _ in range(400):
            try:
                return await bench.registered[name](intent.request)
            except Exception as error:
                if type(error).__name__ not in ("InProgress", "Unanswered"):
                    raise
                await asyncio.sleep(0.02)
        raise AssertionError("it never got done")

    results = await asyncio.gather(*(patiently() for _ in range(8)))
    assert await intent.happened() == 1
    if intent.request.request_key:
        assert all(result == results[0] for result in results)


@pytest.mark.parametrize("name", EFFECTS)
async def test_through_a_crash_at_every_point_it_happens_once(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = 0
    for commit in range(1, 12):
        came_to_it = False
        for before in (True, False):
            intent = await CASES[name](bench)
            act = bench.registered[name]
            with dying(monkeypatch, commit=commit, before=before) as died:
                try:
                    await act(intent.request)
                except Died:
                    points += 1
            came_to_it = died()
            attempt = functools.partial(act, intent.request)
            first = await until_done(bench.house, attempt)
            again = await until_done(bench.house, attempt)
            happened = await intent.happened()
            where = f"died {'before' if before else 'after'} commit {commit}"
            if name in AT_MOST_TWO_AFTER_A_CRASH:
                assert 1 <= happened <= 2, where
                await _all_with_one_id(bench.house.outside, intent)
            else:
                assert happened == 1, where
            if intent.request.request_key:
                assert first == again, where
        if not came_to_it:
            break
    else:
        assert name in ALWAYS_ONE_MORE, "there are commits after the last one looked at"
    assert points >= 2, "a crash before and after at least one commit"


async def _all_with_one_id(outside: SimulatorHandle, intent: Intent) -> None:
    told = AskForProof | Reject | SendConfirmation | WriteAboutDocuments | Welcome
    if isinstance(intent.request, told):
        mails = await outside.messages(to=f"{intent.request.application_id}@example.com")
    elif isinstance(intent.request, RemindOfReview):
        mails = await outside.messages(subject=intent.request.review_id)
    else:
        assert isinstance(intent.request, Notice)
        mails = await outside.messages(subject=intent.request.step)
    assert len({mail.message_id for mail in mails}) == 1
    assert len({mail.text for mail in mails}) == 1, "the same mail, down to the link in it"
