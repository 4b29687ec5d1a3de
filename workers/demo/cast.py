"""Who plays: invented applicants, and what is to become of each."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from workflows.onboarding.application import Application, Owner, Signatory, TaxNumber
from workflows.onboarding.rules import DocumentKind

Scene = Literal[
    "threefold", "straight", "webhooks", "withdrawal", "conflict", "crm_outage", "killed", "outage"
]

End = Literal["active", "withdrawn"]

TITLES: dict[Scene, str] = {
    "threefold": "One signup, sent three times at once",
    "straight": "Straight through",
    "webhooks": "Webhooks three times, the last one first",
    "withdrawal": "Withdrawn in the middle of provisioning",
    "conflict": "Somebody else's user in the directory",
    "crm_outage": "HubSpot down, until an operator retries",
    "killed": "A worker killed in the middle",
    "outage": "Stripe down, until an operator retries",
}
"""The scenes, in the order in which they are played."""

OF_A_COMPANY: tuple[DocumentKind, ...] = ("register_extract", "ownership_statement")
"""What the rules ask of every company."""

_OLDEST = date(1950, 1, 1)
_DAYS = 18_000
_NOBODY = "Ada Beispiel"
"""Who owns and signs for the companies in which that is of no interest."""


@dataclass(frozen=True)
class Applicant:
    """Somebody who signs up. `key` is unique in the cast; `look` says what to see in the Web UI.

    `documents` is what is asked of them on the way.
    """

    key: str
    scene: Scene
    application: Application
    end: End
    look: str
    documents: tuple[DocumentKind, ...] = ()

    @property
    def number(self) -> int:
        """The scene's, as people count them."""
        return list(TITLES).index(self.scene) + 1

    @property
    def name(self) -> str:
        """As the applicant writes it."""
        return self.application.name


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
        return (
            self._company(
                "beispiel",
                "Beispiel Werke GmbH",
                "DE",
                "EUR",
                "eu_vat",
                "threefold",
                "one run, though three requests asked for it",
            ),
            self._person(
                "zofie",
                "Žofie Nováková",
                "AT",
                "EUR",
                "straight",
                "three systems at the same time, each step once",
            ),
            self._person(
                "oksana",
                "Оксана Гончар",
                "PL",
                "PLN",
                "webhooks",
                "signals in the wrong order; read_session found the truth",
            ),
            self._person(
                "soren", "Søren Ålund", "DK", "DKK", "webhooks", "three webhooks, one signal"
            ),
            self._company(
                "maple",
                "Maple & Ash Ltd",
                "GB",
                "GBP",
                "gb_vat",
                "withdrawal",
                "withdraw, then everything undone in all three systems, the last first",
                end="withdrawn",
            ),
            self._person(
                "eleni",
                "Ελένη Παππά",
                "CH",
                "CHF",
                "conflict",
                "create_user refused, resolved, and asked again as a new generation",
            ),
            self._company(
                "hayabusa",
                "隼電機合同会社",
                "US",
                "USD",
                "us_ein",
                "crm_outage",
                "customer and user made, while the contact failed with HubSpot's 503",
            ),
            self._company(
                "przedza",
                "Łódzka Przędza",
                "PL",
                "PLN",
                "eu_vat",
                "killed",
                "create_tax_id: begun by one worker, finished by another",
            ),
            self._person(
                "nuria",
                "Núria Puigdevall",
                "ES",
                "EUR",
                "outage",
                "the failed step with Stripe's 503, then the update “resolve”",
            ),
        )

    def _person(
        self, key: str, name: str, country: str, currency: str, scene: Scene, look: str
    ) -> Applicant:
        application = Application(
            kind="person",
            name=name,
            email=f"{key}.{self.id}@example.com",
            country=country,
            currency=currency,
            date_of_birth=self._born(key),
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
        look: str,
        end: End = "active",
    ) -> Applicant:
        signatory = Signatory(name=_NOBODY, country=country, date_of_birth=self._born(key))
        application = Application(
            kind="company",
            name=name,
            email=f"{key}.{self.id}@example.org",
            country=country,
            currency=currency,
            tax_id=TaxNumber(type=tax_id, value=self._tax_id(key, tax_id, country)),
            owners=(Owner(**dict(signatory), share_percent=60),),
            signatory=signatory,
        )
        return Applicant(key, scene, application, end, look, OF_A_COMPANY)

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
