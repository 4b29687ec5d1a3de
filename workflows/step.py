"""How a step is declared: what must be done, told without how.

A class of steps is abstract. A workflow names its methods, the room of activities implements
them, so that the process knows what it wants and nothing of whom it gets it from:

    class BillingSteps(ABC):
        @step("remote", "billing.create_customer", "Create the customer in billing")
        @abstractmethod
        async def create_customer(self, request: CreateCustomer) -> Customer: ...
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

from temporalio import activity
from temporalio.common import RetryPolicy

from workflows.policy import Budget, Budgets
from workflows.request_key import Message, Request

Kind = Literal["read", "local", "remote", "bulk"]
"""What a step is, and with it how long it may take and what happens when it cannot be done.

read    asks and changes nothing: no request key, and a second run sees today's world
local   a short write in our own database: waits for it as long as it takes, and never parks for it
remote  an effect on somebody else's system, within a budget of time; then it parks
bulk    long work that tells how far it is and goes on from there
"""

OUR_OUTAGE = "OurOutage"
"""The failure type that says: our own database did not answer. No fault of the outside."""

AT_ONCE = timedelta(seconds=0.5)
_UNTIL_OURS_IS_BACK = RetryPolicy(
    initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=10)
)
_SHORT = {"start_to_close_timeout": timedelta(seconds=30)}
_UNTIL_SOMEBODY_ASKS_NEXT = {
    "start_to_close_timeout": timedelta(minutes=2),
    "schedule_to_close_timeout": timedelta(minutes=5),
}


def bulk_queue(task_queue: str) -> str:
    """Where long work of a process is done, so that it never keeps short steps waiting."""
    return f"{task_queue}-bulk"


class Undo(Request):
    """The input of a step that takes another one back: `of` is the request key of that one."""

    of: str


class Undone(Message):
    """That nothing is left of it. `existed` is False where there was nothing to take back."""

    existed: bool


@dataclass(frozen=True)
class Declaration:
    """What `@step` noted about a method."""

    kind: Kind
    name: str
    summary: str
    owner: str
    near: bool

    @property
    def keyed(self) -> bool:
        """Whether the step is an effect, with a request key."""
        return self.kind != "read"

    @property
    def at_once(self) -> dict[str, Any]:
        """Options of the first, local run of a near step."""
        return {
            "start_to_close_timeout": AT_ONCE,
            "retry_policy": RetryPolicy(maximum_attempts=1),
            "summary": self.summary,
        }

    @property
    def for_an_answer(self) -> dict[str, Any]:
        """Options of a local run that somebody waits for: a few tries, and they are answered."""
        return {
            "start_to_close_timeout": timedelta(seconds=5),
            "retry_policy": RetryPolicy(maximum_attempts=3),
            "summary": self.summary,
        }

    @property
    def alone(self) -> dict[str, Any]:
        """Options of a run outside a process, where nothing is budgeted by a policy, or parks.

        A local step waits for our database. Of any other, what is not done in time is left to
        whoever asks next.
        """
        limits = _SHORT if self.kind == "local" else _UNTIL_SOMEBODY_ASKS_NEXT
        return {
            **limits,
            "retry_policy": RetryPolicy(maximum_interval=timedelta(seconds=30)),
            "summary": self.summary,
        }

    def options(self, budgets: Budgets) -> dict[str, Any]:
        """Options of a regular run: near steps wait for our database, the others have a budget."""
        if self.kind == "local" or self.near:
            return {
                "start_to_close_timeout": timedelta(seconds=10),
                "retry_policy": _UNTIL_OURS_IS_BACK,
                "summary": self.summary,
            }
        budget: Budget = getattr(budgets, self.kind)
        return {
            "start_to_close_timeout": budget.one_try,
            "schedule_to_close_timeout": budget.all_tries,
            "heartbeat_timeout": budget.heartbeat,
            "retry_policy": RetryPolicy(
                initial_interval=budget.first_pause,
                maximum_interval=budget.longest_pause,
                non_retryable_error_types=[OUR_OUTAGE],
            ),
            "summary": self.summary,
        }


Steps = TypeVar("Steps")
Input = TypeVar("Input", bound=Request)
Output = TypeVar("Output")
Method = Callable[[Steps, Input], Awaitable[Output]]


def step(
    kind: Kind, name: str, summary: str, *, owner: str = "operator", near: bool = False
) -> Callable[[Method[Steps, Input, Output]], Method[Steps, Input, Output]]:
    """Declare an abstract method, or its implementation, to be the step `name`.

    `summary` is what people read beside it in the Web UI. `owner` is the role that must act when
    it parks. `near` says of a read that it only needs what is at hand; local steps always do.
    """

    def declare(method: Method[Steps, Input, Output]) -> Method[Steps, Input, Output]:
        declared = activity.defn(name=name)(method)
        declaration = Declaration(kind, name, summary, owner, near or kind == "local")
        setattr(declared, "__step__", declaration)  # noqa: B010 - an attribute of our own
        return declared

    return declare


def implements(
    declared: Method[Any, Input, Output],
) -> Callable[[Method[Steps, Input, Output]], Method[Steps, Input, Output]]:
    """Say of a method that it is the step `declared`: the same name, the same class."""
    declaration = declaration_of(declared)

    def mark(method: Method[Steps, Input, Output]) -> Method[Steps, Input, Output]:
        implementation = activity.defn(name=declaration.name)(method)
        setattr(implementation, "__step__", declaration)  # noqa: B010
        return implementation

    return mark


def implementations(*steps: object) -> list[Callable[..., Any]]:
    """The steps that these objects implement, as a worker registers them."""
    return [
        getattr(one, name)
        for one in steps
        for name in sorted(dir(one))
        if isinstance(getattr(getattr(one, name), "__step__", None), Declaration)
    ]


def declaration_of(method: Callable[..., Any]) -> Declaration:
    """What `@step` noted about `method`. Raises TypeError where it is not a step."""
    declared = getattr(method, "__step__", None)
    if not isinstance(declared, Declaration):
        raise TypeError(f"{method!r} is not a step: declare it with @step")
    return declared
