"""The bank over HTTP: transfers come in, statements go out; and the control API."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.bank.bank import Bank, Contradiction, Format, NoAccount, Transfer
from simulators.bank.faults import BankFaultPlan
from simulators.bank.money import IBAN
from simulators.controls import Control, fault_routes, read, refuse

_IBAN = Field(pattern=IBAN)
_CURRENCY = Field(pattern=r"^[A-Z]{3}$")


class _Transfer(BaseModel):
    """What whoever pays says; the amount in minor units, negative where it is to be taken."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=255)
    iban: str = _IBAN
    amount: int
    currency: str = _CURRENCY
    arrival_date: date
    descriptor: str = Field(max_length=140)
    trace_id: str | None = Field(default=None, max_length=35)


class _Account(Control):
    """An account with what is on it."""

    iban: str = _IBAN
    currency: str = _CURRENCY
    balance: int = 0


class _Entry(Control):
    """Something that has nothing to do with what was announced."""

    iban: str = _IBAN
    amount: int
    description: str = Field(max_length=140)
    trace_id: str | None = Field(default=None, max_length=35)


class _Until(Control):
    """Until which day, that one included."""

    until: date


class _Format(Control):
    """In which format statements are written from now on."""

    format: Format


def application(bank: Bank) -> Starlette:
    """The application; whoever serves it also runs the bank's `run`."""

    async def take(request: Request) -> Response:
        body = _Transfer.model_validate_json(await request.body())
        bank.take(Transfer(**body.model_dump()))
        return JSONResponse(body.model_dump(mode="json"), 201)

    async def give_back(request: Request) -> Response:
        return JSONResponse({"state": bank.give_back(request.path_params["transfer"])})

    async def statements(_: Request) -> Response:
        return JSONResponse({"statements": bank.handed_over()})

    async def statement(request: Request) -> Response:
        content = bank.file(request.path_params["name"])
        return Response(content, media_type="application/octet-stream")

    return Starlette(
        routes=[
            Route("/transfers", take, methods=["POST"]),
            Route("/transfers/{transfer}/return", give_back, methods=["POST"]),
            Route("/statements", statements, methods=["GET"]),
            Route("/statements/{name}", statement, methods=["GET"]),
            *_controls(bank),
        ],
        exception_handlers={
            ValidationError: refuse,
            Contradiction: _contradiction,
            NoAccount: _not_found,
        },
    )


def _controls(bank: Bank) -> list[Route]:
    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "closed_until": bank.closed_until.isoformat()})

    async def open_account(request: Request) -> Response:
        wanted = await read(request, _Account)
        bank.open_account(wanted.iban, wanted.currency, wanted.balance)
        return JSONResponse({})

    async def add(request: Request) -> Response:
        wanted = await read(request, _Entry)
        bank.add(wanted.iban, wanted.amount, wanted.description, wanted.trace_id)
        return JSONResponse({})

    async def close(request: Request) -> Response:
        wanted = await read(request, _Until)
        return JSONResponse({"statements": bank.close_days(wanted.until)})

    async def release(_: Request) -> Response:
        return JSONResponse({"statements": bank.release()})

    async def write_as(request: Request) -> Response:
        bank.format = (await read(request, _Format)).format
        return JSONResponse({})

    async def reset(_: Request) -> Response:
        bank.begin_anew()
        bank.faults.clear()
        return JSONResponse({})

    return [
        Route("/_simulator/health", health, methods=["GET"]),
        Route("/_simulator/accounts", open_account, methods=["POST"]),
        Route("/_simulator/entries", add, methods=["POST"]),
        Route("/_simulator/days/close", close, methods=["POST"]),
        Route("/_simulator/statements/release", release, methods=["POST"]),
        Route("/_simulator/format", write_as, methods=["POST"]),
        Route("/_simulator/reset", reset, methods=["POST"]),
        *fault_routes(bank.faults, BankFaultPlan),
    ]


def _contradiction(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 409)


def _not_found(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404)
