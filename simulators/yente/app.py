"""yente over HTTP: `/match/{dataset}`, `/catalog`, and the control API."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import front
from simulators.controls import Control, read
from simulators.storage import Storage
from simulators.yente.entities import Entities, Entity
from simulators.yente.matching import SCHEMATA, score

DATASETS = ("default", "sanctions", "peps")
"""Names that it answers to; each has all there is."""
MOST_QUERIES = 100
_SEEN = "2026-01-01T00:00:00"


class _Example(BaseModel):
    schema_: str = Field(alias="schema")
    properties: dict[str, str | list[Any]]  # Any: as yente takes it

    def as_entity(self) -> Entity:
        """The example with lists throughout."""
        properties = {
            name: [value] if isinstance(value, str) else value
            for name, value in self.properties.items()
        }
        return {"schema": self.schema_, "properties": properties}


class _Queries(BaseModel):
    queries: dict[str, _Example]


class _Entity(Control):
    """An entity that a test wants there."""

    id: str
    schema_: str = Field(alias="schema")
    caption: str
    properties: dict[str, list[str]]
    datasets: tuple[str, ...] = ("invented",)


class _Asked(BaseModel):
    """What a match is asked for besides."""

    threshold: float = 0.7
    cutoff: float = 0.7
    limit: int = Field(default=5, le=500)


def application(storage: Storage, key: str) -> Starlette:
    """The API as the storage left it; `key` is the one API key accepted."""
    entities = Entities(storage)
    routes = [_match(entities), _catalog(entities)]

    async def put(request: Request) -> Response:
        entity = await read(request, _Entity)
        entities.put(entity.model_dump(by_alias=True))
        return JSONResponse({"version": entities.version()})

    return front.application(
        "yente",
        Starlette(routes=routes),
        paths=front.templates(routes),
        token=key,
        refusal=_refusal,
        storage=storage,
        forget=entities.begin_anew,
        scheme="apikey",
        controls=[Route("/_simulator/entities", put, methods=["POST"])],
    )


def _match(entities: Entities) -> Route:
    async def match(request: Request) -> Response:
        if request.path_params["dataset"] not in DATASETS:
            return _error(404, "No such dataset.")
        try:
            queries = _Queries.model_validate_json(await request.body()).queries
            asked = _Asked.model_validate(dict(request.query_params))
        except ValidationError as error:
            wrong = [{"loc": part["loc"], "msg": part["msg"]} for part in error.errors()]
            return JSONResponse({"detail": wrong}, 422)
        if not queries or len(queries) > MOST_QUERIES:
            return _error(400, "No queries provided, or too many in one batch.")
        for query in queries.values():
            if query.schema_ not in SCHEMATA:
                return _error(400, f"Cannot parse example entity: {query.schema_}")
        found = {
            name: _answer(entities.all(), query.as_entity(), asked)
            for name, query in queries.items()
        }
        return JSONResponse({"responses": found, "matcher": {}, "limit": asked.limit})

    return Route("/match/{dataset}", match, methods=["POST"])


def _answer(entities: list[Entity], query: Entity, asked: _Asked) -> dict[str, Any]:
    scored = sorted(((score(query, one), one["id"], one) for one in entities), reverse=True)
    cutoff = min(asked.cutoff, asked.threshold)
    results = [
        {
            **entity,
            "referents": [],
            "target": True,
            "first_seen": _SEEN,
            "last_seen": _SEEN,
            "last_change": _SEEN,
            "score": alike,
            "features": {},
            "match": alike >= asked.threshold,
        }
        for alike, _, entity in scored
        if alike >= cutoff
    ]
    total = {"value": len(results), "relation": "eq"}
    return {"status": 200, "results": results[: asked.limit], "total": total, "query": query}


def _catalog(entities: Entities) -> Route:
    async def catalog(_: Request) -> Response:
        version = entities.version()
        datasets = [
            {
                "name": name,
                "title": name.capitalize(),
                "load": True,
                "version": version,
                "index_version": version,
                "index_current": True,
                "children": [],
            }
            for name in DATASETS
        ]
        told = {"datasets": datasets, "current": list(DATASETS), "outdated": []}
        return JSONResponse({**told, "index_stale": False})

    return Route("/catalog", catalog, methods=["GET"])


def _error(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def _refusal(status: int) -> Response:
    return _error(status, HTTPStatus(status).phrase)
