"""What an operation of the API is, and what all lists have in common."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from simulators.stripe.account import Account, Call
from simulators.stripe.collection import Collection, Condition, Document, Place, encode
from simulators.stripe.errors import ParameterError, Refusal

Expand: TypeAlias = Callable[[Account, Document], Any]  # Any: whatever the field holds
MOST_IN_A_PAGE = 100
USUAL_IN_A_PAGE = 10
BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Operation:
    """One method and path. `run` answers a document, or the text of one put together already.

    A refusal that `run` answers is told after what it did was kept; one that it raises undoes it.

    `expandable` are the fields that appear only on demand; `not_simulated` the parameters that
    Stripe has and the simulator would have to ignore: it refuses them instead. Where those are the
    most, `taken` names the others. With `in_place` what is expanded stands where its id was, which
    the facts do not tell of: the answer is checked before.
    """

    method: str
    path: str
    run: Callable[[Account, Call], Document | str | Refusal]
    expandable: Mapping[str, Expand] = field(default_factory=dict)
    not_simulated: frozenset[str] = frozenset()
    taken: frozenset[str] | None = None
    in_place: bool = False

    def takes(self, parameter: str) -> bool:
        """Whether the simulator does something with a parameter that Stripe has."""
        return parameter not in self.not_simulated and (
            self.taken is None or parameter in self.taken
        )

    @property
    def name(self) -> str:
        """As the facts name it: `POST /v1/customers`."""
        return f"{self.method} {self.path}"


def check_expand(operation: Operation, wanted: Sequence[str]) -> None:
    """Raise ParameterError unless all that is wanted can be expanded here."""
    for path in wanted:
        if path.removeprefix("data.") not in operation.expandable:
            raise ParameterError(f"This property cannot be expanded ({path}).", param="expand")


def expanded(operation: Operation, account: Account, answer: str, wanted: Sequence[str]) -> str:
    """The answer with the fields that were asked for."""
    if not wanted:
        return answer
    document = json.loads(answer)
    for path in wanted:
        name = path.removeprefix("data.")
        for each in document["data"] if path != name else [document]:
            if not each.get("deleted"):
                each[name] = operation.expandable[name](account, each)
    return encode(document)


def page_size(call: Call) -> int:
    """The `limit` of a list."""
    limit: int = call.parameters.get("limit", USUAL_IN_A_PAGE)
    if not 1 <= limit <= MOST_IN_A_PAGE:
        raise ParameterError(
            f"limit must be between 1 and {MOST_IN_A_PAGE}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    return limit


def listed(
    collection: Collection,
    call: Call,
    *,
    name: str,
    url: str,
    conditions: Sequence[Condition] = (),
) -> str:
    """A page of a list, newest first, as the cursors and `created` of the call want it."""
    cursors = {"starting_after", "ending_before"} & call.parameters.keys()
    if len(cursors) > 1:
        raise ParameterError("starting_after and ending_before cannot be given together.")
    places = {cursor: _place(collection, call, cursor, name) for cursor in cursors}
    page = collection.page(
        [*conditions, *created_between(call.parameters.get("created"))],
        page_size(call),
        after=places.get("starting_after"),
        before=places.get("ending_before"),
    )
    return page.text(url)


def _place(collection: Collection, call: Call, cursor: str, name: str) -> Place:
    object_id = call.parameters[cursor] or ""
    place = collection.place(object_id)
    if place is None:
        raise ParameterError(
            f"No such {name}: '{object_id}'", code="resource_missing", param=cursor
        )
    return place


def created_between(created: int | Mapping[str, int] | None) -> list[Condition]:
    """The `created` filter: one second, or bounds."""
    if created is None:
        return []
    if isinstance(created, int):
        return [Condition("created = ?", (created,))]
    return [Condition(f"created {BOUNDS[bound]} ?", (at,)) for bound, at in created.items()]


def equal_to(call: Call, *names: str) -> list[Condition]:
    """Filters that ask for a column's exact value, as far as they were given."""
    return [
        Condition(f"{name} = ?", (call.parameters[name],))
        for name in names
        if name in call.parameters
    ]
