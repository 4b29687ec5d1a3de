"""Whether an applicant is known already, and what reviewers make of it."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.once import Kept, Once
from database import duplicates
from database.onboardings import Application
from workflows.onboarding.duplicates import DuplicateSteps, Relate
from workflows.onboarding.policy import DuplicatesPolicy
from workflows.step import implements


class Acquaintances:
    """Knows applicants again, by hashes that only the holder of `key` can make."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    async def known(
        self, connection: AsyncConnection, application: Application, policy: DuplicatesPolicy
    ) -> bool:
        """Whether the applicant may have another application, or an account, of this tenant.

        Who is who is decided by the database, so that of two that come at the same time one is
        the later. An earlier case that came to nothing is noted, and tells nothing about this one.
        """
        traits = {
            trait: self._hash(application.tenant, trait, value)
            for trait, value in traits_of(application.form).items()
        }
        return await duplicates.find(
            connection, application, traits=traits, likeness=policy.likeness
        )

    def _hash(self, tenant: str, trait: str, value: str) -> str:
        told = f"{tenant}\n{trait}\n{value}".encode()
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()


def traits_of(form: Mapping[str, Any]) -> dict[str, str]:
    """What tells applicants apart, in one way of writing it. Any: whatever the form holds.

    Of an address what stands behind a plus is left out: mail to it reaches the same person. A name
    counts only with the date of birth: there are many of one name.
    """
    local, _, domain = form["email"].rpartition("@")
    traits = {"e_mail": f"{local.partition('+')[0] or local}@{domain}".casefold()}
    if born := form.get("date_of_birth"):
        traits["name_and_birth"] = f"{_plain(form['name'])}\n{born}"
    if tax_id := form.get("tax_id"):
        traits["tax_id"] = f"{tax_id['type']}\n{re.sub(r'[^0-9A-Z]', '', tax_id['value'].upper())}"
    return traits


def _plain(name: str) -> str:
    """A name without accents, case, punctuation and the order of its parts."""
    apart = unicodedata.normalize("NFKD", name).casefold()
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    return " ".join(sorted(re.findall(r"\w+", bare)))


class DuplicateActivities(DuplicateSteps):
    """How onboardings of one applicant are related."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._once = Once(engine)

    @implements(DuplicateSteps.relate)
    async def relate(self, request: Relate) -> None:
        """Keep what a reviewer found."""

        async def keep(connection: AsyncConnection) -> Kept:
            await duplicates.relate(
                connection, request.application_id, request.other, request.relation
            )
            return Kept()

        await self._once.ours(request, keep, Kept)
