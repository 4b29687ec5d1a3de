"""Screening: whether anybody in an application is on a list. Counts and versions, never names."""

from abc import ABC, abstractmethod

from workflows.onboarding.messages import (
    ForApplication,
)
from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.rules import ScreeningStatus
from workflows.request_key import Message, Request
from workflows.step import step


class Screen(ForApplication):
    """Screen the applicant, each beneficial owner and the signatory."""

    policy: ScreeningPolicy


class Screened(Message):
    """What came of a screening. `hits` counts all, those that were found to be others included.

    `politically_exposed`: a party holds, or may hold, a public office, or is close to somebody who
    does; that alone leaves the status clear.
    """

    status: ScreeningStatus
    politically_exposed: bool
    hits: int
    list_version: str


class LookAtHits(Request):
    """Ask how the hits of the latest screening stand."""

    application_id: str


class HitsNow(Message):
    """What people made of the hits by now; as in `Screened`."""

    status: ScreeningStatus
    politically_exposed: bool


class HitJudged(Message):
    """A hint that a hit was judged. What came of it is looked up, not told."""

    event_id: str


class ScreeningSteps(ABC):
    """Who may not be, or not easily be, a customer."""

    @step("remote", "screening.screen", "Screen the parties against lists")
    @abstractmethod
    async def screen(self, request: Screen) -> Screened:
        """Ask the list about every party, and keep each hit until somebody has judged it."""

    @step("read", "screening.look", "Look what people made of the hits", near=True)
    @abstractmethod
    async def look_at_hits(self, request: LookAtHits) -> HitsNow:
        """Say how the hits stand, without asking the list."""
