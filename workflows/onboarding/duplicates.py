"""Onboardings that may be of one applicant: what reviewers say of them, and what is done then.

merge  it is the same applicant: the other one goes on, this one is turned down
link   both go on, and everybody who looks at one finds the other
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import Field

from workflows.onboarding.messages import ForApplication
from workflows.onboarding.review import AboutReview, Rejection
from workflows.onboarding.rules import AdverseAction
from workflows.step import step

OnboardingId = Annotated[str, Field(pattern=r"^[a-z2-7]{26}$")]


class Merge(Rejection):
    """It is the same applicant as `other`, which goes on in place of this one."""

    other: OnboardingId
    codes: Annotated[tuple[AdverseAction, ...], Field(min_length=1, max_length=4)] = (
        "known_already",
    )


class Link(AboutReview):
    """It has to do with `other`, and is decided on its own."""

    other: OnboardingId


class Relate(ForApplication):
    """How an onboarding is related to another one."""

    other: str
    relation: Literal["merge", "link"]


class DuplicateSteps(ABC):
    """What is done about duplicates."""

    @step("local", "duplicates.relate", "Keep how two onboardings are related")
    @abstractmethod
    async def relate(self, request: Relate) -> None:
        """Keep how two onboardings are related."""
