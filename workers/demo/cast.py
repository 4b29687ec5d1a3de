"""Who plays: invented applicants, and what is to become of each."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from workflows.onboarding.application import Application, Owner, Signatory, TaxNumber
from workflows.onboarding.rules import DocumentKind

Scene = Literal[
    "threefold",
    "straight",
    "webhooks",
    "listed",
    "namesake",
    "vip",
    "duplicate",
    "reminded",
    "expired",
    "appeal",
    "withdrawal",
    "conflict",
    "crm_outage",
    "killed",
    "outage",
    "opened",
    "first_day",
    "second_day",
    "third_day",
    "week_end",
]

End = Literal["active", "rejected", "withdrawn", "expired", "aborted"]

TITLES: dict[Scene, str] = {
    "threefold": "One signup, sent three times at once",
    "straight": "Straight through",
    "webhooks": "Webhooks three times, the last one first",
    "listed": "An owner on a sanctions list",
    "namesake": "A namesake of theirs: two people agree",
    "vip": "A VIP, not approved by their own manager",
    "duplicate": "The same person under another address",
    "reminded": "Changed midway; a document refused",
    "expired": "Documents that never come",
    "appeal": "Rejected, appealed against, and won",
    "withdrawal": "Withdrawn in the middle of provisioning",
    "conflict": "Somebody else's user in the directory",
    "crm_outage": "HubSpot down, until an operator retries",
    "killed": "A worker killed in the middle",
    "outage": "Stripe down, until an operator gives up",
    "opened": "Books are opened, under four eyes",
    "first_day": "Monday: customers pay",
    "second_day": "Tuesday: errors, and a late statement",
    "third_day": "Wednesday: more, and a killed worker",
    "week_end": "Thursday, Friday: payouts at the bank",
}
"""The scenes, in the order in which they are played."""

SECOND_ACT: tuple[Scene, ...] = ("opened", "first_day", "second_day", "third_day", "week_end")
"""Those in which what customers pay is compared in three books."""

OF_A_COMPANY: tuple[DocumentKind, ...] = ("register_extract", "ownership_statement")
"""What the rules ask of every company."""

OF_HIGH_RISK: tuple[DocumentKind, ...] = ("proof_of_address", "source_of_funds")
"""What they ask of a person of high risk."""

LISTED = "Jörn Testfalk"
"""Somebody on the list that comes with us; nobody of that name lives."""

MANAGER = "laptop-senior-reviewer"
"""Whom Sales named as the VIP's account manager: the name of an API key."""

_INITIALS = "ABCDEFGHKLMNPRSTUVWZ"
_OLDEST = date(1950, 1, 1)
_DAYS = 18_000
_NOBODY = "Ada Beispiel"
"""Who owns and signs for the companies in which that is of no interest."""


@dataclass(frozen=True)
class Applicant:
    """Somebody who signs up. `key` is unique in the cast; `look` says what to see in the Web UI.

    `documents` is what is asked of them on the way, `reviewed` that people look at them. Whoever
    `appeals` is the applicant with that key once more, in an onboarding of its own.
    """

    key: str
    scene: Scene
    application: Application
    end: End
    look: str
    documents: tuple[DocumentKind, ...] = ()
    reviewed: bool = False
    appeals: str | None = None

    @property
    def number(self) -> int:
        """The scene's, as people count them."""
        return list(TITLES).index(self.scene) + 1

    @property
    def name(self) -> str:
        """As the applicant writes it, and whether it is about their appeal."""
        return f"{self.application.name}{', appeal' if self.appeals else ''}"


@dataclass(frozen=True)
class Run:
    """One performance. Its id is in every key and address: a stack may see many performances.

    Dates of birth and tax ids are of this run, too: nobody is a duplicate of an earlier cast.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(3))

    def key(self, applicant: Applicant) -> str:
        """The Idempotency-Key of an applicant's signup."""
        return f"demo-{self.id}-{applicant.key}"

    def cast(self) -> tuple[Applicant, ...]:
        """Everybody, with addresses of this run."""
        return (*self._easily(), *self._by_people(), *self._in_trouble())

    def _easily(self) -> tuple[Applicant, ...]:
        """Those about whom the rules decide, while nothing fails but the mail carrier."""
        return (
            self._company(
                *("beispiel", "Beispiel Werke GmbH", "DE", "EUR", "eu_vat", "threefold"),
                look="one run, though three requests asked for it",
            ),
            self._person(
                *("zofie", "Žofie Nováková", "AT", "EUR", "straight"),
                look="three systems at the same time, each step once",
            ),
            self._person(
                *("oksana", "Оксана Гончар", "PL", "PLN", "webhooks"),
                look="signals in the wrong order; read_session found the truth",
            ),
            self._person(
                *("soren", "Søren Ålund", "DK", "DKK", "webhooks"),
                look="three webhooks, one signal",
            ),
        )

    def _by_people(self) -> tuple[Applicant, ...]:
        """Those about whom people decide, or who have to do more themselves."""
        kontor = self._company(
            *("kontor", "Kontor Falkensee KG", "DE", "EUR", "eu_vat", "listed"),
            look="screening found a hit; the update “reject”, and the letter",
            owner=Signatory(
                name=LISTED.replace(" ", f" {self._initial('first')}. {self._initial('second')}. "),
                country="DE",
                date_of_birth=self._born_in_1969("kontor"),
            ),
        )
        namesake = self._person(
            *("namesake", self._namesake(), "DE", "EUR", "namesake"),
            look="two updates “approve”, by two people",
            born=self._born_in_1969("namesake"),
        )
        ines = self._person(
            *("ines", "Inês Carvalhal", "PT", "EUR", "vip"),
            look="the update “approve”, not by whom Sales named",
            monthly_volume=25_000,
            account_manager=MANAGER,
        )
        again = self._person(
            *("again", "Novakova, Zofie", "AT", "EUR", "duplicate"),
            look="the update “merge”: the first one goes on",
            born=self._born("zofie"),
        )
        kranich = self._company(
            *("kranich", "Brauhaus Kranich eG", "DE", "EUR", "eu_vat", "reminded"),
            look="two letters about documents, then the documents",
        )
        tramonti = self._company(
            *("tramonti", "Tramonti Olio Srl", "IT", "EUR", "eu_vat", "expired"),
            look="two reminders, then the timer that ended it",
        )
        amelie = self._person(
            *("amelie", "Amélie Roux", "FR", "EUR", "appeal"),
            look="five tries, all failed, and the letter",
        )
        return (
            replace(kontor, end="rejected", reviewed=True, documents=()),
            replace(namesake, reviewed=True, documents=OF_HIGH_RISK),
            replace(ines, reviewed=True),
            replace(again, end="rejected", reviewed=True),
            kranich,
            replace(tramonti, end="expired"),
            replace(amelie, end="rejected"),
            replace(
                amelie,
                key="appeal",
                reviewed=True,
                appeals="amelie",
                look="an onboarding of its own, and a senior reviewer’s “approve”",
            ),
        )

    def _in_trouble(self) -> tuple[Applicant, ...]:
        """Those for whom something outside fails."""
        maple = self._company(
            *("maple", "Maple & Ash Ltd", "GB", "GBP", "gb_vat", "withdrawal"),
            look="withdraw, then everything undone in all three systems, the last first",
        )
        nuria = self._person(
            *("nuria", "Núria Puigdevall", "ES", "EUR", "outage"),
            look="the failed step with Stripe's 503, the update “resolve”, and all undone",
        )
        return (
            replace(maple, end="withdrawn"),
            self._person(
                *("eleni", "Ελένη Παππά", "CH", "CHF", "conflict"),
                look="create_user refused, resolved, and asked again as a new generation",
            ),
            self._company(
                *("hayabusa", "隼電機合同会社", "US", "USD", "us_ein", "crm_outage"),
                look="customer and user made, while the contact failed with HubSpot's 503",
            ),
            self._company(
                *("przedza", "Łódzka Przędza", "PL", "PLN", "eu_vat", "killed"),
                look="create_tax_id: begun by one worker, finished by another",
            ),
            replace(nuria, end="aborted"),
        )

    def _person(
        self,
        key: str,
        name: str,
        country: str,
        currency: str,
        scene: Scene,
        *,
        look: str,
        born: date | None = None,
        monthly_volume: int | None = None,
        account_manager: str | None = None,
    ) -> Applicant:
        application = Application(
            kind="person",
            name=name,
            email=f"{key}.{self.id}@example.com",
            country=country,
            currency=currency,
            date_of_birth=born or self._born(key),
            monthly_volume=monthly_volume,
            account_manager=account_manager,
        )
        return Applicant(key, scene, application, "active", look)

    def _company(
        self,
        key: str,
        name: str,
        country: str,
        currency: str,
        tax_id: str,
        scene: Scene,
        *,
        look: str,
        owner: Signatory | None = None,
    ) -> Applicant:
        signatory = Signatory(name=_NOBODY, country=country, date_of_birth=self._born(key))
        application = Application(
            kind="company",
            name=name,
            email=f"{key}.{self.id}@example.org",
            country=country,
            currency=currency,
            tax_id=TaxNumber(type=tax_id, value=self._tax_id(key, tax_id, country)),
            owners=(Owner(**dict(owner or signatory), share_percent=60),),
            signatory=signatory,
        )
        return Applicant(key, scene, application, "active", look, OF_A_COMPANY)

    def _namesake(self) -> str:
        """Somebody whose name is much like that of whom the list has."""
        return f"Jorn {self._initial('namesake')}. Testfalck"

    def _initial(self, whose: str) -> str:
        """A letter that sets a name apart from earlier runs, verdicts on whom are remembered."""
        return _INITIALS[self._number(whose) % len(_INITIALS)]

    def _born_in_1969(self, key: str) -> date:
        """All that the list says of the birth of whom it has is this year."""
        return date(1969, 1, 1) + timedelta(days=self._number(key) % 365)

    def _born(self, key: str) -> date:
        return _OLDEST + timedelta(days=self._number(key) % _DAYS)

    def _tax_id(self, key: str, type_: str, country: str) -> str:
        digits = f"{self._number(key):012d}"
        if type_ == "us_ein":
            return f"{digits[:2]}-{digits[2:9]}"
        return f"{country}{digits[: 10 if country == 'PL' else 9]}"

    def _number(self, key: str) -> int:
        """A number of twelve digits at most, of this applicant in this run."""
        digest = hashlib.sha256(f"{self.id} {key}".encode()).digest()
        return int.from_bytes(digest[:8]) % 10**12
