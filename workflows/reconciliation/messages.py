"""What a reconciliation is told, tells and asks for: ids, counts and hashes, never rows."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workflows.actor import Decision
from workflows.policy import Budgets
from workflows.reconciliation.books import Book, BreakClass, Status
from workflows.request_key import Message, Request

TASK_QUEUE = "reconciliation"

Stage = Literal[
    "received",
    "gathering",
    "matching",
    "proving",
    "certifying",
    "posting",
    "balanced",
    "breaks",
    "incomplete",
    "proof_failed",
    "withdrawn",
    "aborted",
]

STOPPED = ("withdrawn", "aborted")
"""The ends without a certificate. What such a run matched stands: the next goes on from there."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"gathering", *STOPPED}),
    # Where nothing has changed since an earlier run of the day, its certificate stands.
    "gathering": frozenset({"matching", "posting", "incomplete", "proof_failed", *STOPPED}),
    "matching": frozenset({"proving", *STOPPED}),
    "proving": frozenset({"certifying", *STOPPED}),
    # What is certified stands: from here on a run can be superseded, not taken back.
    "certifying": frozenset({"posting", "incomplete", "proof_failed"}),
    "posting": frozenset({"balanced", "breaks"}),
    "balanced": frozenset(),
    "breaks": frozenset(),
    "incomplete": frozenset(),
    "proof_failed": frozenset(),
    "withdrawn": frozenset(),
    "aborted": frozenset(),
}
"""Which stage may follow which. What nothing follows is an end."""

ENDS = frozenset(stage for stage, following in TRANSITIONS.items() if not following)

END_OF: Mapping[Status, Stage] = {
    "BALANCED": "balanced",
    "BREAKS": "breaks",
    "INCOMPLETE": "incomplete",
    "PROOF_FAILED": "proof_failed",
}
"""How a run ends that came out so."""

AccountName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


def workflow_id(account: str, day: date, ordinal: int) -> str:
    """The id of the process that reconciles an account for a day, for the so-manieth time."""
    return f"reconciliation/{account}/{day.isoformat()}/{ordinal}"


SHADOW_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"gathering", *STOPPED}),
    "gathering": frozenset({"proving", *STOPPED}),
    "proving": frozenset({"balanced", "breaks", "incomplete", "proof_failed", *STOPPED}),
    **{end: frozenset() for end in ENDS},
}
"""The same of a shadow, which stops after the proof."""


def shadow_id(account: str, day: date, name: str) -> str:
    """The id of the process that tries out how a day would come out; `name` tells them apart."""
    return f"reconciliation-shadow/{account}/{day.isoformat()}/{name}"


def range_id(account: str, first: date, last: date) -> str:
    """The id of the process that reconciles the days of a range in their order."""
    return f"reconciliation-range/{account}/{first.isoformat()}/{last.isoformat()}"


class Run(Message):
    """Which run it is: the input of its process, and what each of its steps is about."""

    account: AccountName
    day: date
    ordinal: int = Field(ge=1)

    @property
    def workflow_id(self) -> str:
        """The id of the run's process."""
        return workflow_id(self.account, self.day, self.ordinal)


def is_reconciliation(process: str) -> bool:
    """Whether the process of this id reconciles an account for a day."""
    parts = process.split("/")
    return len(parts) == 4 and parts[0] == "reconciliation"


def account_of_process(process: str) -> str | None:
    """The account that a process reconciles, or tries a day of out; None of other processes."""
    parts = process.split("/")
    ours = len(parts) == 4 and parts[0] in ("reconciliation", "reconciliation-shadow")
    return parts[1] if ours else None


def run_of(process: str) -> Run:
    """The run that a process reconciles. Raises ValueError for the id of another process."""
    if not is_reconciliation(process):
        raise ValueError(f"{process} reconciles no account")
    _, account, day, ordinal = process.split("/")
    return Run(account=account, day=date.fromisoformat(day), ordinal=int(ordinal))


class RunState(BaseModel):
    """Where a run stands: what later steps rest on."""

    run: Run
    cut_id: int | None = None
    status: Status | None = None
    certificate_id: str | None = None


class ForRun(Request):
    """A step of a run."""

    run: Run


class RecordStage(ForRun):
    """The stage that a run has come to."""

    stage: Stage


class TakenUp(Message):
    """What holds for a run from its start to its end: time budgets, the version of the rules."""

    budgets: Budgets
    rules_version: str
    tenant: str


class Gathered(Message):
    """What a source had: items that are new, that changed, that were there already.

    `bad_rows` counts what could not be read, `problems` names what makes the books incomplete.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bad_rows: int = 0
    problems: tuple[str, ...] = ()


class Cut(Message):
    """The fixed set of inputs of a run, and how many items each book has in it.

    Where an earlier run of the day had the same, it is that one's: `certificate_id` and `status`
    are what came of it.
    """

    cut_id: int
    inputs_hash: str
    items: Mapping[Book, int] = Field(default_factory=dict)
    certificate_id: str | None = None
    status: Status | None = None


class OfCut(ForRun):
    """A step of a run that has its inputs."""

    cut_id: int


class Matched(Message):
    """How many matches each rule made, what is open and why, and which breaks explained themselves.

    `breaks` counts the open ones by class, `timing` what is only on its way.
    """

    matches: Mapping[str, int] = Field(default_factory=dict)
    breaks: Mapping[BreakClass, int] = Field(default_factory=dict)
    timing: int = 0
    closed: int = 0


class Proven(Message):
    """How the bridge came out. `missing` names the controls that make it incomplete."""

    status: Status
    result_hash: str
    missing: tuple[str, ...] = ()


class Shadowed(Proven):
    """How a day would come out: breaks by class, and how many items would be matched."""

    breaks: Mapping[BreakClass, int] = Field(default_factory=dict)
    matched: int = 0


class Certify(OfCut):
    """What is certified: the result of the proof that this run saw."""

    status: Status
    result_hash: str


class Certified(Message):
    """The certificate of the run."""

    certificate_id: str


class Post(OfCut):
    """What follows from evidence that a certificate stands for."""

    certificate_id: str


class Posted(Message):
    """How many entries were made in the journal."""

    entries: int = 0


class Tell(OfCut):
    """What finance is told at the end of a run."""

    certificate_id: str
    status: Status


class Withdrawal(Decision):
    """The run is to be taken back: possible until it is certified."""


class Night(Message):
    """The input of a night: it begins after the account `after`, for what was over at `at`.

    Without `at` it is the time at which Temporal should have started it.
    """

    at: datetime | None = None
    after: str | None = None
    started: int = 0
    busy: int = 0


class Started(Message):
    """What a night started, and how many accounts have a run that is open still."""

    accounts: int
    busy: int


class Days(Message):
    """The input of a range: days of one account, reconciled in their order.

    `ended` counts how those came out that are over.
    """

    account: AccountName
    first: date
    last: date
    ended: Mapping[str, int] = Field(default_factory=dict)


class OpenNight(Request):
    """Open what is due of at most `limit` accounts, by their names after `after`."""

    at: datetime
    after: str | None
    limit: int


class OpenedNight(Message):
    """Runs of accounts that one day is due of, ranges of others; `busy` have a run that is open.

    `next` is the account after which the next part of the night begins; None at the end.
    """

    runs: tuple[Run, ...] = ()
    ranges: tuple[Days, ...] = ()
    busy: int = 0
    next: str | None = None


class OpenDay(Request):
    """Open a run of one day of a range."""

    account: str
    day: date


class Opened(Message):
    """The run that was opened, or the id of the one that is open still.

    Neither, where the account waits for its opening.
    """

    run: Run | None = None
    busy: str | None = None
