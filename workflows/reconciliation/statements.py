"""What is told of statement files: the answers of `/v1/statements`."""

from datetime import date, datetime
from typing import Literal

from workflows.onboarding.application import Answer

FileState = Literal["received", "read", "refused"]
StatementState = Literal[
    "counts", "unknown_account", "again", "interim", "contradicted", "superseded", "withdrawn"
]
"""What became of a statement.

counts           its entries came in
unknown_account  nobody said that its bank account is one of ours, or the account waits for its
                 opening: it waits too
again            it counts already, by another file
interim          it is not final: its entries come again on a statement, whatever is beside it
contradicted     another one of this name counts, with other content: somebody has to find out, and
                 withdraws the wrong one
superseded       it does not add up, and another one of this name does: that one counts
withdrawn        somebody said that it is wrong: it is no evidence
"""


class TakenStatement(Answer):
    """A statement of a file. `account` is whose it is; amounts are minor units of `currency`.

    `number` is what it is withdrawn by; `same_as` is the number of the one that it is the same as,
    contradicts or gave way to, which is in the file `same_as_file`.
    """

    number: int
    account: str | None
    bank_account: str
    currency: str
    statement_id: str
    sequence: int | None
    format: str
    opening_on: date | None
    opening_minor: int | None
    closing_on: date | None
    closing_minor: int | None
    entries: int
    proof: Literal["proven", "unproven", "unprovable"]
    difference_minor: int | None
    state: StatementState
    same_as: int | None
    same_as_file: str | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_for: str | None


class StatementFile(Answer):
    """A file that was sent. Of a refused one nothing counts; `error` and `position` say why.

    `received_by` is who sent it; empty where that was another tenant than who looks.
    """

    id: str
    state: FileState
    sha256: str
    size: int
    bank_account: str | None
    error: str | None
    detail: str | None
    position: str | None
    received_by: str | None
    received_at: datetime
    read_at: datetime | None
    statements: list[TakenStatement]


class StatementFiles(Answer):
    """Files, the latest first; `next` is the cursor of the page after, empty at the end."""

    items: list[StatementFile]
    next: str | None
