"""Who plays: invented applicants, and what is to become of each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal

from workflows.onboarding.application import Application, TaxNumber

Scene = Literal[
    "threefold", "straight", "webhooks", "withdrawal", "conflict", "crm_outage", "killed", "outage"
]

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


@dataclass(frozen=True)
class Applicant:
    """Somebody who signs up. `key` is unique in the cast; `look` says what to see in the Web UI."""

    key: str
    scene: Scene
    application: Application
    end: Literal["active", "withdrawn"]
    look: str

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
    """One performance. Its id is in every key and address: a stack may see many performances."""

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
                TaxNumber(type="eu_vat", value="DE123456789"),
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
                TaxNumber(type="gb_vat", value="GB123456789"),
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
                TaxNumber(type="us_ein", value="12-3456789"),
                "crm_outage",
                "customer and user made, while the contact failed with HubSpot's 503",
            ),
            self._company(
                "przedza",
                "Łódzka Przędza",
                "PL",
                "PLN",
                TaxNumber(type="eu_vat", value="PL1234567890"),
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
        )
        return Applicant(key, scene, application, "active", look)

    def _company(
        self,
        key: str,
        name: str,
        country: str,
        currency: str,
        tax_id: TaxNumber,
        scene: Scene,
        look: str,
        end: Literal["active", "withdrawn"] = "active",
    ) -> Applicant:
        application = Application(
            kind="company",
            name=name,
            email=f"{key}.{self.id}@example.org",
            country=country,
            currency=currency,
            tax_id=tax_id,
        )
        return Applicant(key, scene, application, end, look)
