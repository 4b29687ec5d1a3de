"""What the control APIs of all simulators share: bodies, answers, and the routes of faults."""

from dataclasses import asdict
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.faults import Faults

Kind = TypeVar("Kind", bound=str)
Pattern = TypeVar("Pattern", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)


class Control(BaseModel):
    """The body of a control request: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class FaultPlan(Control, Generic[Kind, Pattern]):
    """A fault to come. Without `times` it stays until it is cleared."""

    kind: Kind
    match: Pattern
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)


async def read(request: Request, model: type[Body]) -> Body:
    """The body of a control request; an empty one has only defaults."""
    return model.model_validate_json(await request.body() or b"{}")


def refuse(_: Request, error: Exception) -> Response:
    """The answer to a control request that cannot be read."""
    assert isinstance(error, ValidationError)
    wrong = [f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()]
    return JSONResponse({"error": "; ".join(wrong)}, 422)


def fault_routes(faults: Faults, plan: type[FaultPlan[Kind, Pattern]]) -> list[Route]:
    """Add, list and clear the faults of one system."""

    async def add(request: Request) -> Response:
        wanted = await read(request, plan)
        match = wanted.match.model_dump(exclude_none=True)
        return JSONResponse(asdict(faults.add(wanted.kind, match, wanted.times, wanted.seconds)))

    async def listed(_: Request) -> Response:
        return JSONResponse({"faults": [asdict(fault) for fault in faults.waiting]})

    async def clear(request: Request) -> Response:
        return JSONResponse({"cleared": faults.clear(request.path_params.get("fault"))})

    return [
        Route("/_simulator/faults", add, methods=["POST"]),
        Route("/_simulator/faults", listed, methods=["GET"]),
        Route("/_simulator/faults", clear, methods=["DELETE"]),
        Route("/_simulator/faults/{fault}", clear, methods=["DELETE"]),
    ]
