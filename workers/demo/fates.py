"""Scenes in which people decide, or in which the applicant has to do more."""

from __future__ import annotations

import asyncio

from workers.demo.acting import Acting, id_of, until
from workers.demo.memory import (
    AGREED,
    APPEALED,
    CHANGED,
    CONFIRMED,
    HEARD,
    NAMESAKE,
    ON_THE_LIST,
    SAME_PERSON,
    UNREADABLE,
    WELCOME,
)
from workers.demo.outside import REMINDER
from workers.demo.reviewers import OpenHit, OpenReview
from workers.demo.show import Row
from workers.demo.watch import Derailed

_TRIES = 30
_BETWEEN_TRIES = 0.5


class Fates(Acting):
    """They disturb nobody: all can be played at the same time."""

    async def _listed(self) -> None:
        row = self._one("listed")
        with self._show.scene("listed") as scene:
            review = await self._until_reviewed(row)
            reviewers = self._callers.reviewers
            for hit in await self._until_hit(row):
                await reviewers.judge("reviewer", id_of(row), hit, "confirmed", CONFIRMED)
            refused = await reviewers.approve("senior_reviewer_two", review, "looks fine to me")
            self.memory.refused["listed"] = [refused]
            self._accepted(
                await reviewers.reject(
                    "senior_reviewer", review, "not_accepted", ON_THE_LIST.reason
                )
            )
            await self._until_end(row)
            scene.told = "confirmed, turned down, the list untold"

    async def _namesake(self) -> None:
        row = self._one("namesake")
        with self._show.scene("namesake") as scene:
            review = await self._until_reviewed(row)
            reviewers = self._callers.reviewers
            first, second = AGREED
            refused = [await reviewers.approve("senior_reviewer", review, first.reason)]
            for hit in await self._until_hit(row):
                await reviewers.judge("reviewer", id_of(row), hit, "false_positive", NAMESAKE)
            self._accepted(await reviewers.approve("senior_reviewer", review, first.reason))
            refused.append(await reviewers.approve("senior_reviewer", review, "agreed once more"))
            self.memory.refused["namesake"] = refused
            self._accepted(await reviewers.approve("senior_reviewer_two", review, second.reason))
            await self._deliver(row)
            await self._until_end(row)
            scene.told = "another person, accepted by two"

    async def _vip(self) -> None:
        row = self._one("vip")
        with self._show.scene("vip") as scene:
            review = await self._until_reviewed(row)
            reviewers = self._callers.reviewers
            refused = await reviewers.approve("senior_reviewer", review, "my own customer")
            self.memory.refused["vip"] = [refused]
            self._accepted(await reviewers.approve("senior_reviewer_two", review, WELCOME.reason))
            await self._until_end(row)
            scene.told = "the manager refused, another agreed"

    async def _duplicate(self) -> None:
        row = self._one("duplicate")
        with self._show.scene("duplicate") as scene:
            await self._sign_up(row)
            await self._confirm(row)
            review = await self._until_reviewed(row)
            reviewers = self._callers.reviewers
            first = id_of(self._one("straight"))
            if first not in await reviewers.duplicates(review):
                raise Derailed("nobody noticed that the same person applied before")
            self._accepted(await reviewers.merge("reviewer", review, first, SAME_PERSON.reason))
            await self._until_end(row)
            scene.told = "merged into the first onboarding"

    async def _reminded(self) -> None:
        row = self._one("reminded")
        with self._show.scene("reminded") as scene:
            # Who they are is asked for still, and stays so: what they turn over is decided anew.
            await self._until_asked(row)
            await self._callers.change(id_of(row), {"monthly_volume": 9_000}, CHANGED.reason)
            await self._prove_identity(row)
            await self._until_documents_asked(row)
            email = row.applicant.application.email
            await until(
                lambda: self._outside.letters(to=email, subject=REMINDER), "nobody was reminded"
            )
            # One is refused while the other is still missing: nobody has to hurry.
            await self._deliver(row, only=1)
            reviewers = self._callers.reviewers
            there = await until(lambda: reviewers.delivered(id_of(row)), "nothing is stored")
            self._accepted(
                await reviewers.refuse("reviewer", there[0], "unreadable", UNREADABLE.reason)
            )
            all_missing = len(row.applicant.documents)
            await until(lambda: self._misses(row, all_missing), "it was not asked for again")
            await self._deliver(row, again=True)
            await self._until_end(row)
            scene.told = "changed, reminded, one refused, active"

    async def _expired(self) -> None:
        row = self._one("expired")
        with self._show.scene("expired") as scene:
            await self._prove_identity(row)
            await self._until_documents_asked(row)
            await self._until_end(row)
            scene.told = "asked, reminded twice, expired"

    async def _appeal(self) -> None:
        lost, won = self._all("appeal")
        with self._show.scene("appeal") as scene:
            await self._fail_identity(lost)
            await self._until_end(lost)
            appeal = await self._callers.appeal(id_of(lost), APPEALED.reason)
            self._watch.follow(won, appeal.id)
            await self._confirm(won)
            review = await self._until_reviewed(won)
            self._accepted(
                await self._callers.reviewers.approve("senior_reviewer", review, HEARD.reason)
            )
            await self._until_end(won)
            scene.told = "rejected, heard anew, active"

    # What only these scenes need

    async def _misses(self, row: Row, documents: int) -> bool:
        """Whether so many documents of an applicant are missing."""
        return len(await self._callers.missing(id_of(row))) == documents

    async def _until_reviewed(self, row: Row) -> OpenReview:
        """An applicant proves who they are; the review that this leads to."""
        await self._prove_identity(row)
        await self._watch.until(row, lambda row: row.stage == "reviewing", "under review")
        reviewers = self._callers.reviewers
        return await until(lambda: reviewers.review_of(id_of(row)), "no review is in the queue")

    async def _until_hit(self, row: Row) -> list[OpenHit]:
        """The hits that wait for somebody."""
        return await until(lambda: self._callers.reviewers.hits(id_of(row)), "nothing was a hit")

    async def _fail_identity(self, row: Row) -> None:
        """An applicant tries to prove who they are as often as they may."""
        await self._until_asked(row)
        for _ in range(_TRIES):
            if row.stage not in ("verifying_email", "verifying_identity"):
                return
            # Tries that come faster than they are read would count as one.
            await self._outside.fail_identity(id_of(row))
            await asyncio.sleep(_BETWEEN_TRIES)

    def _accepted(self, refused: str | None) -> None:
        if refused is not None:
            raise Derailed(f"the gateway refused a decision: {refused}")
