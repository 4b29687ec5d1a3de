"""Onboardings that may be of one applicant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from database.onboardings import Application
from workflows.onboarding.messages import CAME_TO_NOTHING

_FORGET = text("""
    DELETE FROM known_applicants
    WHERE onboarding = :onboarding
      AND NOT (trait, hash) IN (
          SELECT * FROM unnest(CAST(:traits AS text[]), CAST(:hashes AS text[]))
      )
""")
# Whoever comes second waits here for the first, and is told of it. All ask in the same order.
_CLAIM = text("""
    INSERT INTO known_applicants AS known (tenant, trait, hash, onboarding)
    SELECT :tenant, trait, hash, :onboarding
    FROM unnest(CAST(:traits AS text[]), CAST(:hashes AS text[])) AS asked (trait, hash)
    ORDER BY trait
    ON CONFLICT (tenant, trait, hash) DO UPDATE SET onboarding = known.onboarding
    RETURNING trait, hash, onboarding
""")
# Of those who were told apart from a case that came to nothing, the first stands in its place.
_HEIR = text("""
    SELECT d.onboarding FROM duplicates d JOIN onboardings o ON o.id = d.onboarding
    WHERE d.other = :holder AND :trait = ANY(d.alike) AND d.onboarding <> :onboarding
      AND o.stage <> ALL(CAST(:nothing AS text[]))
    ORDER BY d.found_at LIMIT 1
""")
_LIVES = text("""
    SELECT 1 FROM onboardings WHERE id = :onboarding AND stage <> ALL(CAST(:nothing AS text[]))
""")
_PASS_ON = text("""
    UPDATE known_applicants SET onboarding = :onboarding, since = clock_timestamp()
    WHERE tenant = :tenant AND trait = :trait AND hash = :hash
""")
_LIKENESS = text("SELECT set_config('pg_trgm.similarity_threshold', :likeness, true)")
# Two who were born on different days, or have different tax ids, are not one. Who has yet to be
# looked at themselves is later: they will find this one. Two with nothing but a name in common, in
# the same instant, do not find each other.
_NAMED_ALIKE = text("""
    SELECT DISTINCT a.id
    FROM applications a JOIN onboardings o ON o.id = a.id
    WHERE lower(a.form ->> 'name') % lower(:name)
      AND a.tenant = :tenant AND a.id <> :onboarding
      AND o.stage <> ALL(CAST(:nothing AS text[]))
      AND (o.stage NOT IN ('received', 'validating')
           OR EXISTS (SELECT 1 FROM known_applicants k WHERE k.onboarding = a.id)
           OR EXISTS (SELECT 1 FROM duplicates d WHERE d.onboarding = a.id))
      AND a.form ->> 'kind' = :kind AND a.form ->> 'country' = :country
      AND coalesce(a.form ->> 'date_of_birth' = CAST(:born AS text), true)
      AND coalesce(a.form #>> '{tax_id,value}' = CAST(:tax_id AS text), true)
      AND NOT EXISTS (
          SELECT 1 FROM applications later WHERE later.id = a.id AND later.version > a.version
      )
    LIMIT 20
""")
_NOTE = text("""
    INSERT INTO duplicates AS known (onboarding, other, alike)
    VALUES (:onboarding, :other, :alike)
    ON CONFLICT (onboarding, other) DO UPDATE SET alike = EXCLUDED.alike
    RETURNING relation
""")
_EARLIER = text("UPDATE onboardings SET earlier_case = :earlier WHERE id = :onboarding")
_RELATE = text("""
    UPDATE duplicates d SET relation = :relation FROM onboardings o
    WHERE d.onboarding = :onboarding AND d.other = :other AND o.id = d.onboarding
    RETURNING o.workflow_id
""")
_MERGE = text("UPDATE onboardings SET merged_into = :other WHERE id = :onboarding")
_OF = text("""
    SELECT d.other, d.alike, d.found_at, d.relation, o.stage
    FROM duplicates d JOIN onboardings o ON o.id = d.other
    WHERE d.onboarding = :onboarding
    ORDER BY d.found_at, d.other
""")
_NOTHING = sorted(CAME_TO_NOTHING)


@dataclass
class _Found:
    """Which live onboardings are alike, in what; and a case that came to nothing."""

    alike: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    earlier: str | None = None


async def find(
    connection: AsyncConnection,
    application: Application,
    *,
    traits: Mapping[str, str],
    likeness: float,
) -> bool:
    """Note who else may be this applicant; whether nobody has said yet how they are related.

    `traits` are hashes: the first onboarding that has one keeps it for as long as it lives.
    `likeness` is that of two names, from 0 to 1.
    """
    found = _Found()
    await _claim(connection, application, traits, found)
    for other in await _named_alike(connection, application, likeness):
        found.alike[other].append("name")
    unrelated = False
    for other, alike in sorted(found.alike.items()):
        note = {"onboarding": application.id, "other": other, "alike": alike}
        unrelated |= await connection.scalar(_NOTE, note) is None
    if found.earlier not in (None, application.appeal_of):
        earlier = {"onboarding": application.id, "earlier": found.earlier}
        await connection.execute(_EARLIER, earlier)
    return unrelated


async def _claim(
    connection: AsyncConnection, application: Application, traits: Mapping[str, str], found: _Found
) -> None:
    asked = {
        "tenant": application.tenant,
        "onboarding": application.id,
        "traits": list(traits),
        "hashes": list(traits.values()),
    }
    if application.version > 1:
        mine = {name: asked[name] for name in ("onboarding", "traits", "hashes")}
        await connection.execute(_FORGET, mine)
    for row in (await connection.execute(_CLAIM, asked)).all():
        if row.onboarding == application.id:
            continue
        holder = await _live(connection, row.onboarding, row.trait, application.id)
        if holder is not None:
            found.alike[holder].append(row.trait)
        else:
            found.earlier = row.onboarding
        if holder != row.onboarding:
            passed = {
                "tenant": application.tenant,
                "trait": row.trait,
                "hash": row.hash,
                "onboarding": holder or application.id,
            }
            await connection.execute(_PASS_ON, passed)


async def _live(
    connection: AsyncConnection, holder: str, trait: str, onboarding: str
) -> str | None:
    """Who has a trait by now: its holder, or whoever stands in its place; None where nobody."""
    lives = {"onboarding": holder, "nothing": _NOTHING}
    if await connection.scalar(_LIVES, lives) is not None:
        return holder
    asked = {"holder": holder, "trait": trait, "onboarding": onboarding, "nothing": _NOTHING}
    heir = await connection.scalar(_HEIR, asked)
    return None if heir is None else str(heir)


async def _named_alike(
    connection: AsyncConnection, application: Application, likeness: float
) -> Sequence[str]:
    form = application.form
    await connection.execute(_LIKENESS, {"likeness": str(likeness)})
    asked = {
        "name": form["name"],
        "tenant": application.tenant,
        "onboarding": application.id,
        "nothing": _NOTHING,
        "kind": form["kind"],
        "country": form["country"],
        "born": form.get("date_of_birth"),
        "tax_id": (form.get("tax_id") or {}).get("value"),
    }
    return sorted(await connection.scalars(_NAMED_ALIKE, asked))


async def relate(
    connection: AsyncConnection,
    onboarding: str,
    other: str,
    relation: Literal["merge", "link"],
) -> None:
    """Keep how two onboardings are related, where they were found to be alike."""
    related = {"onboarding": onboarding, "other": other}
    process = await connection.scalar(_RELATE, {**related, "relation": relation})
    if process is None:
        return
    details = {"relation": relation, "other": other}
    await record(connection, "duplicates.related", "process", workflow_id=process, details=details)
    if relation == "merge":
        await connection.execute(_MERGE, related)


async def of_onboarding(connection: AsyncConnection, onboarding: str) -> Sequence[RowMapping]:
    """Onboardings that may be of the same applicant: other, alike, found_at, relation, stage."""
    return (await connection.execute(_OF, {"onboarding": onboarding})).mappings().all()
