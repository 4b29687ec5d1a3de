"""What a reconciliation needs done. The room of activities says how."""

from abc import ABC, abstractmethod

from workflows.reconciliation.messages import (
    Certified,
    Certify,
    Cut,
    ForRun,
    Gathered,
    Matched,
    OfCut,
    OpenDay,
    Opened,
    OpenedNight,
    OpenNight,
    Post,
    Posted,
    Proven,
    RecordStage,
    Shadowed,
    TakenUp,
    Tell,
)
from workflows.step import step


class RunSteps(ABC):
    """What is kept of a run in our own database."""

    @step("local", "run.take_up", "Take up the run")
    @abstractmethod
    async def take_up(self, request: ForRun) -> TakenUp:
        """Take the run up under the rules of today."""

    @step("local", "run.record_stage", "Keep the stage")
    @abstractmethod
    async def record_stage(self, request: RecordStage) -> None:
        """Keep the stage where lists are made from."""


class OpeningSteps(ABC):
    """Who is given a run: one that is open at a time for each account."""

    @step("local", "opening.open_night", "Open what is due")
    @abstractmethod
    async def open_night(self, request: OpenNight) -> OpenedNight:
        """Open a run of each account for the day that was over, or the days since its last one."""

    @step("local", "opening.open_day", "Open the next day")
    @abstractmethod
    async def open_day(self, request: OpenDay) -> Opened:
        """Open a run of one account for one day, with an ordinal of its own."""


class GatherSteps(ABC):
    """Taking in what the three sources have. All of it can be done again: items have keys."""

    @step("bulk", "gather.processor", "Gather what the processor booked")
    @abstractmethod
    async def processor(self, request: ForRun) -> Gathered:
        """Take in balance transactions and payouts."""

    @step("bulk", "gather.statements", "Gather the bank's statements")
    @abstractmethod
    async def statements(self, request: ForRun) -> Gathered:
        """Take in the statements that came and were not read yet."""

    @step("bulk", "gather.journal", "Gather what we booked")
    @abstractmethod
    async def journal(self, request: ForRun) -> Gathered:
        """Take in the journal's lines."""


class MatchSteps(ABC):
    """Comparing the books."""

    @step("bulk", "cut.fix", "Fix the inputs")
    @abstractmethod
    async def fix(self, request: ForRun) -> Cut:
        """Fix the set of inputs of this run, and seal the journal up to it."""

    @step("bulk", "match.match", "Match the books, and classify what is left")
    @abstractmethod
    async def match(self, request: OfCut) -> Matched:
        """Match what is open in each leg, rule by rule; say of the rest why it is open.

        Breaks that explained themselves are closed.
        """


class ShadowSteps(ABC):
    """Trying out, without a trace."""

    @step("bulk", "shadow.compare", "Compare the books, and keep nothing of it")
    @abstractmethod
    async def compare(self, request: ForRun) -> Shadowed:
        """Fix, match and prove as a run does, and take all of it back."""


class ProofSteps(ABC):
    """What can be proven of it."""

    @step("bulk", "proof.prove", "Prove the bridge")
    @abstractmethod
    async def prove(self, request: OfCut) -> Proven:
        """Prove that what is open explains the difference of independent closings, per currency."""

    @step("bulk", "proof.certify", "Certify the result")
    @abstractmethod
    async def certify(self, request: Certify) -> Certified:
        """Keep the certificate: inputs, rules, controls, bridge, result."""


class PostSteps(ABC):
    """What follows from it."""

    @step("bulk", "post.post", "Post what the evidence shows")
    @abstractmethod
    async def post(self, request: Post) -> Posted:
        """Post the fees, payouts and settlements that the account has us post, once for each."""

    @step("remote", "post.tell", "Tell finance how it came out")
    @abstractmethod
    async def tell(self, request: Tell) -> None:
        """One mail about what needs somebody; none where everything is balanced."""
