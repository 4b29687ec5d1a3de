"""What is told of statement files: the answers of `/v1/statements`."""

from datetime import date, datetime
from typing import Literal

from workflows.onboarding.application import Answer

Rhythm = Literal["daily", "weekly", "monthly"]
"""How often a bank sends statements of an account: each day on which it works, or as it says."""

FileState = Literal["received", "read", "refused"]
StatementState = Literal[
    "counts", "unknown_account", "again", "interim", "contradicted", "superseded"
]
"""What became of a statement.

counts           its entries came in
unknown_account  nobody said that its bank account is one of ours, or the account waits for its
                 opening: it waits too
again            it counts already, by another file
interim          it is not final: its entries come again on a statement
contradicted     another one of this name counts, with other content: somebody has to find out
superseded       it does not add up, and another one of this name does: that one counts
"""


class TakenStatement(Answer):
    """A statement of a file. `account` is whose it is; amounts are minor units of `currency`."""

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


class StatementFile(Answer):
    """A file that was sent. Of a refused one nothing counts; `error` and `position` say why."""

    id: str
    state: FileState
    sha256: str
    size: int
    bank_account: str | None
    error: str | None
    detail: str | None
    position: str | None
    received_by: str
    received_at: datetime
    read_at: datetime | None
    statements: list[TakenStatement]


class StatementFiles(Answer):
    """Files, the latest first."""

    items: list[StatementFile]
