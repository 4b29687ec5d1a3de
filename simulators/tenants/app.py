"""The tenant API over HTTP, under `/v1`, and the control API."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import front
from simulators.storage import Storage
from simulators.tenants.entries import Entries, Kind, Taken

Handler = Callable[[Request], Awaitable[Response]]
Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    external_id: Text
    name: Text


class _User(_Group):
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]


_BODIES: dict[Kind, type[_Group]] = {"users": _User, "groups": _Group}


def application(storage: Storage, token: str) -> Starlette:
    """The API as the storage left it; `token` is the one bearer token accepted."""
    entries = Entries(storage)
    routes = [*_collection(entries, "users"), *_collection(entries, "groups"), *_one(entries)]
    return front.application(
        "tenants",
        Starlette(routes=routes),
        paths=front.templates(routes),
        token=token,
        refusal=_refusal,
        storage=storage,
        forget=entries.clear,
    )


def _collection(entries: Entries, kind: Kind) -> list[Route]:
    async def create(request: Request) -> Response:
        try:
            told = _BODIES[kind].model_validate_json(await request.body())
        except ValidationError as error:
            fields = sorted({str(part["loc"][0]) for part in error.errors() if part["loc"]})
            return _error(422, "invalid", f"These cannot be accepted: {', '.join(fields)}")
        try:
            return JSONResponse(entries.create(kind, told.model_dump()), 201)
        except Taken as taken:
            value = getattr(told, taken.field)
            return _error(409, f"{taken.field}_taken", f"There is one with {value} already.")

    async def listed(request: Request) -> Response:
        return JSONResponse(
            {"items": entries.listed(kind, request.query_params.get("external_id"))}
        )

    return [
        Route(f"/v1/{kind}", create, methods=["POST"]),
        Route(f"/v1/{kind}", listed, methods=["GET"]),
    ]


def _one(entries: Entries) -> list[Route]:
    async def read_user(request: Request) -> Response:
        found = entries.one("users", request.path_params["user"])
        return _done(False) if found is None else JSONResponse(found)

    async def delete_user(request: Request) -> Response:
        return _done(entries.delete_user(request.path_params["user"]))

    async def members(request: Request) -> Response:
        group = request.path_params["group"]
        if not entries.has("groups", group):
            return _done(False)
        return JSONResponse({"items": [{"id": user} for user in entries.members(group)]})

    async def member(request: Request) -> Response:
        group, user = request.path_params["group"], request.path_params["user"]
        return _done(user in entries.members(group))

    async def join(request: Request) -> Response:
        group, user = request.path_params["group"], request.path_params["user"]
        both = entries.has("groups", group) and entries.has("users", user)
        if both:
            entries.join(group, user)
        return _done(both)

    async def leave(request: Request) -> Response:
        group = request.path_params["group"]
        entries.leave(group, request.path_params["user"])
        return _done(entries.has("groups", group))

    return [
        Route("/v1/users/{user}", read_user, methods=["GET"]),
        Route("/v1/users/{user}", delete_user, methods=["DELETE"]),
        Route("/v1/groups/{group}/members", members, methods=["GET"]),
        Route("/v1/groups/{group}/members/{user}", member, methods=["GET"]),
        Route("/v1/groups/{group}/members/{user}", join, methods=["PUT"]),
        Route("/v1/groups/{group}/members/{user}", leave, methods=["DELETE"]),
    ]


def _done(there: bool) -> Response:
    return Response(status_code=204) if there else _error(404, "not_found", "There is none.")


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _refusal(status: int) -> Response:
    phrase = HTTPStatus(status).phrase
    return _error(status, phrase.lower().replace(" ", "_"), phrase)
