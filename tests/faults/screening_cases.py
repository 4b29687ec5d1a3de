"""Cases of what screenings keep."""

from __future__ import annotations

from datetime import timedelta

from tests.faults.intents import Bench, Case, Intent, into, named
from tests.house import TENANT
from workflows.onboarding.messages import (
    workflow_id,
)
from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.screening import Screen, ScreeningSteps

CASES: dict[str, Case] = {}
case = into(CASES)

POLICY = ScreeningPolicy(threshold=85, false_positives_hold=timedelta(days=365))


@case(ScreeningSteps.screen)
async def _(bench: Bench) -> Intent:
    application = await bench.house.apply(kind="person", name="Vasko Drenov", country="BG")
    key = named(ScreeningSteps.screen, workflow_id(TENANT, application))
    request = Screen(request_key=key, application_id=application, policy=POLICY)
    return Intent(
        request, lambda: bench.count("screening_hits WHERE application_id = :id", id=application)
    )
