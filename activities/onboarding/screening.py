"""Whether anybody in an application is on a list, asked of whoever keeps it."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.once import Once
from connectors.capabilities import Hit, Party, Screening
from connectors.names import comparable
from database import onboardings, screening
from database.connection import statement
from database.screening import PUBLIC_OFFICE, FoundHit, Judged
from workflows.onboarding.rules import ScreeningStatus
from workflows.onboarding.screening import (
    HitsNow,
    LookAtHits,
    Screen,
    Screened,
    ScreeningSteps,
)
from workflows.step import implements


class ScreeningActivities(ScreeningSteps):
    """Screenings. `party_key` is what parties are hashed with, so that they are known again."""

    def __init__(self, engine: AsyncEngine, lists: Screening, *, party_key: str) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._lists = lists
        self._party_key = party_key.encode()

    @implements(ScreeningSteps.screen)
    async def screen(self, request: Screen) -> Screened:
        """Ask about every party at once, then keep the hits and the answer in one transaction.

        Asking leaves nothing outside, so that an attempt that dies before may simply ask again.
        """
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
        parties = list(parties_of(application.form))
        answer = await self._lists.screen(
            [party for _, party in parties], threshold=request.policy.threshold
        )
        found = [
            (hit, self._found(application.id, who, party, hit))
            for (who, party), hits in zip(parties, answer.hits, strict=True)
            for hit in hits
        ]

        async def keep(connection: AsyncConnection) -> Screened:
            verdicts = await screening.keep(
                connection,
                [one for _, one in found],
                request_key=request.request_key,
                application_id=application.id,
                version=application.version,
                list_version=answer.list_version,
                holds_for=request.policy.false_positives_hold,
            )
            judged = list(zip((hit.topics for hit, _ in found), verdicts, strict=True))
            return Screened(
                status=status_of(judged),
                politically_exposed=is_exposed(judged),
                hits=len(judged),
                list_version=answer.list_version,
            )

        return await self._once.ours(request, keep, Screened)

    @implements(ScreeningSteps.look_at_hits)
    async def look_at_hits(self, request: LookAtHits) -> HitsNow:
        """What people made of the hits of the latest screening."""
        async with statement(self._engine) as connection:
            judged = await screening.judged(connection, request.application_id)
        return HitsNow(status=status_of(judged), politically_exposed=is_exposed(judged))

    def _found(self, application: str, who: str, party: Party, hit: Hit) -> FoundHit:
        return FoundHit(
            party=who,
            party_hash=party_hash(self._party_key, party, within=application),
            list=hit.list,
            entry=hit.entry,
            entry_version=hit.entry_version,
            score=hit.score,
            listed={
                "name": hit.name,
                "birth_dates": hit.birth_dates,
                "countries": hit.countries,
                "topics": hit.topics,
            },
        )


def parties_of(form: dict[str, Any]) -> Iterator[tuple[str, Party]]:
    """Everybody whom a form names: the applicant, each beneficial owner, the signatory."""
    yield "applicant", _party(form["kind"], form)
    for number, owner in enumerate(form.get("owners") or (), start=1):
        yield f"owner-{number}", _party("person", owner)
    if signatory := form.get("signatory"):
        yield "signatory", _party("person", signatory)


def _party(kind: Any, told: dict[str, Any]) -> Party:
    born = told.get("date_of_birth")
    return Party(
        kind=kind,
        name=told["name"],
        country=told.get("country"),
        born=date.fromisoformat(born) if born else None,
    )


def party_hash(key: bytes, party: Party, *, within: str) -> str:
    """The same for the same name and date of birth; nobody without the key can tell whose.

    Of whom no date of birth is known, a name says too little: what was found out about them counts
    for the application `within` which they are named, and never for a namesake's.
    """
    name = comparable(party.name, company=party.kind == "company")
    born = party.born.isoformat() if party.born else f"of {within}"
    told = f"{party.kind}\n{name}\n{born}"
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()


def is_exposed(judged: Sequence[Judged]) -> bool:
    """Whether an entry is about public office, and nobody found that it is somebody else's."""
    return any(
        verdict != "false_positive" and not PUBLIC_OFFICE.isdisjoint(topics)
        for topics, verdict in judged
    )


def _is_sanctioned(topics: Sequence[str]) -> bool:
    """Whether an entry is about anything else than public office; unknown topics are."""
    return not topics or not PUBLIC_OFFICE.issuperset(topics)


def status_of(judged: Sequence[Judged]) -> ScreeningStatus:
    """The gravest of what hits say, those about public office alone left aside."""
    verdicts = {verdict for topics, verdict in judged if _is_sanctioned(topics)}
    if "confirmed" in verdicts:
        return "confirmed"
    if None in verdicts:
        return "possible"
    return "accepted" if verdicts else "clear"
