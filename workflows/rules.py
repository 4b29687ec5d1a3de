"""Asking a decision table: what it is told, what it answers.

The tables are files in `rules/`. A process asks them in an activity and keeps the answers in its
history: which row decided, for which reason, in which version of the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field

from workflows.request_key import Message

Route = Literal["go_on", "review", "reject"]
"""What every row says besides its own outcomes.

go_on   nothing in this table stands in the way; the only one that approves
review  somebody has to look
reject  no
"""

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


class Facts(Message):
    """What a table is told. It is stored with the answer: derived facts, never personal data."""


class Ruling(Message):
    """What a table answered, and how it came to it.

    `version` is the hash of the table's content, `row` names the row that decided, `inputs_hash`
    is of the facts. Subclasses add the outcomes of their table.
    """

    table: str
    version: str
    row: str
    reason: str
    inputs_hash: str
    route: Route


AskedWith = TypeVar("AskedWith", bound=Facts)
Answered = TypeVar("Answered", bound=Ruling)


@dataclass(frozen=True)
class Question(Generic[AskedWith, Answered]):
    """A table that a process asks: its name, what it is told and what it answers.

    A table in `rules/` has the inputs and outcomes that are declared here, no more and no fewer.
    """

    table: str
    facts: type[AskedWith]
    answer: type[Answered]


RuleVersions = Mapping[str, str]
"""The version of each table, by its name: what a process takes up at its start and keeps."""
