"""The control API of the money: what customers, banks and Stripe itself do to the account."""

from collections.abc import Callable

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.controls import Control, read
from simulators.stripe.collection import Document, encode
from simulators.stripe.money import balance, disputes, payouts, refunds, schedule, seeding
from simulators.stripe.money.balance import Movement
from simulators.stripe.money.fees import Fee
from simulators.stripe.simulator import Simulator
from simulators.world.planting import plant
from simulators.world.shape import Shape


class Complaint(Control):
    """What a customer disputes: a charge, or a part of it, and why."""

    charge_id: str
    amount: int | None = None
    reason: str = "fraudulent"


class Verdict(Control):
    """How a dispute ends."""

    outcome: disputes.Outcome


class Failure(Control):
    """Why a payout failed."""

    code: str = "account_closed"
    message: str = "The bank account has been closed."


class Booking(Control):
    """A movement that Stripe makes of its own accord: its fees, reserves, corrections.

    Minor units; positive is more for the account. `fee` is taken besides.
    """

    type: str
    reporting_category: str
    amount: int
    currency: str = "eur"
    fee: int = 0
    description: str | None = None
    source: str | None = None


class WorldOrder(Control):
    """A world to put there: its shape, and the names or numbers of what to plant in it."""

    shape: Shape = Shape()
    discrepancies: list[str] = Field(default_factory=list)


class MoneyControl:
    """The endpoints; see each for what it does."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account = simulator.account

    def routes(self) -> list[Route]:
        """All routes of the money's control API."""
        post = ["POST"]
        return [
            Route("/_simulator/balance_transactions", self.book, methods=post),
            Route("/_simulator/disputes", self.dispute, methods=post),
            Route("/_simulator/disputes/{dispute}/end", self.end_dispute, methods=post),
            Route("/_simulator/payout_schedule", self.schedule, methods=["GET"]),
            Route("/_simulator/payout_schedule", self.change_schedule, methods=post),
            Route("/_simulator/payouts/{payout}/fail", self.fail_payout, methods=post),
            Route("/_simulator/refunds/{refund}/fail", self.fail_refund, methods=post),
            Route("/_simulator/world", self.load_world, methods=post),
        ]

    async def book(self, request: Request) -> Response:
        """Have Stripe book something of its own."""
        wanted = await read(request, Booking)
        fees = [Fee(wanted.fee, "stripe_fee", "Fee")] if wanted.fee else []
        movement = Movement(**wanted.model_dump(exclude={"fee"}), fees=fees)
        return self._done("balance_transaction", lambda: balance.book(self._account, movement))

    async def dispute(self, request: Request) -> Response:
        """Act as a customer's bank: take a payment back."""
        wanted = (await read(request, Complaint)).model_dump()
        return self._done("dispute", lambda: disputes.begin(self._account, **wanted))

    async def end_dispute(self, request: Request) -> Response:
        """Decide a dispute."""
        outcome = (await read(request, Verdict)).outcome
        dispute = request.path_params["dispute"]
        return self._done("dispute", lambda: disputes.end(self._account, dispute, outcome))

    async def fail_payout(self, request: Request) -> Response:
        """Act as our bank: give a payout back, perhaps long after it was paid."""
        why = (await read(request, Failure)).model_dump()
        payout = request.path_params["payout"]
        return self._done("payout", lambda: payouts.fail(self._account, payout, **why))

    async def fail_refund(self, request: Request) -> Response:
        """Act as a customer's bank that does not take a refund."""
        refund = request.path_params["refund"]
        return self._done("refund", lambda: refunds.fail(self._account, refund))

    async def schedule(self, _: Request) -> Response:
        """When the account is paid."""
        return JSONResponse(schedule.current(self._account).model_dump(mode="json"))

    async def change_schedule(self, request: Request) -> Response:
        """Change when the account is paid from now on; what is not named stays."""
        wanted = await read(request, schedule.Change)
        schedule.change(self._account, wanted)
        return await self.schedule(request)

    async def load_world(self, request: Request) -> Response:
        """Put a generated world there; how many balance transactions it has."""
        wanted = await read(request, WorldOrder)
        world = plant(wanted.shape, wanted.discrepancies)
        return JSONResponse({"balance_transactions": await seeding.load(self._account, world)})

    def _done(self, name: str, act: Callable[[], Document]) -> Response:
        """What an act led to, committed if the field facts allow it."""
        self._simulator.catch_up()
        with self._simulator.storage.transaction():
            document = act()
            self._account.conformance.check(name, encode(document))
        self._simulator.sender.wake()
        return JSONResponse(document)
