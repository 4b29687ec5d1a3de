"""Screening by yente: parties are described, and it answers with the entities that they may be.

    GET  catalog          {"datasets": [{"name", "version", "index_version"?}]}
    POST match/DATASET    {"queries": {"0": {"schema", "properties": {"name": […], …}}}}
                          {"responses": {"0": {"results": [{"id", "caption", "score", …}]}}}

The version is asked for before the match. Where the list is exchanged between the two, what was
found is told under the older version, and whoever looks for newer ones screens once more.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, ValidationError

from connectors.capabilities import Hit, ListVersion, Party, Screened
from connectors.errors import Refused
from connectors.http_api import HttpApi
from connectors.yente.errors import as_connector_error, bad_body

MOST_HITS = 50
"""For one party; somebody who is like more entries than this is looked at anyway."""
_VERSION_DIGITS = 12
_COUNTRIES = ("country", "nationality", "citizenship", "jurisdiction")

Shape = TypeVar("Shape", bound=BaseModel)
Texts = tuple[str, ...]


class _Entity(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    caption: str
    # Values of a property may be entities of their own: none of those that we read.
    properties: Mapping[str, tuple[object, ...]]
    datasets: Texts = ()
    score: Annotated[float, Field(ge=0, le=1)]

    def texts(self, *names: str) -> Texts:
        """The values of properties, each once, in order."""
        values = (value for name in names for value in self.properties.get(name, ()))
        return tuple(sorted({value for value in values if isinstance(value, str)}))


class _Matches(BaseModel):
    results: tuple[_Entity, ...]


class _Answer(BaseModel):
    responses: Mapping[str, _Matches]


class _Dataset(BaseModel):
    name: str
    version: str
    index_version: str | None = None


class _Catalog(BaseModel):
    datasets: tuple[_Dataset, ...]


class YenteScreening:
    """Screening, in one dataset of a yente; `dataset` is as `sanctions` or `default`."""

    def __init__(self, http: HttpApi, dataset: str) -> None:
        self._http = http
        self._dataset = dataset

    async def screen(self, parties: Sequence[Party], *, threshold: int) -> Screened:
        """The entities that are at least so much alike."""
        version = (await self.current()).version
        response = await self._asked(
            "POST",
            f"match/{quote(self._dataset, safe='')}",
            params={
                "threshold": threshold / 100,
                "cutoff": threshold / 100,
                "limit": MOST_HITS,
            },
            json={"queries": {str(at): _query(party) for at, party in enumerate(parties)}},
        )
        answers = _read(_Answer, response).responses
        if answers.keys() != {str(at) for at in range(len(parties))}:
            raise bad_body()  # whom it says nothing of is not cleared
        return Screened(
            list_version=version,
            hits=tuple(self._hits(answers[str(at)], threshold) for at in range(len(parties))),
        )

    async def current(self) -> ListVersion:
        """The dataset as it is indexed now."""
        catalog = _read(_Catalog, await self._asked("GET", "catalog"))
        for one in catalog.datasets:
            if one.name == self._dataset:
                return ListVersion(one.name, one.index_version or one.version, None)
        raise Refused("screening.dataset", "yente has no list of this name")

    def _hits(self, matches: _Matches, threshold: int) -> tuple[Hit, ...]:
        alike = [one for one in matches.results if one.score * 100 >= threshold]
        return tuple(
            Hit(
                list=self._dataset,
                entry=one.id,
                entry_version=_version(one),
                score=int(one.score * 100),
                name=one.caption,
                birth_dates=one.texts("birthDate"),
                countries=tuple(code.upper() for code in one.texts(*_COUNTRIES)),
                topics=one.texts("topics"),
            )
            for one in sorted(alike, key=lambda one: (-one.score, one.id))
        )

    async def _asked(self, method: str, path: str, **given: object) -> httpx.Response:
        response = await self._http.send(method, path, **given)
        if not response.is_success:
            raise as_connector_error(response)
        return response


def _query(party: Party) -> dict[str, object]:
    properties: dict[str, list[str]] = {"name": [party.name]}
    person = party.kind == "person"
    if party.country:
        properties["country" if person else "jurisdiction"] = [party.country.lower()]
    if person and party.born:
        properties["birthDate"] = [party.born.isoformat()]
    return {"schema": "Person" if person else "Company", "properties": properties}


def _version(entity: _Entity) -> str:
    """Of what a person would judge: not of dates at which nothing but the index changed."""
    told = {
        "names": entity.texts("name", "alias", "weakAlias"),
        "birth_dates": entity.texts("birthDate"),
        "countries": entity.texts(*_COUNTRIES),
        "topics": entity.texts("topics"),
        "datasets": sorted(entity.datasets),
    }
    content = json.dumps(told, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]


def _read(shape: type[Shape], response: httpx.Response) -> Shape:
    """An answer as we need it. Raises Unanswered where it is not of that shape."""
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        raise bad_body() from None
